"""The hooks of this plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yaat_core import hookimpl

if TYPE_CHECKING:
    from yaat_core import Context, Register, Source
    from yaat_plugin_file.config import FileConfig


@hookimpl
def register_components(register: Register) -> None:
    """Provide `file`."""
    from yaat_plugin_file.config import FileConfig

    register.source("file", FileConfig, _make)


def _make(config: FileConfig, context: Context) -> Source:
    from yaat_plugin_file.source import FileSource

    return FileSource(config, context)
