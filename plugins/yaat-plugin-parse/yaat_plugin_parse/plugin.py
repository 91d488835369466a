"""The hooks of this plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from yaat_core.hookspecs import hookimpl
from yaat_plugin_parse import config

if TYPE_CHECKING:
    from yaat_core.components import Context, Processor
    from yaat_core.registry import Register


@hookimpl
def register_components(register: Register) -> None:
    """Provide the formats."""
    register.processor("auto", config.AutoConfig, _make)
    register.processor("json", config.JsonConfig, _make)
    register.processor("nginx", config.NginxConfig, _make)
    register.processor("python", config.PythonConfig, _make)
    register.processor("raw", config.RawConfig, _make)
    register.processor("regex", config.RegexConfig, _make)


def _make(options: Any, context: Context) -> Processor:
    from yaat_plugin_parse.step import ParseStep

    return ParseStep(options, context)
