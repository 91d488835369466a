"""A plugin that is not to be loaded any more, or is again: what that is as a change of `plugins.disable`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from yaat_core.manifest import normalized
from yaat_core.plugins import PluginState

KEY: Final = "plugins.disable"


def listed(disabled: Sequence[str], one: PluginState) -> bool:
    """Does the list name the plugin, by its distribution or its entry point?"""
    return bool({normalized(name) for name in disabled} & _names(one))


def change(disabled: Sequence[str], one: PluginState, *, off: bool) -> list[str]:
    """The new list, without the plugin or with it (``off``). A loose file is named by its plugin, not by its folder."""
    kept = [name for name in disabled if normalized(name) not in _names(one)]
    loose = "/" in one.distribution
    return [*kept, one.name if loose else one.distribution] if off else kept


def users(one: PluginState, configuration: Mapping[str, Any]) -> list[str]:
    """What of a configuration (as `config.show` tells it) needs the plugin: ``sources.app``, ``queue``."""
    found = []
    for kind in ("sources", "sinks"):
        types = one.components.get(kind, {})
        section = configuration.get(kind) or {}
        found += [f"{kind}.{name}" for name, options in section.items() if options.get("type") in types]
    for options in configuration.get("processors") or ():
        if options.get("type") in one.components.get("processors", {}):
            found.append(f"processors.{options.get('name') or options['type']}")
    if (configuration.get("queue") or {}).get("type") in one.components.get("queue", {}):
        found.append("queue")
    return found


def _names(one: PluginState) -> set[str]:
    return {normalized(one.distribution), normalized(one.name)}
