"""What plugins found on this machine joins the default `sources`, checked as if it had been written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from yaat_core.config.assembly import Assembly
from yaat_core.config.defaults import readable
from yaat_core.config.fields import keys_of
from yaat_core.config.nodes import Items, Node, Scalar, Table, plain_value
from yaat_core.config.parsing import parse
from yaat_core.config.problems import Misfit
from yaat_core.detection import DefaultSources, default_sources_of
from yaat_core.display import terminal_safe
from yaat_core.plugins import Plugins

DETECTED: Final = "YAAT-W106"
_PLACE: Final = "what was detected"


def add_detected(section: Table, plugins: Plugins) -> list[Misfit]:
    """Ask plugins for their default sources, and put them into ``section``. What can't be had is a warning."""
    answers, failures = default_sources_of(plugins)
    warnings = [_warning(f"plugin {one.plugin} could not look what runs here: {one.why}") for one in failures]
    warnings += [
        attrs.evolve(_warning(terminal_safe(note.problem)), fix=terminal_safe(note.advice))
        for answer in answers
        if isinstance(answer, DefaultSources)
        for note in answer.notes
    ]
    covered: list[str] = []
    for name, written in _sources(answers):
        table = _table(name, written)
        type = table.get("type") if table is not None else None
        if table is None or not isinstance(type, Scalar):
            warnings.append(_left_out(name, "it is not a mapping of plain values with a `type`"))
        elif plugins.registry.find("sources", type.text) is not None:
            node = readable(table, plugins.registry, warnings)
            wrong = _wrong(name, node, plugins)
            if wrong:
                warnings.append(_left_out(name, wrong))
                continue
            free = _free(name, section)
            section.entries[free] = (_key(free), node)
            covered += _paths(node)
    if covered:
        _leave_alone(section, covered, plugins)
    return list(dict.fromkeys(warnings))


def _sources(answers: list[Mapping[str, Mapping[str, Any]]]) -> Iterator[tuple[str, Any]]:
    for answer in answers:
        yield from answer.items() if isinstance(answer, Mapping) else [("?", answer)]


def _table(name: str, written: Any) -> Table | None:
    """The source as a tree, with the path that it has in a configuration."""
    try:
        text = json.dumps({"sources": {name: written}}, ensure_ascii=False)
    except TypeError:
        return None
    root = parse(text, _PLACE).root
    section = root.get("sources") if isinstance(root, Table) else None
    source = section.get(name) if isinstance(section, Table) else None
    return source if isinstance(source, Table) else None


def _wrong(name: str, node: Node, plugins: Plugins) -> str:
    """What is wrong with the source; empty when it is valid."""
    trial = Assembly(plugins)
    trial.sources(
        Table(start=node.start, end=node.end, path=("sources",), entries={name: (_key(name), node)})
    )
    return trial.misfits[0].what if trial.misfits else ""


def _key(name: str) -> Scalar:
    mark = parse("a: 1", _PLACE).root
    assert isinstance(mark, Table)
    return attrs.evolve(mark.entries["a"][0], path=("sources", name), text=name, value=name)


def _free(name: str, section: Table) -> str:
    number, free = 1, name
    while free in section.entries:
        number += 1
        free = f"{name}-{number}"
    return free


def _paths(node: Node) -> list[str]:
    value = plain_value(node).get("paths", ())
    return [value] if isinstance(value, str) else list(value)


def _leave_alone(section: Table, covered: list[str], plugins: Plugins) -> None:
    """The built-in source of files does not read what a detected one does."""
    logs = section.get("logs")
    if not isinstance(logs, Table):
        return
    type = logs.get("type")
    found = plugins.registry.find("sources", type.text) if isinstance(type, Scalar) else None
    key = next((key for key in keys_of(found.config) if key.name == "exclude"), None) if found else None
    if key is None:
        return
    excluded = parse(json.dumps([*key.default, *covered], ensure_ascii=False), _PLACE).root
    assert isinstance(excluded, Items)
    logs.entries["exclude"] = (_key("exclude"), excluded)


def _left_out(name: str, why: str) -> Misfit:
    return _warning(f"the detected source `{terminal_safe(name[:80])}` is left out: {why}")


def _warning(what: str) -> Misfit:
    return Misfit(
        code=DETECTED,
        what=what,
        fix="report it to the plugin; `yaat detect` shows what was found",
        level="warning",
    )
