"""The hooks of this plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yaat_core.hookspecs import hookimpl
from yaat_plugin_cloud.config import CloudConfig

if TYPE_CHECKING:
    from yaat_core.components import Context, Sink
    from yaat_core.registry import Register


@hookimpl
def register_components(register: Register) -> None:
    """Provide the sink type `cloud`."""
    register.sink("cloud", CloudConfig, _make)


def _make(config: CloudConfig, context: Context) -> Sink:
    from yaat_plugin_cloud.sink import CloudSink

    return CloudSink(config, context)
