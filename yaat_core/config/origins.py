"""Where each value of the effective configuration comes from: a line of a file, the environment, what was detected, a default."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal

import attrs

from yaat_core.config.assembly import BOUNDS
from yaat_core.config.defaults import default_section
from yaat_core.config.finding import default_state_dir
from yaat_core.config.including import read
from yaat_core.config.model import Configuration
from yaat_core.config.nodes import Items, KeyPath, Node, Scalar, Table, place, scalars
from yaat_core.config.showing import show
from yaat_core.plugins import Plugins

_REFERENCE: Final = re.compile(r"(?<!\$)\$\{(env|file|secret):([^}:]+)(:-)?")
#: Variables that say where state goes when the file does not.
_STATE: Final = ("STATE_DIRECTORY", "XDG_STATE_HOME")


@attrs.frozen(kw_only=True)
class Origin:
    """``file``: it stands in ``file`` at ``line``. ``environment``, ``secret``, ``reference``: there is a reference to the
    variable, the secret or the file ``name``. ``detected``: found on this machine. ``default``: nobody says anything.
    """

    kind: Literal["file", "environment", "secret", "reference", "detected", "default"]
    file: str = ""
    line: int | None = None
    name: str = ""


@attrs.frozen(kw_only=True)
class Sourced:
    """One value, as `show` has it (secrets masked), under the path of its key; processors are named."""

    key: str
    value: Any
    origin: Origin


def find_origin(explicit: Path | None, configuration: Configuration, environ: Mapping[str, str]) -> str:
    """Who chose the file: ``flag`` (-c), ``environment`` (YAAT_CONFIG), ``search``; ``none``: there is none."""
    if configuration.path is None:
        return "none"
    return "flag" if explicit else "environment" if environ.get("YAAT_CONFIG") else "search"


def origins(
    configuration: Configuration, plugins: Plugins, environ: Mapping[str, str] | None = None
) -> list[Sourced]:
    """Every value of `show`, in its order.

    Raises:
        ConfigError: the file went away since.
    """
    environ = os.environ if environ is None else environ
    root = read(configuration.path).document.root if configuration.path else None
    finder = _Finder(_named(root), configuration, _built_in(configuration, plugins, environ), environ)
    shown = show(configuration)
    shown["processors"] = {one["name"]: one for one in shown["processors"]}
    return [
        Sourced(key=place(path), value=value, origin=finder.of(path)) for path, value in _values(shown, ())
    ]


@attrs.frozen
class _Finder:
    root: Node | None
    configuration: Configuration
    built_in: frozenset[str]
    environ: Mapping[str, str]

    def of(self, path: KeyPath) -> Origin:
        """The origin of a value."""
        node = _at(self.root, path)
        if node is None and path[0] == "sinks" and path[2:3] == ("queue",) and path[-1] in BOUNDS:
            node = _at(self.root, ("queue", path[-1]))
        if node is not None:
            return _written(node, self.environ)
        if path[0] == "state_dir":
            return _of_state_dir(self.environ)
        detected = (
            path[0] == "sources"
            and "sources" in self.configuration.default_sections
            and path[1] not in self.built_in
        )
        return Origin(kind="detected" if detected else "default")


def _of_state_dir(environ: Mapping[str, str]) -> Origin:
    """A variable counts when without it the folder would be another."""
    for name in _STATE:
        without = {key: value for key, value in environ.items() if key != name}
        if default_state_dir(without) != default_state_dir(environ):
            return Origin(kind="environment", name=name)
    return Origin(kind="default")


def _written(node: Node, environ: Mapping[str, str]) -> Origin:
    place = Origin(kind="file", file=node.start.text.name, line=node.start.line + 1)
    kinds: dict[str, Literal["environment", "secret", "reference"]] = {
        "env": "environment",
        "secret": "secret",
        "file": "reference",
    }
    for one in scalars(node):
        found = _REFERENCE.search(one.text)
        if found and (environ.get(found[2]) or not found[3]):  # else what stands behind `:-` holds
            return attrs.evolve(place, kind=kinds[found[1]], name=found[2], line=one.start.line + 1)
    return place


def _at(node: Node | None, path: KeyPath) -> Node | None:
    """What is written for a value; None: nothing."""
    for part in path:
        if isinstance(node, Scalar) and part == "type":  # `format: NAME`
            return node
        if isinstance(node, Table) and isinstance(part, str):
            node = node.get(part)
        elif isinstance(node, Items) and isinstance(part, int) and part < len(node.nodes):
            node = node.nodes[part]
        else:
            return None
    return node


def _named(root: Node | None) -> Node | None:
    """The tree with processors by their names."""
    if not isinstance(root, Table):
        return None
    processors = root.get("processors")
    if not isinstance(processors, Items):
        return root
    entries: dict[str, tuple[Scalar, Node]] = {}
    for node in processors.nodes:
        written = (node.get("name") or node.get("type")) if isinstance(node, Table) else None
        if isinstance(written, Scalar):
            entries[written.text] = (written, node)
    table = Table(start=processors.start, end=processors.end, path=processors.path, entries=entries)
    key = root.entries["processors"][0]
    return attrs.evolve(root, entries={**root.entries, "processors": (key, table)})


def _built_in(configuration: Configuration, plugins: Plugins, environ: Mapping[str, str]) -> frozenset[str]:
    """Names of the sources that an empty file has before anything is detected."""
    if "sources" not in configuration.default_sections:
        return frozenset()
    section, _ = default_section("sources", plugins.registry, environ)
    return frozenset(section.entries) if isinstance(section, Table) else frozenset()


def _values(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    """Mappings and lists of mappings are gone through; other lists are one value."""
    if isinstance(value, dict) and value:
        for name, one in value.items():
            yield from _values(one, (*path, name))
    elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
        for index, one in enumerate(value):
            yield from _values(one, (*path, index))
    else:
        yield path, value
