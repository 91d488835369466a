"""Makes components from their configuration: contexts, chains, and the components themselves."""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping
from typing import Any

import attrs

from yaat_core.components import Ask, ComponentId, Context, nobody_to_ask
from yaat_core.config.model import Configuration, Entry, ProcessorEntry, SourceEntry
from yaat_core.errors import PluginError
from yaat_core.pipeline.chain import Chain, Report, Step
from yaat_core.pipeline.defaults import Defaults
from yaat_core.stats import ComponentStats, Stats


@attrs.frozen(kw_only=True)
class Workshop:
    """Everything that making a component takes."""

    configuration: Configuration
    agent_id: bytes
    stats: Stats
    once: bool = False
    query: Ask = nobody_to_ask
    """How components ask the agent's database."""
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

    def chains(self, report: Report) -> dict[str, Chain]:
        """By component name of the source: what its batches go through."""
        steps = [(entry, self._step(entry)) for entry in self.configuration.processors]
        parsers = {name: self._step(entry) for name, entry in self.configuration.formats.items()}
        return {
            str(source.id): Chain(
                parsers=parsers,
                parser=self._step(source.format) if source.format else None,
                defaults=self._defaults(source),
                steps=[step for entry, step in steps if _applies(entry, source)],
                report=report,
            )
            for source in self.configuration.sources.values()
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


def _applies(entry: ProcessorEntry, source: SourceEntry) -> bool:
    return entry.sources is None or source.id.name in entry.sources
