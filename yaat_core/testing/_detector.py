"""A machine made of texts, and what every detector must hold to."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence

import attrs

from yaat_core.config.keys import COMPONENT_NAME
from yaat_core.detection import Detection, Detector, Listener, Process

_HOSTILE = ("", "\x1b[2J", "../../etc/shadow", "${secret:x}", "*" * 300, "'\"{;", "\udcff", "a\nb")


@attrs.frozen(kw_only=True)
class MadeMachine:
    """A `Machine` for tests: processes, files by path, open logs by process."""

    processes: Sequence[Process] = ()
    listeners: Sequence[Listener] = ()
    files: Mapping[str, str] = attrs.field(factory=dict)
    """Path to text. A folder exists when a file lies in it."""
    open: Mapping[int, Sequence[str]] = attrs.field(factory=dict)
    unreadable: frozenset[str] = frozenset()
    owners: Mapping[str, int] = attrs.field(factory=dict)
    """Owners that are not root."""

    def open_logs(self, pid: int) -> Sequence[str]:
        """See `Machine`."""
        return self.open.get(pid, ())

    def read(self, path: str, *, uid: int = 0) -> str | None:
        """See `Machine`."""
        return None if path in self.unreadable else self.files.get(path)

    def owner(self, path: str) -> int | None:
        """See `Machine`."""
        return self.owners.get(path, 0) if self.exists(path) else None

    def glob(self, pattern: str) -> Sequence[str]:
        """See `Machine`; a wildcard stays within one folder."""
        depth = pattern.count("/")
        parents = {path.rsplit("/", up)[0] for path in self.files for up in range(1, path.count("/"))}
        return sorted(
            path
            for path in {*self.files, *parents}
            if path.count("/") == depth and fnmatch.fnmatchcase(path, pattern)
        )

    def exists(self, path: str) -> bool:
        """See `Machine`."""
        return path in self.files or any(one.startswith(f"{path.rstrip('/')}/") for one in self.files)

    def local(self, path: str) -> str:
        """See `Machine`."""
        return path

    def refused(self) -> Sequence[str]:
        """See `Machine`."""
        return sorted(self.unreadable)


def check_detector(detector: Detector, *machines: MadeMachine) -> None:
    """The contract of a detector, on machines where it finds something.

    It finds something on each of them, nothing on an empty machine, and gives the same answer twice. What it finds
    has a name that a source may have, evidence, and absolute paths. Configuration files that can't be read, that
    are cut off anywhere or hold odd texts, and odd command lines are nothing that it raises for.

    Raises:
        AssertionError: what it does not hold to.
    """
    name = detector.name
    assert not list(detector.detect(MadeMachine())), f"{name} finds something on an empty machine"
    assert machines, "give machines on which it finds something"
    for machine in machines:
        found = list(detector.detect(machine))
        assert found, f"{name} finds nothing"
        assert found == list(detector.detect(machine)), f"{name} gives another answer the second time"
        for one in found:
            _check(name, one)
        for worse in _worse(machine):
            for one in detector.detect(worse):
                _check(name, one)


def _check(name: str, found: Detection) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", found.service), f"{name}: {found.service!r} is no name"
    assert found.what, f"{name}: {found.service} does not say what it is"
    assert found.evidence, f"{name}: {found.service} does not say how it was found"
    for log in found.logs:
        assert log.path.startswith("/"), f"{name}: {log.path!r} is not absolute"
    for source, options in found.sources.items():
        assert COMPONENT_NAME.fullmatch(source), f"{name}: {source!r} is no name of a source"
        assert isinstance(options.get("type"), str), f"{name}: the source {source} has no type"


def _worse(machine: MadeMachine) -> list[MadeMachine]:
    """The machine with its files unreadable, cut, odd; its command lines odd; its processes hidden."""
    worse = [
        attrs.evolve(machine, unreadable=frozenset(machine.files), open={}),
        attrs.evolve(machine, files={}),
    ]
    for share in (0.2, 0.5, 0.9):
        worse.append(
            attrs.evolve(
                machine, files={path: text[: int(len(text) * share)] for path, text in machine.files.items()}
            )
        )
    for odd in _HOSTILE:
        worse.append(attrs.evolve(machine, files=dict.fromkeys(machine.files, odd * 50)))
        worse.append(
            attrs.evolve(
                machine,
                processes=[
                    attrs.evolve(one, command=[*one.command[:-1], odd], folder=odd)
                    for one in machine.processes
                ],
            )
        )
    return worse
