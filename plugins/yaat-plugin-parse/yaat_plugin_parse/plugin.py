"""The hooks of this plugin."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from yaat_core.hookspecs import hookimpl

if TYPE_CHECKING:
    from yaat_core.components import Context, Processor
    from yaat_core.registry import Register
    from yaat_plugin_parse.choosing import Chooser
    from yaat_plugin_parse.config import AutoConfig
    from yaat_plugin_parse.formats.table import Entry


@hookimpl
def register_components(register: Register) -> None:
    """Provide a processor type for each format, and `auto`."""
    from yaat_plugin_parse.config import AutoConfig
    from yaat_plugin_parse.formats.table import FORMATS

    for entry in FORMATS:
        register.processor(entry.name, entry.config, partial(_make, entry))
    register.processor("auto", AutoConfig, _make_auto)


def _make(entry: Entry, config: Any, context: Context) -> Processor:
    from yaat_plugin_parse.config import AutoConfig
    from yaat_plugin_parse.processor import ParseProcessor
    from yaat_plugin_parse.zones import zone_of

    timezone = getattr(config, "timezone", "UTC")
    inside = partial(_chooser, AutoConfig(timezone=timezone))
    return ParseProcessor(entry.make(config), zone_of(timezone), context, inside)


def _make_auto(config: AutoConfig, context: Context) -> Processor:
    from yaat_plugin_parse.processor import AutoProcessor
    from yaat_plugin_parse.zones import zone_of

    return AutoProcessor(_chooser(config), zone_of(config.timezone), context)


def _chooser(config: AutoConfig) -> Chooser:
    from yaat_plugin_parse.choosing import Chooser
    from yaat_plugin_parse.formats.table import FORMATS

    return Chooser({entry.name: entry.make_for(config) for entry in FORMATS if entry.guessed})
