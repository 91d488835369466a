"""The hooks of this plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yaat_core.hookspecs import hookimpl
from yaat_plugin_scrub.config import ScrubConfig

if TYPE_CHECKING:
    from yaat_core.components import Context, Processor
    from yaat_core.registry import Register


@hookimpl
def register_components(register: Register) -> None:
    """Provide the processor type `scrub`."""
    register.processor("scrub", ScrubConfig, _make)


def _make(config: ScrubConfig, context: Context) -> Processor:
    from yaat_plugin_scrub.scrub import Scrub

    return Scrub(config, context)
