"""A file to a `Configuration`: read, parse, interpolate, assemble; every problem of every step at once."""

from __future__ import annotations

import difflib
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final, cast

import attrs

from yaat_core.components import Kind
from yaat_core.concealing import conceal
from yaat_core.config.assembly import BOUNDS, Assembly
from yaat_core.config.defaults import default_section
from yaat_core.config.detected import add_detected
from yaat_core.config.fields import defaults_of
from yaat_core.config.finding import default_state_dir
from yaat_core.config.hidden import secret_values
from yaat_core.config.including import Whole, read
from yaat_core.config.interpolation import Interpolation
from yaat_core.config.keys import SCRUB, SECTIONS, VERSION, FileKeys
from yaat_core.config.model import Configuration, QueueEntry
from yaat_core.config.nodes import Items, KeyPath, Mark, Node, Scalar, Table, Text, scalars
from yaat_core.config.parsing import parse
from yaat_core.config.problems import ConfigError, Misfit, Misfits, at_value, in_order
from yaat_core.config.text import shown_name
from yaat_core.display import terminal_safe
from yaat_core.manifest import normalized
from yaat_core.plugins import Plugins

_WRONG: Final = "YAAT-E102"
_NO_SCRUB: Final = "YAAT-W101"
_PLUGIN_FAILED: Final = "YAAT-W102"
_NOT_THERE: Final = "YAAT-W104"


def load(
    path: Path | None,
    plugins: Plugins,
    *,
    environ: Mapping[str, str] | None = None,
    detect: bool = True,
    texts: Mapping[Path, str] | None = None,
) -> Configuration:
    """The configuration of a file, or all defaults when ``path`` is None.

    ``detect``: a file without `sources` reads what is found on this machine. ``texts``: what is not written yet, by
    absolute path: read in place of these files, as if it stood there.

    Raises:
        ConfigError: everything that is wrong, sorted by line.
        PluginError: a config class that can't be read.
    """
    environ = os.environ if environ is None else environ
    path = Path(os.path.abspath(path)) if path is not None else None
    name = shown_name(path)
    whole = read(path, texts) if path is not None else Whole(parse("", name))
    document = whole.document
    if document.root is None and document.misfits:
        raise ConfigError(in_order(document.misfits))
    root = document.root
    if root is None or (isinstance(root, Scalar) and root.value is None):
        start = Mark(Text(name), 0, 0)
        root = Table(start=start, end=start, path=())
    folder = path.parent if path else Path.cwd()
    assembly = Assembly(plugins, list(document.misfits))
    assembly.misfits += Interpolation(folder, environ, plugins.manager.hook).apply(root)
    made = _configuration(path, folder, root, assembly, environ, whole, detect=detect)
    if assembly.misfits or made is None:
        raise ConfigError(in_order(assembly.misfits))
    conceal.learn(secret_values(made))
    return made


def _configuration(
    path: Path | None,
    folder: Path,
    root: Node,
    assembly: Assembly,
    environ: Mapping[str, str],
    whole: Whole,
    *,
    detect: bool,
) -> Configuration | None:
    try:
        table = assembly.structurer.table(root)
    except Misfits as wrong:
        assembly.misfits += wrong.found
        return None
    keys = _file_keys(table, assembly)
    sections, warnings = _sections(table, assembly, environ, detect=detect)
    sources = assembly.sources(sections["sources"])
    # a source that could not be built has a name all the same, and that is what processors refer to
    named = list(sections["sources"].entries) if isinstance(sections["sources"], Table) else []
    processors = assembly.processors(sections["processors"], named)
    queue = assembly.queue(sections["queue"])
    sinks = assembly.sinks(sections["sinks"], table.get("queue"))
    if assembly.misfits:
        return None
    warnings += whole.warnings
    warnings += _advice(table, assembly.plugins, scrubbed=any(one.type.name == SCRUB for one in processors))
    return Configuration(
        path=path,
        included=whole.files,
        state_dir=placed(keys.state_dir, folder, environ),
        service_name=keys.service_name,
        environment=keys.environment,
        organization_id=keys.organization_id,
        tags=keys.tags,
        sources=sources,
        processors=tuple(processors),
        queue=cast(QueueEntry, queue),
        sinks=sinks,
        dead_letter=keys.dead_letter,
        plugins=keys.plugins,
        health=keys.health,
        shutdown_grace=keys.shutdown_grace,
        reload=keys.reload,
        digest=whole.digest,
        formats=assembly.formats(),
        warnings=tuple(in_order(warnings)),
        default_sections=frozenset(kind for kind in SECTIONS if table.get(kind) is None),
        interpolated=_interpolated(table, assembly),
    )


