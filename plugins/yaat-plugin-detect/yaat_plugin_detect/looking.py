"""What several detectors need: command lines taken apart, files that include others, evidence in words."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import attrs

from yaat_core.components import Finding
from yaat_core.detection import Detection, Machine, Process
from yaat_plugin_detect.config import MAX_DEPTH, MAX_FOUND

#: Characters of a command line that evidence shows.
_SHOWN: Final = 60


def words(process: Process) -> list[str]:
    """The command line in words, also of a program that wrote one text over it (`nginx: master process ...`)."""
    if len(process.command) == 1:
        return process.command[0].split() or [""]
    return list(process.command) or [""]


def option(given: Sequence[str], *names: str) -> str:
    """The value of an option: ``-c VALUE``, ``--config VALUE``, ``--config=VALUE``; empty when it is not there."""
    for index, word in enumerate(given):
        if word in names:
            return given[index + 1] if index + 1 < len(given) else ""
        name, equals, value = word.partition("=")
        if equals and name in names:
            return value
    return ""


def absolute(path: str, base: str) -> str:
    """A path as the service means it; empty when it is relative to what is not known."""
    if not path:
        return ""
    joined = os.path.join(base, path)
    return os.path.normpath(joined) if joined.startswith("/") else ""


def told(process: Process) -> str:
    """Evidence: a process."""
    shown = " ".join(process.command)
    shown = shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 3]}..."
    return f"process {process.pid}: {shown}"


def listening(machine: Machine, processes: Iterable[Process]) -> Iterator[str]:
    """Evidence: where processes listen."""
    pids = {process.pid for process in processes}
    found = {(one.address, one.port) for one in machine.listeners if one.pid in pids}
    for address, port in sorted(found)[:4]:
        yield f"listens on {f'[{address}]' if ':' in address else address}:{port}"


def count(number: int, one: str, many: str = "") -> str:
    """``1 process``, ``2 processes``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


@attrs.define(eq=False)
class Files:
    """Reads files that include others; each once, so that a loop ends."""

    machine: Machine
    uid: int = 0
    seen: dict[str, None] = attrs.field(factory=dict)

    def text(self, path: str) -> str | None:
        """A file's text, the first time that it is asked for."""
        if path in self.seen or len(self.seen) >= MAX_FOUND:
            return None
        text = self.machine.read(path, uid=self.uid)
        if text is not None:
            self.seen[path] = None
        return text

    def included(self, pattern: str, depth: int) -> Iterator[tuple[str, str]]:
        """The files that an include names: path and text."""
        if depth >= MAX_DEPTH or not pattern.startswith("/"):
            return
        for path in self.machine.glob(pattern) if any(sign in pattern for sign in "*?[") else [pattern]:
            text = self.text(path)
            if text is not None:
                yield path, text


def configured(files: Files) -> list[str]:
    """Evidence: the configuration that was read."""
    if not files.seen:
        return []
    more = len(files.seen) - 1
    return [f"configuration {next(iter(files.seen))}" + (f" and {count(more, 'more file')}" if more else "")]


def of_refused(machine: Machine, detections: Iterable[Detection]) -> list[Finding]:
    """What detectors note about configuration files that this user may not read."""
    refused = [repr(path) for path in machine.refused()]
    notes = [note for detection in detections for note in detection.notes]
    return [note for note in notes if any(path in note.problem for path in refused)]


def unreadable(machine: Machine, paths: Iterable[str]) -> Iterator[Finding]:
    """Configuration files that this user may not read."""
    from yaat_kit.permissions import how_to_read

    refused = set(machine.refused())
    for path in dict.fromkeys(paths):
        if path in refused:
            yield Finding(
                problem=f"can't read {path!r}: its logs are guessed",
                advice=how_to_read(machine.local(path)),
                level="warn",
            )
