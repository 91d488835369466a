"""The hooks of this plugin. Nothing is looked for before a hook is called."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from yaat_core.hookspecs import hookimpl

if TYPE_CHECKING:
    from yaat_core.detection import Detector
    from yaat_core.registry import Register, Registry

_log = logging.getLogger(__name__)


@hookimpl
def register_components(register: Register) -> None:
    """It has no component."""


@hookimpl
def detectors() -> Sequence[Detector]:
    """Servers, databases, containers, the system's log."""
    from yaat_plugin_detect.detectors import DETECTORS

    return DETECTORS


@hookimpl
def default_sources(registry: Registry, detectors: Sequence[Detector]) -> Mapping[str, Mapping[str, Any]]:
    """Sources for the logs of what was found here."""
    from yaat_core.detection import DefaultSources
    from yaat_core.display import terminal_safe
    from yaat_plugin_detect.config import PATIENCE, Place
    from yaat_plugin_detect.found import look, within
    from yaat_plugin_detect.looking import of_refused
    from yaat_plugin_detect.machine import ThisMachine
    from yaat_plugin_detect.sources import plan, proposed

    machine = ThisMachine(Place.of())

    def sources() -> Mapping[str, Mapping[str, Any]]:
        found = look(machine, detectors)
        for failure in found.failures:
            _log.warning("%s", terminal_safe(failure))
        made = plan(found.detections, machine, registry)
        read = {one.name: one.options for one in made.proposals if one.detection.by_default}
        return DefaultSources(read, of_refused(machine, found.detections), proposed(made, found.detections))

    made = within(PATIENCE + 1, sources)
    if made is None:
        raise TimeoutError(f"it took more than {PATIENCE:g} s; a file system may hang")
    return made
