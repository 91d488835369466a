"""What is different between the configuration that runs and another one, and so what has to be done. Touches nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import attrs

from yaat_core.config.model import Configuration, Entry, SinkEntry, SourceEntry
from yaat_core.reloading.results import Change, What
from yaat_core.workshop import alike

E = TypeVar("E", bound=Entry)

#: Keys of the file that apply where they are read, without a component that restarts, and tables of such keys.
_PLAIN = ("service_name", "environment", "organization_id", "tags", "shutdown_grace")
_TABLES = ("dead_letter", "health", "reload")


@attrs.frozen(kw_only=True)
class Plan:
    """What a reload does. ``configuration`` is what runs afterwards: as written, but for what needs a restart."""

    configuration: Configuration
    changes: Sequence[Change]
    unchanged: int
    """Components that are left alone."""
    restart_needed: Sequence[str]

    def of(self, kind: str, *what: What) -> list[str]:
        """Names of the components of a kind with such a change."""
        start = f"{kind}."
        return [
            change.component.removeprefix(start)
            for change in self.changes
            if change.component.startswith(start) and change.what in what
        ]

    def has(self, key: str) -> bool:
        """Is this key of the file, or this component, different?"""
        return any(change.component == key for change in self.changes)


def plan(before: Configuration, after: Configuration) -> Plan:
    """From what runs to what is wanted."""
    effective, restart_needed = _possible(before, after)
    moved = before.config_dir != effective.config_dir
    components = [
        *_components(before.sources, effective.sources, _source_changed, moved),
        *_components(_by_name(before.processors), _by_name(effective.processors), _membership, False),
        *_components(before.sinks, effective.sinks, _sink_changed, False),
    ]
    changes = [Change(component=name, what=what) for name, what in components if what is not None]
    if not _same_order(before, effective):
        changes.append(Change(component="processors", what="changed"))
    changes += [Change(component=key, what="changed") for key in _keys(before, effective)]
    return Plan(
        configuration=effective,
        changes=changes,
        unchanged=sum(what is None for _, what in components) + 1,  # the queue
        restart_needed=restart_needed,
    )


def same(one: Entry, other: Entry) -> bool:
    """Would the same component be made from both?"""
    return one.id == other.id and one.type == other.type and alike(one.options, other.options)


def _possible(before: Configuration, after: Configuration) -> tuple[Configuration, list[str]]:
    """``after`` with what can't be changed while the agent runs as it was, and the names of these."""
    fixed: list[str] = []
    if before.state_dir != after.state_dir:
        fixed.append("state_dir")
    if not same(before.queue, after.queue):
        fixed.append("queue")
    if not alike(before.plugins, after.plugins):
        fixed.append("plugins.disable")
    queue = attrs.evolve(after.queue, type=before.queue.type, options=before.queue.options)
    kept = attrs.evolve(after, state_dir=before.state_dir, queue=queue, plugins=before.plugins)
    return kept, fixed


def _components(
    before: Mapping[str, E], after: Mapping[str, E], changed: Callable[[E, E], bool], everything: bool
) -> Iterator[tuple[str, What | None]]:
    """Every component by its full name, with what becomes of it; None: nothing."""
    for name, entry in before.items():
        if name not in after:
            yield str(entry.id), "stopped"
    for name, entry in after.items():
        known = before.get(name)
        if known is None:
            yield str(entry.id), "started"
        elif everything or not same(known, entry):
            yield str(entry.id), "restarted"
        else:
            yield str(entry.id), "changed" if changed(known, entry) else None


def _source_changed(before: SourceEntry, after: SourceEntry) -> bool:
    """What the core does for it is done in another way: the source itself goes on."""
    formats = (before.format, after.format)
    own = [(one.type, one.options) if one else None for one in formats]
    names = ("service_name", "environment", "tags")
    return not alike(*own) or any(getattr(before, name) != getattr(after, name) for name in names)


def _membership(before: Entry, after: Entry) -> bool:
    return getattr(before, "sources", None) != getattr(after, "sources", None)


def _sink_changed(before: SinkEntry, after: SinkEntry) -> bool:
    return before.bounds != after.bounds


def _by_name(entries: Iterable[E]) -> dict[str, E]:
    return {entry.id.name: entry for entry in entries}


def _same_order(before: Configuration, after: Configuration) -> bool:
    """Do the processors that are in both come in the same order?"""
    names = [[entry.id.name for entry in one.processors] for one in (before, after)]
    common = set(names[0]) & set(names[1])
    first, second = ([name for name in order if name in common] for order in names)
    return first == second


def _keys(before: Configuration, after: Configuration) -> Iterator[str]:
    """Plain keys that are different."""
    for key in _PLAIN:
        if not alike(getattr(before, key), getattr(after, key)):
            yield key
    for table in _TABLES:
        one, other = getattr(before, table), getattr(after, table)
        for field in attrs.fields(type(one)):
            if not alike(getattr(one, field.name), getattr(other, field.name)):
                yield f"{table}.{field.name}"
