"""The hooks of this plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yaat_core import hookimpl

if TYPE_CHECKING:
    from yaat_core import Context, Register, Source
    from yaat_plugin_hostmetrics.config import HostMetricsConfig


@hookimpl
def register_components(register: Register) -> None:
    """Provide `hostmetrics`."""
    from yaat_plugin_hostmetrics.config import HostMetricsConfig

    register.source("hostmetrics", HostMetricsConfig, _make)


def _make(config: HostMetricsConfig, context: Context) -> Source:
    from yaat_plugin_hostmetrics.source import HostMetricsSource

    return HostMetricsSource(config, context)
