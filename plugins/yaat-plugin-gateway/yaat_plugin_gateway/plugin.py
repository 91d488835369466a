"""The hooks of this plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yaat_core import hookimpl

if TYPE_CHECKING:
    from yaat_core import Context, Register, Source
    from yaat_plugin_gateway.config import GatewayConfig


@hookimpl
def register_components(register: Register) -> None:
    """Provide `gateway`."""
    from yaat_plugin_gateway.config import GatewayConfig

    register.source("gateway", GatewayConfig, _make)


def _make(config: GatewayConfig, context: Context) -> Source:
    from yaat_plugin_gateway.parts import open_parts
    from yaat_plugin_gateway.source import GatewaySource

    return GatewaySource(config, context, open_parts)
