"""The hooks of this plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yaat_core import hookimpl

if TYPE_CHECKING:
    from yaat_core import Context, Register, Source
    from yaat_plugin_journald.config import JournaldConfig


@hookimpl
def register_components(register: Register) -> None:
    """Provide `journald`."""
    from yaat_plugin_journald.config import JournaldConfig

    register.source("journald", JournaldConfig, _make)


def _make(config: JournaldConfig, context: Context) -> Source:
    from yaat_plugin_journald.source import JournaldSource

    return JournaldSource(config, context)
