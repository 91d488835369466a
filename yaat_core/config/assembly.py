"""From a checked tree to `Configuration`: component types found, options structured, references resolved."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import attrs

from yaat_core.components import ComponentId, Kind
from yaat_core.config.fields import defaults_of, keys_of
from yaat_core.config.keys import (
    COMPONENT_NAME,
    SCRUB,
    BoundsKeys,
    FormatKeys,
    ProcessorKeys,
    QueueKeys,
    SinkKeys,
    SourceKeys,
)
from yaat_core.config.model import Bounds, ProcessorEntry, QueueEntry, SinkEntry, SourceEntry, WhenFull
from yaat_core.config.nodes import Items, Node, Scalar, Table, place
from yaat_core.config.problems import Misfit, Misfits, at_key, at_value
from yaat_core.config.structure import Structurer
from yaat_core.config.syntax import elsewhere
from yaat_core.config.unavailable import no_format, unknown_type
from yaat_core.config.unfit import described, empty
from yaat_core.display import terminal_safe
from yaat_core.plugins import Plugins
from yaat_core.registry import ComponentType

_WRONG: Final = "YAAT-E102"
_MISSING: Final = "YAAT-E104"
_TAKEN: Final = "YAAT-E106"
_NO_SUCH: Final = "YAAT-E109"

_ONE: Final[Mapping[Kind, str]] = {
    "sources": "source",
    "processors": "processor",
    "queue": "queue",
    "sinks": "sink",
}
BOUNDS: Final = frozenset({"max_bytes", "retention", "when_full"})
_RAW: Final = "raw"

T = TypeVar("T")


@attrs.define(eq=False)
class Assembly:
    """Builds the sections of a file. What is wrong goes to ``misfits``; then None stands for what could not be built."""

    plugins: Plugins
    misfits: list[Misfit] = attrs.field(factory=list)
    structurer: Structurer = attrs.field(factory=Structurer)
    processor_names: dict[int, str] = attrs.field(factory=dict)
    """By place in the list."""
    _named_at: dict[str, Node] = attrs.field(factory=dict)
    """By name of a processor: where it got it."""

    # --- sections ---

    def sources(self, node: Node) -> dict[str, SourceEntry]:
        """The section `sources`."""
        built = self._named(node, "sources", self._source)
        self._refuse_several(node, built)
        return built

    def sinks(self, node: Node, queue: Node | None) -> dict[str, SinkEntry]:
        """The section `sinks`; a sink's bounds stand on those of the section `queue`."""
        built = self._named(node, "sinks", lambda name, one: self._sink(name, one, queue))
        if isinstance(node, Table) and not node.entries:
            where = node.holder or node
            self.misfits.append(
                at_value(
                    where,
                    _MISSING,
                    "no sink is configured",
                    fix="write one, or take `sinks` out for the default",
                )
            )
        return built

    def processors(self, node: Node, sources: Sequence[str]) -> list[ProcessorEntry]:
        """The section `processors`, with `scrub` behind all others."""
        if not isinstance(node, Items):
            if isinstance(node, Scalar) and node.plain and node.text == "":
                self.misfits += empty(node, "a list").found
            elif not node.broken:
                what = f"`processors` must be a list, got {described(node)}"
                self.misfits.append(
                    at_value(node, _WRONG, what, expected="a list", fix="write `- type: NAME` items")
                )
            return []
        built: dict[str, ProcessorEntry] = {}
        for index, one in enumerate(node.nodes):
            entry = self._attempt(lambda one=one: self._processor(one, sources, built))  # type: ignore[misc]
            if entry is not None:
                built[entry.id.name] = entry
                self.processor_names[index] = entry.id.name
        return sorted(built.values(), key=lambda entry: entry.type.name == SCRUB)

    def queue(self, node: Node) -> QueueEntry | None:
        """The section `queue`."""
        return self._attempt(lambda: self._queue(node))

    def format(self, node: Node) -> ProcessorEntry | None:
        """A source's `format`: a name, or a mapping with `type`."""
        if isinstance(node, Scalar):
            if not isinstance(node.value, str):
                what = f"`{place(node.path)}` must be the name of a processor type or a mapping, got {described(node)}"
                raise Misfits([at_value(node, _WRONG, what)])
            if node.value == _RAW:
                return None
            return self._short_format(node)
        _, type, options = self._component("processors", node, FormatKeys)
        return ProcessorEntry(id=ComponentId("processors", type.name), type=type, options=options)

    def _short_format(self, node: Scalar) -> ProcessorEntry | None:
        try:
            return self.format(_long_form(node))
        except Misfits as wrong:
            advice = f"{node.text} needs options: write format: {{type: {node.text}, ...}}"
            raise Misfits(
                [attrs.evolve(one, fix=advice) if one.code == _MISSING else one for one in wrong.found]
            ) from None

    def formats(self) -> dict[str, ProcessorEntry]:
        """Every format that works without options."""
        found = {}
        for (_, name), type in self.plugins.registry.types.items():
            if not type.is_format or any(key.required for key in keys_of(type.config)):
                continue
            try:
                options = type.config()
            except ValueError:  # its parts have defaults, but not the whole: it needs options
                continue
            found[name] = ProcessorEntry(id=ComponentId("processors", name), type=type, options=options)
        return found

    # --- components ---

    def _source(self, name: str, node: Node) -> SourceEntry:
        core, type, options = self._component("sources", node, SourceKeys)
        return SourceEntry(
            id=ComponentId("sources", name),
            type=type,
            options=options,
            format=self._default_format(type) if core.format is None else self.format(core.format),
            format_given=core.format is not None,
            service_name=core.service_name,
            environment=core.environment,
            tags=core.tags,
        )

    def _default_format(self, source: ComponentType) -> ProcessorEntry | None:
        found = self.plugins.registry.find("processors", source.default_format)
        if found is None or not found.is_format:
            return None
        return ProcessorEntry(
            id=ComponentId("processors", found.name), type=found, options=defaults_of(found.config)
        )

    def _processor(
        self, node: Node, sources: Sequence[str], before: Mapping[str, ProcessorEntry]
    ) -> ProcessorEntry:
        core, type, options = self._component("processors", node, ProcessorKeys)
        table = self.structurer.table(node)
        self._refuse_unknown_sources(table, sources)
        name = core.name or type.name
        where = table.entries.get("name", table.entries["type"])[1]
        _check_name(where, name)
        if name in before:
            what = f"two processors have the name {_named(where)}"
            cause = f"the other one is in {elsewhere(where, self._named_at[name])}"
            fix = "give one of them a `name:` of its own"
            raise Misfits([at_value(where, _TAKEN, what, cause=cause, fix=fix)])
        self._named_at[name] = where
        return ProcessorEntry(
            id=ComponentId("processors", name), type=type, options=options, sources=core.sources
        )

    def _queue(self, node: Node) -> QueueEntry:
        core, type, options = self._component("queue", node, QueueKeys)
        bounds = Bounds(
            max_bytes=core.max_bytes, retention=core.retention, when_full=core.when_full or "block"
        )
        return QueueEntry(id=ComponentId("queue"), type=type, options=options, bounds=bounds)

    def _sink(self, name: str, node: Node, queue: Node | None) -> SinkEntry:
        core, type, options = self._component("sinks", node, SinkKeys)
        return SinkEntry(
            id=ComponentId("sinks", name),
            type=type,
            options=options,
            bounds=self._bounds(core.queue, queue, type),
            start=core.from_,
        )

    def _bounds(self, own: Node | None, shared: Node | None, type: ComponentType) -> Bounds:
        """A sink's keys over the top-level ones."""
        tables = [one for one in (shared, own) if isinstance(one, Table)]
        if own is not None:
            self.structurer.table(own)
        keys = defaults_of(BoundsKeys)
        if tables:
            over = tables[0].only(BOUNDS).entries if isinstance(shared, Table) else {}
            mine = own.entries if isinstance(own, Table) else {}
            keys = self.structurer.build(attrs.evolve(tables[-1], entries={**over, **mine}), BoundsKeys)
        fallback: WhenFull = "drop_oldest" if _is_remote(type) else "block"
        return Bounds(
            max_bytes=keys.max_bytes, retention=keys.retention, when_full=keys.when_full or fallback
        )

    def _component(self, kind: Kind, node: Node, cls: type[T]) -> tuple[T, ComponentType, Any]:
        """The core's keys, the type, and the plugin's options. Both halves are read before anything is refused."""
        table = self.structurer.table(node)
        names = {key.name for key in keys_of(cls)}
        wrong: list[Misfit] = []
        type = self._type(kind, table, cls, wrong)
        core = _gather(wrong, lambda: self.structurer.build(table.only(names), cls))
        wrong[:] = [self._which_type(kind, table, one) for one in wrong]
        if type is None:
            raise Misfits(wrong)
        owner = f"`{place(table.path)}`, a `{type.name}` {_ONE[kind]}"
        options = _gather(
            wrong,
            lambda: self.structurer.build(table.without(names), type.config, owner=owner, also=names),
        )
        if wrong or core is None or options is None:
            raise Misfits(wrong)
        return core, type, options

    def _type(self, kind: Kind, table: Table, cls: type, wrong: list[Misfit]) -> ComponentType | None:
        node = table.get("type")
        default = next(key.default for key in keys_of(cls) if key.name == "type")
        if node is None and isinstance(default, str):
            node = attrs.evolve(_key_of(table), path=(*table.path, "type"), text=default, value=default)
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return None
        found = self.plugins.registry.find(kind, node.value)
        if found is None and not node.broken:
            wrong.append(unknown_type(kind, _ONE[kind], node, self.plugins))
        elif found is not None and cls is FormatKeys and not found.is_format:
            wrong.append(no_format(node, self.plugins))
        return found

    def _which_type(self, kind: Kind, table: Table, misfit: Misfit) -> Misfit:
        """A missing `type` is told with those there are."""
        if misfit.code != _MISSING or misfit.path != (*table.path, "type"):
            return misfit
        known = self.plugins.registry
        names = known.formats() if misfit.path[-2:] == ("format", "type") else known.names(kind)
        return attrs.evolve(
            misfit, cause="", fix=f"write `type: NAME`; installed: {', '.join(names) or 'none'}"
        )

    # --- pieces ---

    def _named(self, node: Node, kind: Kind, build: Callable[[str, Node], T]) -> dict[str, T]:
        table = self._attempt(lambda: self.structurer.table(node))
        built: dict[str, T] = {}
        for name, (key, one) in (table.entries if table else {}).items():
            made = self._attempt(lambda name=name, key=key, one=one: _checked(name, key, one, build))  # type: ignore[misc]
            if made is not None:
                built[name] = made
        return built

    def _refuse_several(self, node: Node, built: Mapping[str, SourceEntry]) -> None:
        first: dict[str, str] = {}
        for name, entry in built.items():
            before = first.setdefault(entry.type.name, name)
            if before != name and entry.type.single and isinstance(node, Table):
                what = f"there are two sources of type `{entry.type.name}`, {before} and {name}: an agent may have one"
                key, _ = node.entries[name]
                fix = "take one of them out, or run it in an agent with another state_dir"
                self.misfits.append(at_key(key, _TAKEN, what, fix=fix))

    def _attempt(self, work: Callable[[], T]) -> T | None:
        return _gather(self.misfits, work)

    def _refuse_unknown_sources(self, table: Table, sources: Sequence[str]) -> None:
        node = table.get("sources")
        named = node.nodes if isinstance(node, Items) else [node] if node is not None else []
        wrong = []
        for one in named:
            if isinstance(one, Scalar) and one.text not in sources:
                near = "" if one.origin else next(iter(difflib.get_close_matches(one.text, sources, 1)), "")
                wrong.append(
                    at_value(
                        one,
                        _NO_SUCH,
                        f"there is no source {_named(one)}",
                        nearest=near,
                        hint=f"did you mean `{near}`?" if near else "",
                        fix="" if near else f"configured: {', '.join(sources) or 'none'}",
                    )
                )
        if wrong:
            raise Misfits(wrong)


