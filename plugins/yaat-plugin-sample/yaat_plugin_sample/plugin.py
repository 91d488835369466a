"""The hooks of this plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yaat_core.hookspecs import hookimpl
from yaat_plugin_sample.config import DedupeConfig, FilterConfig, SampleConfig, ThrottleConfig

if TYPE_CHECKING:
    from yaat_core.components import Context, Processor
    from yaat_core.registry import Register


@hookimpl
def register_components(register: Register) -> None:
    """Provide the processor types."""
    register.processor("filter", FilterConfig, _filter)
    register.processor("sample", SampleConfig, _sample)
    register.processor("throttle", ThrottleConfig, _throttle)
    register.processor("dedupe", DedupeConfig, _dedupe)


def _filter(config: FilterConfig, _context: Context) -> Processor:
    from yaat_plugin_sample.filtering import Filter

    return Filter(config)


def _sample(config: SampleConfig, _context: Context) -> Processor:
    from yaat_plugin_sample.sampling import Sample

    return Sample(config)


def _throttle(config: ThrottleConfig, _context: Context) -> Processor:
    from yaat_plugin_sample.throttling import Throttle

    return Throttle(config)


def _dedupe(config: DedupeConfig, _context: Context) -> Processor:
    from yaat_plugin_sample.repeats import Dedupe

    return Dedupe(config)
