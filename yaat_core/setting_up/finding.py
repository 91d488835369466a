"""What can be read on this machine: what plugins detect, the logs under /var/log, the host's own figures.

Looking opens configuration files of services and lists processes, bounded; it writes nothing. It may take seconds: from an
event loop it is called in a worker thread.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from yaat_core.components import Finding
from yaat_core.config.defaults import default_section
from yaat_core.config.editing.files import ConfigFiles
from yaat_core.config.fields import keys_of
from yaat_core.config.nodes import Table, plain_value
from yaat_core.detection import DefaultSources, default_sources_of
from yaat_core.plugins import Plugins

_WHAT: Final[Mapping[str, str]] = {
    "logs": "every log under /var/log that nothing else here reads",
    "host": "processor, memory, disks and network of this machine",
}
#: The catch-all: it leaves alone what the others read.
LOGS: Final = "logs"


@attrs.frozen(kw_only=True)
class Candidate:
    """A source that could be configured. ``configured``: the file has it already."""

    name: str
    type: str
    what: str
    options: Mapping[str, Any]
    """As it would be written, with its `type`."""
    evidence: Sequence[str] = ()
    by_default: bool = True
    problems: Sequence[Finding] = ()
    configured: bool = False

    @property
    def paths(self) -> Sequence[str]:
        """Its files, if it reads files."""
        found = self.options.get("paths", ())
        return [found] if isinstance(found, str) else list(found)

    @property
    def format(self) -> str:
        """Name of its format; empty when it has none."""
        given = self.options.get("format", "")
        return str(given.get("type", "")) if isinstance(given, Mapping) else str(given)


@attrs.frozen(kw_only=True)
class Found:
    """What was found, and what could not be looked at."""

    candidates: Sequence[Candidate]
    failures: Sequence[str] = ()

    def named(self, name: str) -> Candidate | None:
        """One by its name."""
        return next((one for one in self.candidates if one.name == name), None)


def look(plugins: Plugins, path: Path) -> Found:
    """All candidates, detected ones first; ``path`` is the configuration, if there is one.

    Raises:
        ConfigError: the file can't be read.
    """
    files = ConfigFiles.read(path)
    sections = [page.value.get("sources") for _, page in files.pages() if isinstance(page.value, dict)]
    written = [one for one in sections if isinstance(one, dict)]
    known = {name: one for section in written for name, one in section.items() if isinstance(one, dict)}
    defaults_hold = bool(files.main.text.strip()) and not written
    answers, failed = default_sources_of(plugins)
    failures = [f"the plugin {one.plugin} could not look what runs here: {one.why}" for one in failed]
    found: dict[str, Candidate] = {}
    for answer in answers:
        for one in answer.proposed if isinstance(answer, DefaultSources) else ():
            _add(found, one.name, one.options, plugins, what=one.what, evidence=one.evidence,
                 by_default=one.by_default, problems=one.problems)  # fmt: skip
        for name, options in answer.items():
            if not any(one.options == options for one in found.values()):
                _add(found, name, options, plugins, what="detected")
    section, _ = default_section("sources", plugins.registry, os.environ)
    if isinstance(section, Table):
        for name, options in plain_value(section).items():
            _add(found, name, options, plugins, what=_WHAT.get(name, "read by default"))
    return Found(
        candidates=[
            attrs.evolve(one, configured=(defaults_hold and one.by_default) or _covered(one, known))
            for one in found.values()
        ],
        failures=failures,
    )


def _add(
    found: dict[str, Candidate], wanted: str, options: Mapping[str, Any], plugins: Plugins, **more: Any
) -> None:
    type = str(options.get("type", ""))
    if plugins.registry.find("sources", type) is None:
        return
    name, number = wanted, 1
    while name in found:
        number += 1
        name = f"{wanted}-{number}"
    found[name] = Candidate(name=name, type=type, options=dict(options), **more)


def _covered(one: Candidate, known: Mapping[str, Mapping[str, Any]]) -> bool:
    """Does a configured source read it?"""
    if one.paths:
        read = {path for options in known.values() for path in _listed(options.get("paths", ()))}
        return set(one.paths) <= read
    return any(options.get("type") == one.type for options in known.values())


def _listed(value: Any) -> Sequence[str]:
    return [value] if isinstance(value, str) else [str(one) for one in value or ()]


def written(chosen: Sequence[Candidate], plugins: Plugins) -> dict[str, dict[str, Any]]:
    """The chosen ones as they are written; the catch-all without what the others read."""
    section = {one.name: dict(one.options) for one in chosen}
    logs = next((one for one in chosen if one.name == LOGS and one.paths), None)
    covered = [path for one in chosen if one is not logs for path in one.paths]
    known = plugins.registry.find("sources", logs.type) if logs else None
    key = next((key for key in keys_of(known.config) if key.name == "exclude"), None) if known else None
    if logs is not None and key is not None and covered:
        section[logs.name]["exclude"] = [*key.default, *covered]
    return section
