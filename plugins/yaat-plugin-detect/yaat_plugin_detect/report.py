"""All that `yaat detect` knows, as one document and for people."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from yaat_core.cli.marks import mark
from yaat_core.components import Finding
from yaat_core.config.covered import covered_by
from yaat_core.config.model import Configuration
from yaat_core.config.showing import show
from yaat_core.detection import Detection
from yaat_core.display import terminal_safe
from yaat_core.registry import Registry
from yaat_plugin_detect.cloud import Cloud
from yaat_plugin_detect.host import Host
from yaat_plugin_detect.sources import Plan, Proposal
from yaat_plugin_detect.writing import configuration as written

_WIDTH = 80


@attrs.frozen(kw_only=True)
class Report:
    """What was found, and what the configuration has of it."""

    host: Host
    cloud: Cloud | None
    asked_cloud: bool
    detections: Sequence[Detection]
    plan: Plan
    failures: Sequence[str]
    configuration: Configuration
    registry: Registry

    def status(self, one: Proposal) -> tuple[str, str]:
        """``configured``, ``default``, ``missing_plugin`` or ``new``; and the source or the plugin that it is about."""
        type = str(one.options["type"])
        if self.registry.find("sources", type) is None:
            return "missing_plugin", f"yaat-plugin-{type}"
        name = covered_by(one.options, self.configuration)
        if name:
            return ("default" if "sources" in self.configuration.default_sections else "configured"), name
        return "new", ""

    def addition(self) -> str:
        """The configuration to add; empty when there is nothing. Without `sources` in the file it is the whole section."""
        new = [
            (one.name, one.detection.what, one.options)
            for one in self.plan.proposals
            if self.status(one)[0] in ("new", "default")
        ]
        if "sources" not in self.configuration.default_sections:
            return written(_renamed(new, set(self.configuration.sources))) if new else ""
        shown = show(self.configuration)["sources"]
        whats = {one.name: one.detection.what for one in self.plan.proposals}
        by_name = {name: options for name, _, options in new}
        all = [
            (name, whats.get(name, "the default"), by_name.get(name) or _short(options))
            for name, options in shown.items()
        ]
        return written([*all, *(one for one in new if one[0] not in shown)])

    def document(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "host": attrs.asdict(self.host),
            "cloud": attrs.asdict(self.cloud) if self.cloud else None,
            "cloud_asked": self.asked_cloud,
            "findings": [self._finding(place, one) for place, one in enumerate(self.detections)],
            "failures": list(self.failures),
            "configuration": self.addition(),
        }

    def _finding(self, place: int, detection: Detection) -> dict[str, Any]:
        sources = []
        for one in self._of(detection):
            status, about = self.status(one)
            sources.append({"name": one.name, "options": one.options, "status": status, "about": about})
        return {
            "service": detection.service,
            "what": detection.what,
            "evidence": list(detection.evidence),
            "sources": sources,
            "problems": [attrs.asdict(finding) for finding in self.plan.troubles.get(place, ())],
        }

    def _of(self, detection: Detection) -> list[Proposal]:
        return [one for one in self.plan.proposals if one.detection is detection]

    def human(self, line: Callable[[str], None]) -> None:
        """For people, in 80 columns where paths allow it."""
        for text in self._lines():
            line(text)

    def _lines(self) -> Iterator[str]:
        yield from _wrapped("host  ", ", ".join(self._host()))
        for place, detection in enumerate(self.detections):
            yield ""
            yield from self._section(place, detection)
        if not self.detections:
            yield from ("", "Nothing was found that has logs of its own.")
        for failure in self.failures:
            yield from _wrapped(f"{mark('error')} ", failure)
        addition = self.addition()
        yield ""
        if not addition:
            yield "Nothing to add: the configuration reads all of it, or it can't be read."
            return
        unread = any(self.status(one)[0] == "new" for one in self.plan.proposals)
        beyond = ", but for what is not read yet" if unread else ""
        default = "sources" in self.configuration.default_sections
        yield from _wrapped(
            "",
            f"The configuration has no `sources`, so an agent reads this by default{beyond}; write it down to change it:"
            if default
            else "To read what is not read yet, add to `sources` of the configuration:",
        )
        yield ""
        yield from addition.splitlines()

    def _host(self) -> Iterator[str]:
        host = self.host
        yield host.name
        kinds = {"container": "in a container", "vm": "a virtual machine", "bare": "no virtual machine"}
        yield kinds[host.environment] + (f" ({host.container_id[:12]})" if host.container_id else "")
        if host.kubernetes:
            yield "in Kubernetes"
        if self.cloud:
            parts = [self.cloud.provider, self.cloud.zone or self.cloud.region, self.cloud.instance]
            yield "cloud " + " ".join(part for part in parts if part)
        elif host.cloud:
            yield f"cloud {host.cloud}" + ("" if self.asked_cloud else " (--cloud asks for more)")
        elif self.asked_cloud:
            yield "no cloud answered"

    def _section(self, place: int, detection: Detection) -> Iterator[str]:
        proposals = self._of(detection)
        troubles = self.plan.troubles.get(place, ())
        kind = "warn" if troubles else "yes"
        yield from _wrapped(f"{mark(kind)} ", detection.what)
        for evidence in list(detection.evidence)[:6]:
            yield from _wrapped("    found by  ", evidence)
        for one in proposals:
            yield from _of_source(one, *self.status(one))
        if not proposals and not troubles:
            yield "    no log of its own was found"
        for finding in troubles:
            yield from _trouble(finding)


def _of_source(one: Proposal, status: str, about: str) -> Iterator[str]:
    said = {
        "configured": f"read already by the source {about}",
        "default": "read by default",
        "missing_plugin": f"needs {about}, which is not installed",
        "new": "not read yet",
    }[status]
    format = one.options.get("format", "")
    name = format.get("type", "") if isinstance(format, Mapping) else format
    for path in one.options.get("paths", [f"type {one.options['type']}"]):
        yield from _wrapped("    log       ", f"{path}{f' ({name})' if name else ''}")
    yield from _wrapped("              ", said)


def _trouble(finding: Finding) -> Iterator[str]:
    yield from _wrapped(f"    {finding.level:<9} ", finding.problem)
    if finding.advice:
        yield from _wrapped("    fix       ", finding.advice)


def _wrapped(lead: str, text: str) -> Iterator[str]:
    """Lines of 80 cells, what follows indented as the first; a path is never broken."""
    import click

    indent = " " * len(click.unstyle(lead))
    lines = textwrap.wrap(
        terminal_safe(text), _WIDTH - len(indent), break_long_words=False, break_on_hyphens=False
    ) or [""]
    for index, one in enumerate(lines):
        yield f"{indent if index else lead}{one}"


def _renamed(
    sources: Sequence[tuple[str, str, Mapping[str, Any]]], taken: set[str]
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for name, comment, options in sources:
        free, number = name, 1
        while free in taken:
            number += 1
            free = f"{name}-{number}"
        taken.add(free)
        yield free, comment, options


def _short(options: Mapping[str, Any]) -> dict[str, Any]:
    """A default source as somebody would write it."""
    kept = {name: options[name] for name in ("type", "paths", "exclude") if name in options}
    if isinstance(options.get("format"), Mapping):
        kept["format"] = options["format"]["type"]
    return kept
