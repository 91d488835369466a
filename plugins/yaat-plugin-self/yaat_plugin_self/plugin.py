"""The hooks of this plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yaat_core import hookimpl
from yaat_plugin_self.config import AgentConfig

if TYPE_CHECKING:
    from yaat_core import Context, Register, Source


@hookimpl
def register_components(register: Register) -> None:
    """Provide the source type `agent`."""
    register.source("agent", AgentConfig, _make)


def _make(config: AgentConfig, context: Context) -> Source:
    from yaat_plugin_self.source import AgentSource

    return AgentSource(config, context)
