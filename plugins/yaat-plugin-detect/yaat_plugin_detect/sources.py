"""From findings to sources: which logs may be read by default, and how they are written into a configuration."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

from yaat_core.components import Finding
from yaat_core.config.keys import COMPONENT_NAME
from yaat_core.detection import Detection, Log, Machine, Proposed
from yaat_core.registry import Registry
from yaat_kit.permissions import how_to_read, may
from yaat_plugin_detect.config import MAX_LOGS
from yaat_plugin_detect.files import printable

#: Where no service keeps logs; what is said to be one there is something else.
_NEVER: Final = ("/proc/", "/sys/", "/dev/", "/etc/", "/boot/")


@attrs.frozen(kw_only=True)
class Proposal:
    """A source that reads (some of) what was found."""

    name: str
    options: Mapping[str, Any]
    """As it would be written."""
    detection: Detection


@attrs.frozen(kw_only=True)
class Plan:
    """Sources by detection, and what can't be read, with advice."""

    proposals: Sequence[Proposal]
    troubles: Mapping[int, Sequence[Finding]]
    """By place of the detection."""


def plan(detections: Sequence[Detection], machine: Machine, registry: Registry) -> Plan:
    """Every log in one source at most; the first that names it has it."""
    making = _Making(machine, registry)
    for place, detection in enumerate(detections):
        making.take(place, detection)
    return Plan(proposals=making.proposals, troubles=making.troubles)


def proposed(made: Plan, detections: Sequence[Detection]) -> list[Proposed]:
    """The sources as a person chooses of them."""
    places = {id(detection): place for place, detection in enumerate(detections)}
    return [
        Proposed(
            name=one.name,
            options=one.options,
            what=one.detection.what,
            evidence=one.detection.evidence,
            by_default=one.detection.by_default,
            problems=tuple(made.troubles.get(places[id(one.detection)], ())),
        )
        for one in made.proposals
    ]


@attrs.define(eq=False)
class _Making:
    machine: Machine
    registry: Registry
    proposals: list[Proposal] = attrs.field(factory=list)
    troubles: dict[int, list[Finding]] = attrs.field(factory=dict)
    _paths: set[str] = attrs.field(factory=set)
    _names: set[str] = attrs.field(factory=set)

    def take(self, place: int, detection: Detection) -> None:
        troubles = self.troubles.setdefault(place, list(detection.notes))
        groups: dict[str, tuple[Log, list[str]]] = {}
        for log in list(detection.logs)[:MAX_LOGS]:
            why = _refusal(log, self.machine)
            if why:
                troubles.append(Finding(problem=f"{log.path!r} is not read by default: {why}", level="warn"))
                continue
            path = _written(log, self.machine)
            if path in self._paths:
                continue
            self._paths.add(path)
            groups.setdefault(repr((log.name, log.format, log.multiline)), (log, []))[1].append(path)
            troubles += _denied(log, self.machine)
        for log, paths in groups.values():
            name = f"{detection.service}-{log.name}" if log.name else detection.service
            self._propose(name, _file_source(detection, log, paths, self.registry), detection)
        for name, options in detection.sources.items():
            self._propose(name, options, detection)

    def _propose(self, wanted: str, options: Mapping[str, Any], detection: Detection) -> None:
        base = wanted if COMPONENT_NAME.fullmatch(wanted) else detection.service
        name, number = base, 1
        while name in self._names:
            number += 1
            name = f"{base}-{number}"
        self._names.add(name)
        self.proposals.append(Proposal(name=name, options=options, detection=detection))


def _file_source(detection: Detection, log: Log, paths: Sequence[str], registry: Registry) -> dict[str, Any]:
    options: dict[str, Any] = {"type": "file", "paths": list(paths)}
    type = log.format["type"] if isinstance(log.format, Mapping) else log.format
    if type != "raw" and registry.find("processors", type) is not None:
        options["format"] = dict(log.format) if isinstance(log.format, Mapping) else log.format
    if log.multiline:
        options["multiline"] = log.multiline
    if type != "syslog":  # its lines name their programs
        options["service_name"] = detection.service
    return options


def _written(log: Log, machine: Machine) -> str:
    root = glob.escape(machine.local(""))
    return root + (log.path if log.pattern else glob.escape(log.path))


def _refusal(log: Log, machine: Machine) -> str:
    """Why a log is not read without being asked for; empty when it may be."""
    if not log.path.startswith("/") or not printable(log.path) or os.path.normpath(log.path) != log.path:
        return "its path is not plain"
    if log.path.startswith(_NEVER):
        return "no log is kept there"
    resolved = os.path.realpath(machine.local(os.path.dirname(log.path) if log.pattern else log.path))
    if resolved.removeprefix(machine.local("")).startswith(_NEVER):
        return "it leads to where no log is kept"
    if log.pattern and glob.has_magic(os.path.dirname(log.path)) and log.uid:
        return "its folder is not one"
    folder = _unescaped(os.path.dirname(log.path)) if log.pattern else log.path
    owned = folder if machine.exists(folder) else os.path.dirname(folder)
    if log.uid and machine.owner(owned) not in (log.uid, None):
        return "it belongs to another user than the program that names it"
    try:
        if not log.pattern and not stat.S_ISREG(os.stat(machine.local(log.path)).st_mode):
            return "it is no regular file"
    except OSError:  # not there yet, or not for this user to know: the source says so
        return ""
    return ""


def _unescaped(pattern: str) -> str:
    return pattern.replace("[[]", "[").replace("[*]", "*").replace("[?]", "?")


def _denied(log: Log, machine: Machine) -> Iterable[Finding]:
    """What this user would need."""
    local = machine.local(_unescaped(os.path.dirname(log.path)) if log.pattern else log.path)
    mode, rights = (os.R_OK | os.X_OK, "rx") if log.pattern else (os.R_OK, "r")
    folder = os.path.dirname(local)
    hidden = not os.path.exists(local) and os.path.isdir(folder) and not may(folder, os.X_OK)
    if hidden or (os.path.exists(local) and not may(local, mode)):
        yield Finding(problem=f"this user may not read {local!r}", advice=how_to_read(local, rights=rights))
