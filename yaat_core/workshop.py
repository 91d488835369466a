"""Makes components from their configuration: contexts, chains, and the components themselves."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import attrs

from yaat_core.components import Ask, ComponentId, Context, nobody_to_ask
from yaat_core.config.model import Configuration, Entry, ProcessorEntry, SourceEntry
from yaat_core.errors import PluginError
from yaat_core.happenings import Diary
from yaat_core.pipeline.chain import Chain, Report, Step
from yaat_core.pipeline.defaults import Defaults
from yaat_core.stats import ComponentStats, Stats

#: What a processor is there for, and its name or that of its source.
Place = tuple[Literal["processor", "format", "source"], str]


@attrs.frozen(eq=False)
class Steps:
    """Processors in place: what each was made from, and itself."""

    made: Mapping[Place, tuple[tuple[Any, ...], Step]]

    def at(self, kind: Literal["processor", "format", "source"], name: str) -> Step:
        """The one of `processors`, the one of a format that a label may name, or a source's own."""
        return self.made[kind, name][1]

    def all(self) -> list[Step]:
        """Every one."""
        return [step for _, step in self.made.values()]


@attrs.frozen(kw_only=True)
class Workshop:
    """Everything that making a component takes."""

    configuration: Configuration
    agent_id: bytes
    stats: Stats
    once: bool = False
    query: Ask = nobody_to_ask
    """How components ask the agent's database."""
    diary: Diary = attrs.field(factory=Diary)
    """What happened to the agent."""
    host_name: str = attrs.field(factory=socket.gethostname)

    def context(self, id: ComponentId) -> Context:
        """What a component is told."""
        return Context(
            id=id,
            agent_id=self.agent_id,
            host_name=self.host_name,
            state_dir=self.configuration.state_dir,
            config_dir=self.configuration.config_dir,
            stats=ComponentStats(self.stats, str(id)),
            log=logging.getLogger(f"yaat.{id}"),
            once=self.once,
            query=self.query,
            diary=self.diary,
        )

    def make(self, entry: Entry) -> Any:
        """The component of an entry.

        Raises:
            PluginError: its factory raised.
        """
        try:
            return entry.type.factory(entry.options, self.context(entry.id))
        except Exception as error:
            raise PluginError(
                f"{entry.id} could not be made: {type(error).__name__}: {error}",
                cause=f"the factory of `{entry.type.name}` in {entry.type.distribution} raised",
            ) from error

    def steps(self, before: Steps | None = None) -> Steps:
        """The processors of the configuration. One that was configured in the same way before is the same object still.

        Raises:
            PluginError: one can't be made.
        """
        whole, known = self.configuration, before.made if before else {}
        made: dict[Place, tuple[tuple[Any, ...], Step]] = {}
        try:
            for place, entry, beside in _places(whole):
                kept = known.get(place)
                signature = (entry.id, entry.type, entry.options, *beside)
                same = kept is not None and alike(kept[0], signature)
                made[place] = (signature, kept[1] if kept and same else self._step(entry))
        except BaseException:
            for place, (_, step) in made.items():
                if place not in known or known[place][1] is not step:
                    step.processor.close()
            raise
        return Steps(made)

    def chains(self, steps: Steps, report: Report) -> dict[str, Chain]:
        """By component name of the source: what its batches go through."""
        whole = self.configuration
        parsers = {name: steps.at("format", name) for name in whole.formats}
        return {
            str(source.id): Chain(
                parsers=parsers,
                parser=steps.at("source", name) if source.format else None,
                defaults=self._defaults(source),
                steps=[
                    steps.at("processor", entry.id.name)
                    for entry in whole.processors
                    if _applies(entry, source)
                ],
                report=report,
            )
            for name, source in whole.sources.items()
        }

    def _step(self, entry: ProcessorEntry) -> Step:
        return Step(entry.id, self.make(entry), ComponentStats(self.stats, str(entry.id)))

    def _defaults(self, source: SourceEntry) -> Defaults:
        whole = self.configuration
        tags: Mapping[str, str] = {**whole.tags, **source.tags}
        return Defaults(
            service_name=source.service_name or whole.service_name,
            environment=source.environment or whole.environment,
            organization_id=whole.organization_id,
            host_name=self.host_name,
            tags=tags,
            reserved={"yaat.source": str(source.id)},
        )


def _places(whole: Configuration) -> Iterator[tuple[Place, ProcessorEntry, tuple[Any, ...]]]:
    """Where processors stand, and what else their state depends on: a source's own format learns from that source."""
    for entry in whole.processors:
        yield ("processor", entry.id.name), entry, ()
    for name, entry in whole.formats.items():
        yield ("format", name), entry, ()
    for name, source in whole.sources.items():
        if source.format is not None:
            yield ("source", name), source.format, (source.type, source.options)


def alike(one: Any, other: Any) -> bool:
    """Do two configured things say the same? What can't be compared is another."""
    try:
        return bool(one == other)
    except Exception:  # noqa: BLE001 - options are a guest's
        return False


def _applies(entry: ProcessorEntry, source: SourceEntry) -> bool:
    return entry.sources is None or source.id.name in entry.sources
