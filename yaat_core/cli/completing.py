"""What the shell completes beyond commands and options: names out of the configuration and the state directory.

A key press waits for it: nothing heavy is imported, no plugin is loaded, and what can't be read completes to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from yaat_core.errors import YaatError

if TYPE_CHECKING:
    from yaat_core.config.nodes import Node, Table

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def components(kind: str) -> Complete:
    """Names of configured ``sources``, ``processors`` or ``sinks``, those of included files too."""

    def complete(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
        return _items(_named(_root(ctx), kind), typed)

    return complete


def points(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Where `yaat tap` can look: ``KIND.NAME`` of every component, bare names, and the queue."""
    root = _root(ctx)
    found = [("queue", "what the queue takes")]
    for kind in ("sources", "processors", "sinks"):
        named = list(_named(root, kind))
        found += [(f"{kind}.{name}", about) for name, about in named]
        found += [(name, f"{kind[:-1]} {about}") for name, about in named]
    return _items(found, typed)


def types(kind: str) -> Complete:
    """Types of components that installed plugins provide."""

    def complete(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
        from yaat_core import manifest

        return _items(
            (found for one in manifest.discover() for found in one.components.get(kind, {}).items()), typed
        )

    return complete


def keys(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """Paths of the keys that the configuration has: ``sources.app.paths``."""
    return _items(((path, "") for path in _paths(_root(ctx), "")), typed)


def assignments(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    """As `keys`, each with the ``=`` that a value follows."""
    return _items(((f"{path}=", "") for path in _paths(_root(ctx), "")), typed)


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


def _root(ctx: click.Context) -> Table | None:
    """The configuration with the files that it includes, not checked."""
    from yaat_core.config.including import read
    from yaat_core.config.nodes import Table

    try:
        path = _file(ctx)
        root = None if path is None else read(path).document.root
    except (OSError, ValueError, YaatError):
        return None
    return root if isinstance(root, Table) else None


def _named(root: Table | None, kind: str) -> Iterator[tuple[str, str]]:
    """Names and types of the components of a kind; a processor is called by its type when it has no name."""
    from yaat_core.config.nodes import Items, Table

    section = root.get(kind) if root is not None else None
    if isinstance(section, Table):
        for name, (_, about) in section.entries.items():
            yield name, _text(about, "type")
    for item in section.nodes if isinstance(section, Items) else ():
        name = _text(item, "name") or _text(item, "type")
        if name:
            yield name, _text(item, "type")


def _paths(node: Node | None, before: str) -> Iterator[str]:
    from yaat_core.config.nodes import Items, Table

    if isinstance(node, Table):
        for name, (_, value) in node.entries.items():
            yield from _paths(value, f"{before}.{name}" if before else name)
    elif isinstance(node, Items) and before == "processors":
        for item in node.nodes:
            name = _text(item, "name") or _text(item, "type")
            yield from _paths(item, f"{before}.{name}") if name else ()
    elif before:
        yield before


def _text(node: Node, key: str) -> str:
    from yaat_core.config.nodes import Scalar, Table

    value = node.get(key) if isinstance(node, Table) else None
    return value.text if isinstance(value, Scalar) else ""


def _state_dir(ctx: click.Context) -> Path:
    from yaat_core.config import finding

    try:
        path = _file(ctx)
        found = None if path is None else finding.state_dir_in(path)
    except YaatError:
        found = None
    return found or finding.default_state_dir()
