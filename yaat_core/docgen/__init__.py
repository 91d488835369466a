"""Documents made from the code: ``python -m yaat_core.docgen [--check]``, from the root of the repository.

    docs/schema.md            from `yaat_core.event`
    docs/configuration.md     from the config classes of the core and of every plugin in the tree
    docs/errors.md            from `yaat_core.codes`
    docs/hooks.md             from `yaat_core.hookspecs`
    plugins/*/README.md       the tables between ``<!-- options:KIND.TYPE -->`` and ``<!-- /options -->``

What stands between ``<!-- NAME -->`` and ``<!-- /NAME -->`` in a page under docs is written by hand and kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from yaat_core.docgen import pages, readmes
from yaat_core.errors import PluginError
from yaat_core.plugins import Plugins, load_plugins

_NOTE: Final = "<!-- Written by `make fix` from the code; the parts between markers are kept. -->\n\n"

#: By path from the root.
_PAGES: Final[Mapping[str, Callable[[Plugins, pages.Kept], str]]] = {
    "docs/schema.md": pages.schema,
    "docs/configuration.md": pages.configuration,
    "docs/errors.md": pages.errors,
    "docs/hooks.md": pages.hooks,
}


def documents(root: Path) -> Iterator[tuple[Path, str]]:
    """Every generated document, as it should be.

    Raises:
        PluginError: a plugin of the tree is not installed or does not load, so its options are not known.
    """
    plugins = _plugins_of(root)
    for name, page in _PAGES.items():
        path = root / name
        written = path.read_text(encoding="utf-8") if path.exists() else ""
        yield path, _NOTE + page(plugins, pages.Kept(written))
    for path in sorted(root.glob("plugins/*/README.md")):
        yield path, readmes.with_tables(path.read_text(encoding="utf-8"), plugins, str(path))


def stale(root: Path) -> list[Path]:
    """Documents that are not as they should be."""
    return [
        path
        for path, text in documents(root)
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def write(root: Path) -> list[Path]:
    """Write those that changed; returns their paths."""
    changed = []
    for path, text in documents(root):
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


def _plugins_of(root: Path) -> Plugins:
    """The plugins of this tree, and no other that happens to be installed."""
    names = sorted(path.parent.name for path in root.glob("plugins/yaat-plugin-*/pyproject.toml"))
    plugins = load_plugins(environ={"YAAT_LOAD_PLUGINS": ",".join(names)})
    loaded = {state.distribution: state for state in plugins.states}
    for name in names:
        state = loaded.get(name)
        if state is None or state.state != "loaded":
            why = state.reason if state else "it is not installed"
            raise PluginError(f"{name} does not load, so its options are not known: {why}", fix="make test")
    return plugins
