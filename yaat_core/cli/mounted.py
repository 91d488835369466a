"""Commands that plugins bring: known from their manifests, imported when called."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

import attrs
import click

from yaat_core.errors import PluginError


@attrs.frozen
class Mounted:
    """A command as its manifest tells of it."""

    distribution: str
    summary: str
    target: str


def plugin_commands() -> Mapping[str, Mounted]:
    """Every command of every installed plugin, by name; of two with one name the first distribution's."""
    from yaat_core import manifest

    found: dict[str, Mounted] = {}
    for one in manifest.discover():
        if one.selection != "selected":
            continue
        for name, (summary, target) in one.commands.items():
            found.setdefault(name, Mounted(one.distribution, summary, target))
    return found


def load_plugin_command(name: str) -> click.Command | None:
    """Import a plugin's command; None when no plugin has it. One that can't be imported says so when it is run."""
    known = plugin_commands().get(name)
    if known is None:
        return None
    try:
        return _imported(known)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - told when the command is run
        return _broken(name, known, error)


def _imported(known: Mounted) -> click.Command:
    module, _, attribute = known.target.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    if not isinstance(found, click.Command):
        raise TypeError(f"{known.target} is no click command")
    return found


def _broken(name: str, known: Mounted, error: BaseException) -> click.Command:
    why = f"{type(error).__name__}: {error}"

    def fail() -> None:
        raise PluginError(
            f"the command `{name}` of {known.distribution} can't be loaded: {why}",
            where=known.target,
            effect="every other command works",
            fix=f"reinstall or update {known.distribution}, or uninstall it",
        )

    settings = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}
    return click.Command(name, callback=fail, context_settings=settings, add_help_option=False)
