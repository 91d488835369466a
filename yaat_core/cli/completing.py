"""What the shell completes beyond commands and options: names out of the configuration and the state directory.

A key press waits for it: nothing heavy is imported, no plugin is loaded, and what can't be read completes to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from yaat_core.errors import YaatError

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def components(kind: str) -> Complete:
    """Names of configured ``sources``, ``processors`` or ``sinks``."""

    def complete(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
        named = _configuration(ctx).get(kind)
        found = [(name, str(_mapping(about).get("type", ""))) for name, about in _mapping(named).items()]
        return _items(found, typed)

    return complete


def letters(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Ids of dead letters, with their sink."""
    folder = _state_dir(ctx) / "dead"
    return _items(((file.stem, file.parent.name) for file in sorted(folder.glob("*/*.jsonl"))), typed)


def plugins(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Distributions of installed plugins, as their manifests tell."""
    from yaat_core import manifest

    return _items(((one.distribution, "") for one in manifest.discover()), typed)


def codes(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Error codes with their titles."""
    from yaat_core.codes import EXPLANATIONS

    found = ((code, text.partition("\n")[0]) for code, text in EXPLANATIONS.items())
    return _items(found, typed.upper())


def _items(found: Iterable[tuple[str, str]], typed: str) -> list[CompletionItem]:
    return [CompletionItem(name, help=about) for name, about in found if name.startswith(typed)]


def _file(ctx: click.Context) -> Path | None:
    from yaat_core.config.finding import find_config

    step: click.Context | None = ctx
    while step is not None:
        if step.params.get("config_file"):
            return Path(step.params["config_file"])
        step = step.parent
    return find_config(None)


def _configuration(ctx: click.Context) -> Mapping[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        path = _file(ctx)
        text = "" if path is None else path.read_text(encoding="utf-8")
        return _mapping(YAML(typ="safe", pure=True).load(text))
    except (OSError, ValueError, YAMLError, YaatError):
        return {}


def _state_dir(ctx: click.Context) -> Path:
    from yaat_core.config import finding

    try:
        path = _file(ctx)
        found = None if path is None else finding.state_dir_in(path)
    except YaatError:
        found = None
    return found or finding.default_state_dir()


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
