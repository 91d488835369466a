"""Versions of the configuration files, for undo and redo: in ``state_dir/config``, for the owner's eyes, bounded.

``history.json`` is the list; each text lies once in ``texts/`` under its hash. A version is what one change did: for each
file what it was before and what it became.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import attrs

from yaat_core import durable
from yaat_core.config.editing.files import hash_of
from yaat_core.errors import UsageError, YaatError

FOLDER: Final = "config"
#: Versions that are kept, and bytes of their texts.
MOST: Final = 100
MOST_BYTES: Final = 16 * 2**20

_LIST: Final = "history.json"
_TEXTS: Final = "texts"
_LOCK: Final = "lock"


class HistoryDamaged(YaatError):
    """A text of the history is not what was written."""

    code = "YAAT-E123"


@attrs.frozen(kw_only=True)
class FileChange:
    """One file in a version: hashes of its bytes; empty: there was no file."""

    path: str
    before: str
    after: str


@attrs.frozen(kw_only=True)
class Version:
    """One change. ``undone``: it was taken back since, and can be done again."""

    number: int
    at: str
    summary: str
    files: Sequence[FileChange]
    undone: bool = False


@attrs.frozen(kw_only=True)
class Pending:
    """A version that is taken back at ``until`` (seconds since 1970) unless it is confirmed."""

    number: int
    until: float


@attrs.define
class _Log:
    versions: list[Version] = attrs.field(factory=list)
    pending: Pending | None = None


class History:
    """The versions of one state directory. Nothing is made before the first change."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._folder = state_dir / FOLDER

    def versions(self) -> Sequence[Version]:
        """Oldest first."""
        return tuple(self._read().versions)

    def pending(self) -> Pending | None:
        """What waits to be confirmed."""
        return self._read().pending

    def data(self, hash: str) -> bytes | None:
        """What a file was; None for a file that was not there.

        Raises:
            HistoryDamaged: it is not there any more, or another.
        """
        if not hash:
            return None
        try:
            found = (self._folder / _TEXTS / hash).read_bytes()
        except FileNotFoundError:
            found = b""
        if hash_of(found) != hash:
            raise HistoryDamaged(
                "this version of the configuration is not in the history any more",
                where=str(self._folder),
                fix="`yaat config history` lists what is kept",
            )
        return found

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """One change at a time, by whichever process."""
        self._make()
        with open(self._folder / _LOCK, "wb", opener=durable.private) as file:
            self._own(self._folder / _LOCK)
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def add(self, summary: str, files: Sequence[tuple[Path, bytes | None, bytes | None]]) -> Version:
        """Note a change (path, before, after) before it is made. What was undone can't be done again after it."""
        log = self._read()
        log.versions = [one for one in log.versions if not one.undone]
        changes = [
            FileChange(path=str(path), before=self._keep(before), after=self._keep(after))
            for path, before, after in files
        ]
        number = self._next(log)
        version = Version(
            number=number, at=datetime.now(UTC).isoformat(timespec="seconds"), summary=summary, files=changes
        )
        log.versions.append(version)
        self._write(log)
        return version

    def drop(self, number: int) -> None:
        """Forget a version whose change was not made."""
        log = self._read()
        log.versions = [one for one in log.versions if one.number != number]
        self._write(log)

    def mark(self, number: int, *, undone: bool) -> None:
        """Note that a version was taken back, or done again."""
        log = self._read()
        log.versions = [
            attrs.evolve(one, undone=undone) if one.number == number else one for one in log.versions
        ]
        self._write(log)

    def wait_for(self, pending: Pending | None) -> None:
        """Note what waits to be confirmed; None: nothing."""
        log = self._read()
        log.pending = pending
        self._write(log)

    def find(self, number: int) -> Version:
        """A version by its number.

        Raises:
            UsageError: it is not kept.
        """
        versions = self.versions()
        found = next((one for one in versions if one.number == number), None)
        if found is None:
            kept = f"{versions[0].number} to {versions[-1].number}" if versions else "none"
            raise UsageError(f"there is no version {number}", fix=f"kept: {kept}; see `yaat config history`")
        return found

    # --- files

    def _read(self) -> _Log:
        try:
            document = json.loads((self._folder / _LIST).read_bytes())
            return _Log([_version(one) for one in document["versions"]], _pending(document.get("pending")))
        except (FileNotFoundError, NotADirectoryError):
            return _Log()
        except (ValueError, KeyError, TypeError):
            # the list can be lost without harm to any configuration: a new one begins, and the texts stay until then
            return _Log()

    def _write(self, log: _Log) -> None:
        log.versions = self._bounded(log.versions)
        document = {"versions": [attrs.asdict(one) for one in log.versions]}
        if log.pending is not None:
            document["pending"] = attrs.asdict(log.pending)  # type: ignore[assignment]
        self._make()
        durable.replace(self._folder / _LIST, json.dumps(document, indent=1).encode())
        self._own(self._folder / _LIST)
        self._forget({hash for one in log.versions for hash in _hashes(one)})

    def _bounded(self, versions: list[Version]) -> list[Version]:
        kept: list[Version] = []
        texts: dict[str, int] = {}
        for version in reversed(versions[-MOST:]):
            texts |= {hash: self._size(hash) for hash in _hashes(version)}
            if kept and sum(texts.values()) > MOST_BYTES:
                break
            kept.append(version)
        return kept[::-1]

    def _size(self, hash: str) -> int:
        try:
            return (self._folder / _TEXTS / hash).stat().st_size
        except OSError:
            return 0

    def _next(self, log: _Log) -> int:
        """One more than any before, also than one that was undone and is gone."""
        numbers = [one.number for one in self._read().versions]
        return max([0, *numbers, *(one.number for one in log.versions)]) + 1

    def _keep(self, data: bytes | None) -> str:
        if data is None:
            return ""
        self._make()
        path = self._folder / _TEXTS / hash_of(data)
        if not path.exists() or path.read_bytes() != data:
            durable.replace(path, data)
            self._own(path)
        return hash_of(data)

    def _forget(self, kept: set[str]) -> None:
        for path in (self._folder / _TEXTS).iterdir():
            if path.name not in kept:
                path.unlink(missing_ok=True)

    def _make(self) -> None:
        for folder in (self._folder, self._folder / _TEXTS):
            if not folder.is_dir():
                first = not self._state_dir.exists()
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                if first:
                    self._state_dir.chmod(0o700)
                self._own(folder)

    def _own(self, path: Path) -> None:
        """What root writes here is for the agent's user all the same."""
        if os.geteuid() == 0:
            about = self._state_dir.stat()
            os.chown(path, about.st_uid, about.st_gid, follow_symlinks=False)


def _hashes(version: Version) -> set[str]:
    return {hash for one in version.files for hash in (one.before, one.after) if hash}


def _version(facts: dict[str, Any]) -> Version:
    return Version(**{**facts, "files": [FileChange(**one) for one in facts["files"]]})


def _pending(facts: dict[str, Any] | None) -> Pending | None:
    return Pending(**facts) if facts else None
