"""Which journal the options mean: its files, and what is wrong with them."""

from __future__ import annotations

import glob
import os
import struct
from collections.abc import Sequence
from typing import Final

import attrs

from yaat_core.components import Context, Finding
from yaat_core.display import terminal_safe
from yaat_plugin_journald.config import JournaldConfig
from yaat_plugin_journald.own import MACHINE_ID
from yaat_plugin_journald.structure import structure

ROOTS: Final = ("/var/log/journal", "/run/log/journal")
GROUP: Final = "systemd-journal"
#: Header of a journal file (systemd, docs/JOURNAL_FILE_FORMAT.md): signature, flags, ..., header and arena size at 88.
_SIGNATURE: Final = b"LPKSHHRH"
_HEADER: Final = struct.Struct("<8sII B7x 16s16s16s16s QQ")


@attrs.frozen
class Places:
    """A folder or files, or this machine's own (with a namespace)."""

    directory: str | None = None
    patterns: Sequence[str] = ()
    namespace: str | None = None
    merge: bool = False

    @classmethod
    def of(cls, config: JournaldConfig, context: Context) -> Places:
        """As the options say; relative paths are relative to the configuration file."""
        directory = config.journal_directory
        return cls(
            directory=os.path.abspath(context.path(directory)) if directory else None,
            patterns=[os.path.abspath(context.path(one)) for one in config.files],
            namespace=config.namespace,
            merge=config.merge,
        )

    def named(self) -> str:
        """For people."""
        if self.patterns:
            return ", ".join(map(repr, self.patterns))
        return repr(self.directory) if self.directory else " and ".join(ROOTS)

    def files(self) -> list[str]:
        """The journal files that are there now."""
        if self.patterns:
            return sorted({path for pattern in self.patterns for path in glob.glob(pattern, recursive=True)})
        folders = [self.directory] if self.directory else list(ROOTS)
        return sorted(path for folder in folders for path in self._in(folder))

    def _in(self, folder: str) -> list[str]:
        found = [] if not self.directory else _journals(folder)
        for name in _names(folder):
            identity, _, namespace = name.partition(".")
            wanted = not namespace if self.directory else self._wants(identity, namespace)
            ours = len(identity) == 32 and wanted
            if ours or (name == "remote" and self.merge):
                found += _journals(os.path.join(folder, name))
        return found

    def _wants(self, machine: str, namespace: str) -> bool:
        if not self.merge and machine != _machine():
            return False
        wanted = self.namespace or ""
        if wanted == "*":
            return True
        return namespace == wanted.lstrip("+") or (wanted.startswith("+") and not namespace)


class Looker:
    """Says what can't be read of the journal now. Closed files are looked into once, from the time on that is read."""

    def __init__(self, places: Places, since_us: int | None = None) -> None:
        self._places = places
        self._since_us = since_us
        self._known: dict[tuple[str, int, int], str] = {}

    def findings(self) -> list[Finding]:
        """In a stable order; in a worker thread."""
        files = self._places.files()
        if not files:
            problem = f"no journal files in {self._places.named()}"
            advice = "is systemd-journald running here? In a container mount the host's /var/log/journal and name it"
            return [Finding(problem=problem, advice=f"{advice} in `journal_directory`", level="warn")]
        refused, found = [], []
        for path in files:
            try:
                why = damage(path) or self._inside(path)
            except PermissionError:
                refused.append(path)
                continue
            except FileNotFoundError:
                continue
            except OSError as error:
                why = error.strerror or str(error)
            if why:
                problem = f"{terminal_safe(repr(path))} is damaged: {why}"
                advice = (
                    "`journalctl --verify` says more; what can be read of it is read, the other files whole"
                )
                found.append(Finding(problem=problem, advice=advice, level="warn"))
        return [*_refused(refused, len(files)), *found]

    def _inside(self, path: str) -> str:
        if self._since_us is None:
            return ""
        status = os.stat(path)
        key = (path, status.st_size, status.st_mtime_ns)
        if key not in self._known:
            seen = structure(path, self._since_us)
            bad = seen is not None and seen.damaged
            self._known[key] = f"{seen.damaged} of its {seen.entries} entries" if seen and bad else ""
        return self._known[key]


def _refused(paths: Sequence[str], among: int) -> list[Finding]:
    if not paths:
        return []
    problem = f"{len(paths)} of {among} journal files can't be read: no permission (the first: {paths[0]!r})"
    advice = f"add the agent's user to the group {GROUP}: `usermod -a -G {GROUP} USER`, then start it again"
    return [
        Finding(
            problem=terminal_safe(problem), advice=advice, level="error" if len(paths) == among else "warn"
        )
    ]


def damage(path: str) -> str:
    """What is wrong with a journal file's beginning or length; empty when nothing is seen.

    Raises:
        OSError: it can't be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        head, size = os.pread(descriptor, _HEADER.size, 0), os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)
    if len(head) < _HEADER.size:
        return f"only {size} bytes"
    signature, *_flags_and_ids, header_size, arena_size = _HEADER.unpack(head)
    if signature != _SIGNATURE:
        return "it does not begin as a journal file does"
    if header_size + arena_size > size:
        return f"{header_size + arena_size - size} bytes are missing at its end"
    return ""


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _journals(folder: str) -> list[str]:
    return [os.path.join(folder, name) for name in _names(folder) if name.endswith((".journal", ".journal~"))]


def _machine() -> str:
    try:
        return MACHINE_ID.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
