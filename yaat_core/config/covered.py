"""What the configuration reads already."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, Final

from yaat_core.config.model import Configuration, SourceEntry

_WILD: Final = re.compile(r"\*\*/|\*\*|\*|\?|\[!?[^\]]*\]")


def covered_by(options: Mapping[str, Any], configuration: Configuration) -> str:
    """Name of a configured source that reads what this one would; empty when none does.

    Files: every path is matched by the source's globs (a glob counts when it is written the same way) and not excluded.
    Other types: a source of that type is there.
    """
    for name, entry in configuration.sources.items():
        if entry.type.name != options["type"]:
            continue
        if options["type"] != "file" or all(_reads(entry, path, configuration) for path in options["paths"]):
            return name
    return ""


def _reads(entry: SourceEntry, path: str, configuration: Configuration) -> bool:
    wanted = _absolute(configuration, entry.options.paths)
    excluded = _absolute(configuration, [one for one in entry.options.exclude if "/" in one])
    names = [one for one in entry.options.exclude if "/" not in one]
    plain = path.replace("[[]", "[").replace("[*]", "*").replace("[?]", "?")
    return (
        any(one == path or _regex(one).fullmatch(plain) for one in wanted)
        and not any(one == path or _regex(one).fullmatch(plain) for one in excluded)
        and not any(_regex(one).fullmatch(os.path.basename(plain)) for one in names)
    )


def _absolute(configuration: Configuration, paths: Any) -> list[str]:
    return [os.path.abspath(configuration.config_dir / os.path.expanduser(one)) for one in paths]


def _regex(pattern: str) -> re.Pattern[str]:
    """A glob as the source `file` reads it: `**` passes folders, `*` does not."""
    text, place = "", 0
    for match in _WILD.finditer(pattern):
        text += re.escape(pattern[place : match.start()])
        sign = match[0]
        text += {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(sign) or _class(sign)
        place = match.end()
    return re.compile(text + re.escape(pattern[place:]), re.DOTALL)


def _class(sign: str) -> str:
    inner = sign[1:-1]
    negated = inner.startswith("!")
    inner = inner[1:] if negated else inner
    return (
        f"[{'^' if negated else ''}{re.escape(inner).replace(chr(92) + '-', '-')}]"
        if inner
        else re.escape(sign)
    )
