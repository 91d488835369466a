"""The tables in the READMEs of plugins."""

from __future__ import annotations

import re
from typing import Final, get_args

from yaat_core.components import Kind
from yaat_core.docgen import tables
from yaat_core.errors import PluginError
from yaat_core.plugins import Plugins

_MARKED: Final = re.compile(r"(<!-- options:(\w+)\.([\w-]+) -->\n).*?(<!-- /options -->)", re.S)


def with_tables(text: str, plugins: Plugins, path: str) -> str:
    """The README with every marked table made anew.

    Raises:
        PluginError: a marker names a component type that no plugin provides.
    """

    def made(match: re.Match[str]) -> str:
        begin, kind, name, end = match.groups()
        known: tuple[Kind, ...] = get_args(Kind)
        found = next((plugins.registry.find(one, name) for one in known if one == kind), None)
        if found is None:
            raise PluginError(f"no plugin provides `{kind}.{name}`", where=path, fix="correct the marker")
        return f"{begin}{tables.options(found.config)}\n{end}"

    return _MARKED.sub(made, text)
