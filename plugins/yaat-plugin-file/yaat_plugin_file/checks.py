"""What `yaat validate` says of a file source: patterns without files, files that can't be read."""

from __future__ import annotations

import os
from collections.abc import Sequence

from yaat_core.components import Finding
from yaat_kit.following.discovery import Finder
from yaat_kit.following.identity import NotRegular, open_regular
from yaat_kit.following.refusals import Refusals
from yaat_kit.following.starting import Selection
from yaat_kit.permissions import how_to_read

#: Files that are tried at most: a check is no crawl.
_TRIED = 200


def findings(selection: Selection) -> Sequence[Finding]:
    """Look at every pattern once."""
    found = [finding for pattern in selection.paths for finding in _of_pattern(pattern, selection)]
    return list(dict.fromkeys(found))


def _of_pattern(pattern: str, selection: Selection) -> list[Finding]:
    folders: list[Finding] = []

    def unlistable(folder: str, error: OSError) -> None:
        folders.append(
            Finding(
                problem=f"can't list {folder!r}: {error.strerror}", advice=_advice(folder, "rx"), level="warn"
            )
        )

    paths = list(Finder([pattern], selection.exclude, on_error=unlistable).find())
    if not paths and not folders:
        problem = f"no file matches {pattern!r}" if not os.path.isdir(pattern) else f"{pattern!r} is a folder"
        advice = "files that appear later are read; check the path for typing errors"
        if os.path.isdir(pattern):
            advice = f"write {os.path.join(pattern, '*')!r} to read the files in it"
        return [Finding(problem=problem, advice=advice, level="warn")]
    refusals = Refusals.of(selection.forbidden)
    return folders + [finding for path in paths[:_TRIED] for finding in _of_file(path, refusals)]


def _of_file(path: str, refusals: Refusals) -> list[Finding]:
    try:
        descriptor, status = open_regular(path)
    except NotRegular:
        problem = f"{path!r} is not a regular file and is not read"
        return [Finding(problem=problem, advice="exclude it", level="warn")]
    except FileNotFoundError:
        return []
    except OSError as error:
        return [Finding(problem=f"can't read {path!r}: {error.strerror}", advice=_advice(path, "r"))]
    os.close(descriptor)
    why = refusals.why(path, status)
    return [Finding(problem=f"{path!r} {why} and is not read", level="warn")] if why else []


def _advice(path: str, rights: str) -> str:
    return f"{how_to_read(path, rights=rights)}; the other files are read"
