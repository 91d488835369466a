"""The hooks of this plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yaat_core import hookimpl

if TYPE_CHECKING:
    from yaat_core import Context, Register, Source
    from yaat_plugin_statsd.config import StatsdConfig


@hookimpl
def register_components(register: Register) -> None:
    """Provide `statsd`."""
    from yaat_plugin_statsd.config import StatsdConfig

    register.source("statsd", StatsdConfig, _make)


def _make(config: StatsdConfig, context: Context) -> Source:
    from yaat_plugin_statsd.source import StatsdSource

    return StatsdSource(config, context)
