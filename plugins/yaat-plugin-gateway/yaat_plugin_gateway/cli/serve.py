"""`yaat gateway serve`: the agent, with a gateway for its source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs
import click

from yaat_core import early
from yaat_core.cli.door import Door, command
from yaat_core.cli.run import log_to_stderr

if TYPE_CHECKING:
    from yaat_core.config.model import Configuration
    from yaat_core.plugins import Plugins

#: The source of a configuration that has none of this type.
_NAME: Final = "ingest"
_TYPE: Final = "gateway"


@command(
    "serve",
    example="yaat gateway serve\nyaat gateway serve -c /etc/yaat/gateway.yaml\nyaat gateway keys create web-agents",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="How much it says on stderr.",
)
@click.pass_obj
def serve(door: Door, *, log_level: str) -> int:
    """Serve the ingest API in the foreground.

    It is an agent that listens: what comes in passes the processors, the queue and the sinks of the configuration. One
    without a source of type `gateway`, or none at all, is run with a gateway on 127.0.0.1:8320 as its only source. SIGTERM
    or Ctrl-C drains and stops; a second one stops at once.
    """
    log_to_stderr(log_level)
    early.listen()
    from yaat_core import agent, config
    from yaat_core.plugins import load_plugins

    path = config.find_config(door.config_file)
    plugins = load_plugins(config.disabled_in(path))
    configuration = config.load(path, plugins, detect=False)
    for warning in configuration.warnings:
        door.note(warning.render())
    return agent.run(with_gateway(configuration, plugins, door), plugins)


def with_gateway(configuration: Configuration, plugins: Plugins, door: Door) -> Configuration:
    """The configuration itself when it has a gateway, else with one as its only source."""
    from yaat_core.components import ComponentId
    from yaat_core.config.model import SourceEntry

    if any(entry.type.name == _TYPE for entry in configuration.sources.values()):
        return configuration
    if "sources" not in configuration.default_sections:
        door.note(
            f"{configuration.path} has no source of type gateway: one with its defaults is served, and the others are not read"
        )
    type = plugins.registry.find("sources", _TYPE)
    assert type is not None, "this command is part of the plugin that provides it"
    entry = SourceEntry(id=ComponentId("sources", _NAME), type=type, options=type.config())
    return attrs.evolve(configuration, sources={_NAME: entry})
