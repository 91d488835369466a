"""Which component types exist: filled by plugins through `register_components`, read by the configuration."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from yaat_core.components import Context, Kind, Processor, Queue, Sink, Source
from yaat_core.errors import PluginError


@attrs.frozen(kw_only=True)
class ComponentType:
    """A name that `type:` may have, with its config class and the factory that makes the component."""

    kind: Kind
    name: str
    config: type
    factory: Callable[[Any, Context], Any]
    distribution: str

    @property
    def summary(self) -> str:
        """First line of the config class's docstring."""
        return (self.config.__doc__ or "").strip().partition("\n")[0]

    @property
    def is_format(self) -> bool:
        """Does it read lines, so that a source's ``format`` may name it? See `Processor.is_format`."""
        return self.kind == "processors" and self._says("is_format")

    @property
    def reads_lines(self) -> bool:
        """See `Source.reads_lines`."""
        return self.kind == "sources" and self._says("reads_lines")

    @property
    def default_format(self) -> str:
        """See `Source.default_format`."""
        said = getattr(self.factory, "default_format", getattr(self.config, "default_format", ""))
        return str(said) if self.kind == "sources" else ""

    @property
    def single(self) -> bool:
        """See `Source.single`."""
        return self.kind == "sources" and self._says("single")

    def _says(self, what: str) -> bool:
        return bool(getattr(self.factory, what, getattr(self.config, what, False)))


class Registry:
    """All component types by (kind, name)."""

    def __init__(self) -> None:
        self._types: dict[tuple[Kind, str], ComponentType] = {}

    def add(self, new: ComponentType) -> None:
        """Add one.

        Raises:
            PluginError: the name is taken; names both distributions.
        """
        taken = self._types.get((new.kind, new.name))
        if taken is not None:
            raise PluginError(
                f"{new.kind} type `{new.name}` is registered twice, by {taken.distribution} and by {new.distribution}",
                fix=f"uninstall one of them, or write `plugins: {{disable: [...]}}` for {new.distribution}",
            )
        self._types[new.kind, new.name] = new

    def find(self, kind: Kind, name: str) -> ComponentType | None:
        """The type, or None."""
        return self._types.get((kind, name))

    def names(self, kind: Kind) -> list[str]:
        """Every type of a kind, sorted."""
        return sorted(name for known, name in self._types if known == kind)

    def formats(self) -> list[str]:
        """Every processor type that a source's ``format`` may name, sorted."""
        return sorted(type.name for type in self._types.values() if type.is_format)

    def nearest(self, kind: Kind, name: str) -> str | None:
        """The type that ``name`` was perhaps meant to be."""
        return next(iter(difflib.get_close_matches(name, self.names(kind), 1)), None)

    @property
    def types(self) -> Mapping[tuple[Kind, str], ComponentType]:
        """All of them."""
        return dict(self._types)

    def remove(self, distribution: str) -> None:
        """Take out what a distribution registered (it failed half-way)."""
        self._types = {key: kept for key, kept in self._types.items() if kept.distribution != distribution}


@attrs.frozen
class Register:
    """What a plugin's `register_components` gets: one method a kind, checked on the spot.

    ``config`` is an attrs class (see `yaat_core.config.options`), ``factory`` takes
    ``(config, context)``; the component class itself will do when its constructor does.
    """

    registry: Registry
    distribution: str

    def source(self, name: str, config: type, factory: Callable[[Any, Context], Source]) -> None:
        """Provide a source type."""
        self._add("sources", name, config, factory)

    def processor(self, name: str, config: type, factory: Callable[[Any, Context], Processor]) -> None:
        """Provide a processor type; one that `is_format` may also be named as a source's ``format``."""
        self._add("processors", name, config, factory)

    def queue(self, name: str, config: type, factory: Callable[[Any, Context], Queue]) -> None:
        """Provide a queue type."""
        self._add("queue", name, config, factory)

    def sink(self, name: str, config: type, factory: Callable[[Any, Context], Sink]) -> None:
        """Provide a sink type."""
        self._add("sinks", name, config, factory)

    def _add(self, kind: Kind, name: str, config: type, factory: Callable[[Any, Context], Any]) -> None:
        if not name.replace("_", "").replace("-", "").isalnum() or name != name.lower():
            raise PluginError(
                f"{self.distribution}: `{name}` is no name for a {kind} type (lower-case letters, digits, - and _)"
            )
        if not attrs.has(config):
            raise PluginError(f"{self.distribution}: the config of `{name}` is no attrs class: {config!r}")
        self.registry.add(
            ComponentType(
                kind=kind, name=name, config=config, factory=factory, distribution=self.distribution
            )
        )
