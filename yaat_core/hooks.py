"""A hook of every plugin, each asked by itself, so that one that fails does not take the answers of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from yaat_core.display import terminal_safe

if TYPE_CHECKING:
    from yaat_core.plugins import Plugins


@attrs.frozen
class Answer:
    """What one plugin answered."""

    plugin: str
    value: Any


@attrs.frozen
class Failure:
    """A plugin whose hook raised."""

    plugin: str
    why: str


def ask_each(plugins: Plugins, hook: str, **arguments: Any) -> tuple[list[Answer], list[Failure]]:
    """The answers that there are, and the plugins that failed."""
    manager = plugins.manager
    found: list[Answer] = []
    failed: list[Failure] = []
    for impl in getattr(manager.hook, hook).get_hookimpls():
        others = [plugin for plugin in manager.get_plugins() if plugin is not impl.plugin]
        try:
            values = manager.subset_hook_caller(hook, others)(**arguments)
        except Exception as error:  # noqa: BLE001 - the caller tells it
            failed.append(
                Failure(impl.plugin_name, f"{type(error).__name__}: {terminal_safe(str(error)[:200])}")
            )
        else:
            found += [Answer(impl.plugin_name, value) for value in values]
    return found, failed
