"""The hooks of this plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yaat_core.hookspecs import hookimpl
from yaat_plugin_stdout.config import StdoutConfig

if TYPE_CHECKING:
    from yaat_core.components import Context, Sink
    from yaat_core.registry import Register


@hookimpl
def register_components(register: Register) -> None:
    """Provide the sink type `stdout`."""
    register.sink("stdout", StdoutConfig, _make)


def _make(config: StdoutConfig, context: Context) -> Sink:
    from yaat_plugin_stdout.sink import StdoutSink

    return StdoutSink(config, context)