def _gather(wrong: list[Misfit], work: Callable[[], T]) -> T | None:
    try:
        return work()
    except Misfits as below:
        wrong += below.found
        return None


def _checked(name: str, key: Scalar, node: Node, build: Callable[[str, Node], T]) -> T:
    _check_name(key, name)
    return build(name, node)


def _check_name(node: Node, name: str) -> None:
    if not COMPONENT_NAME.fullmatch(name):
        what = f"{_named(node)} can't be a component's name"
        fix = "names have letters, digits, _, - and ., begin with a letter, a digit or _, and have at most 64 characters"
        raise Misfits([at_value(node, _WRONG, what, fix=fix)])


def _named(node: Node) -> str:
    """A name for a message; never one that came from elsewhere."""
    assert isinstance(node, Scalar)
    return f"that came from {node.origin}" if node.origin else f"`{terminal_safe(node.text[:80])}`"


def _is_remote(type: ComponentType) -> bool:
    """`Sink.remote` of the class; a factory that imports its class late says it itself, or its config class does."""
    return bool(getattr(type.factory, "remote", getattr(type.config, "remote", True)))


def _long_form(node: Scalar) -> Table:
    """``format: NAME`` as ``format: {type: NAME}``."""
    key = attrs.evolve(node, path=(*node.path, "type"), text="type", value="type")
    value = attrs.evolve(node, path=(*node.path, "type"))
    return Table(start=node.start, end=node.end, path=node.path, entries={"type": (key, value)}, holder=node)


def _key_of(table: Table) -> Scalar:
    """A scalar that stands where the mapping does."""
    return table.holder or Scalar(start=table.start, end=table.start, path=table.path, text="", value=None)