def _file_keys(table: Table, assembly: Assembly) -> FileKeys:
    try:
        keys = assembly.structurer.build(table.without(SECTIONS), FileKeys, also=SECTIONS)
    except Misfits as wrong:
        assembly.misfits += wrong.found
        return defaults_of(FileKeys)
    if keys.version != VERSION:
        later = keys.version > VERSION
        what = f"`version` is {keys.version}, this yaat reads version {VERSION}"
        fix = "update yaat, or write the file for this one" if later else f"write version: {VERSION}"
        assembly.misfits.append(at_value(cast(Scalar, table.get("version")), _WRONG, what, fix=fix))
    return keys


def _sections(
    table: Table, assembly: Assembly, environ: Mapping[str, str], *, detect: bool
) -> tuple[dict[Kind, Node], list[Misfit]]:
    """Each section as written, or its default."""
    sections: dict[Kind, Node] = {}
    warnings: list[Misfit] = []
    for kind in SECTIONS:
        written = table.get(kind)
        if written is None:
            written, left_out = default_section(kind, assembly.plugins.registry, environ)
            warnings += left_out
            if kind == "sources" and detect and isinstance(written, Table):
                warnings += add_detected(written, assembly.plugins)
        sections[kind] = written
    return sections, warnings


def placed(written: str, folder: Path, environ: Mapping[str, str]) -> Path:
    """The state directory of a file in ``folder``."""
    path = folder / (Path(written).expanduser() if written else default_state_dir(environ))
    # lexically, unless `..` might cross a symbolic link
    return path.resolve() if ".." in path.parts else path


def _advice(table: Table, plugins: Plugins, *, scrubbed: bool) -> list[Misfit]:
    """What is allowed and perhaps not meant."""
    warnings: list[Misfit] = []
    if not scrubbed:
        what = "nothing scrubs: secrets in events are stored and sent as they are"
        facts: dict[str, Any] = {"fix": "add `- {type: scrub, detectors: [secrets]}` to `processors`"}
        node = table.get("processors")
        warnings.append(
            at_value(table.entries["processors"][0], _NO_SCRUB, what, **facts)
            if node is not None
            else Misfit(code=_NO_SCRUB, what=what, **facts)
        )
    for state in plugins.states:
        if state.state == "failed":
            what = f"plugin {state.distribution} {state.version}".strip() + f" is not loaded: {state.reason}"
            fix = f"nothing here needs it; yaat plugins show {state.name} tells more"
            warnings.append(Misfit(code=_PLUGIN_FAILED, what=what, fix=fix))
    names = {normalized(name) for state in plugins.states for name in (state.distribution, state.name)}
    warnings += [_not_there(one, names) for one in _disabled(table) if normalized(one.text) not in names]
    return [attrs.evolve(one, level="warning") for one in warnings]


def _disabled(table: Table) -> list[Scalar]:
    node: Node | None = table
    for name in ("plugins", "disable"):
        node = node.get(name) if isinstance(node, Table) else None
    return list(scalars(node)) if node is not None else []


def _not_there(one: Scalar, names: Collection[str]) -> Misfit:
    near = next(iter(difflib.get_close_matches(normalized(one.text), names, 1)), "") if not one.origin else ""
    what = f"no plugin is called {one.origin or terminal_safe(one.text)}"
    fix = "" if near else "take it out; yaat plugins list shows the names"
    return at_value(
        one, _NOT_THERE, what, nearest=near, hint=f"did you mean {near}?" if near else "", fix=fix
    )


def _interpolated(table: Table, assembly: Assembly) -> dict[KeyPath, str]:
    """By path: what is shown of a value that came from elsewhere. Processors go by name, since their order changes."""
    found = {one.path: one.shown for one in scalars(table.without({"processors"})) if one.shown}
    processors = table.get("processors")
    for index, node in enumerate(processors.nodes if isinstance(processors, Items) else ()):
        name = assembly.processor_names[index]
        found |= {("processors", name, *one.path[2:]): one.shown for one in scalars(node) if one.shown}
    sinks = table.get("sinks")
    names = list(sinks.entries) if isinstance(sinks, Table) else ["local"]
    inherited = {
        path[-1]: shown for path, shown in found.items() if path[:-1] == ("queue",) and path[-1] in BOUNDS
    }
    for name in names:
        own = sinks.get(name) if isinstance(sinks, Table) else None
        queue = own.get("queue") if isinstance(own, Table) else None
        for key, shown in inherited.items():
            if not (isinstance(queue, Table) and key in queue.entries):
                found["sinks", name, "queue", key] = shown
    return found
