"""Configuration: text to typed values, every error with its place.

    nodes.py          the YAML tree that knows where each value stands
    parsing.py        text to tree, strictly
    text.py           a file as text
    including.py      the file and those that it includes, as one tree
    interpolation.py  ${env:...}, ${file:...}, ${secret:...}
    structure.py      tree to config classes (options.py says how those are written)
    assembly.py       config classes to `model.Configuration`
    problems.py       what is wrong, and how it is told

What stands here loads its modules when called, since every plugin imports `yaat_core.config.options`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from yaat_core.config.model import Configuration
    from yaat_core.plugins import Plugins


def find_config(explicit: str | Path | None = None, environ: Mapping[str, str] | None = None) -> Path | None:
    """See `finding.find_config`."""
    from yaat_core.config import finding

    return finding.find_config(explicit, environ)


def disabled_in(path: Path | None) -> tuple[str, ...]:
    """See `finding.disabled_in`."""
    from yaat_core.config import finding

    return finding.disabled_in(path)


def state_dir_in(path: Path, environ: Mapping[str, str] | None = None) -> Path | None:
    """See `finding.state_dir_in`."""
    from yaat_core.config import finding

    return finding.state_dir_in(path, environ)


def written_at(path: Path | None, environ: Mapping[str, str] | None = None) -> Path:
    """See `finding.written_at`."""
    from yaat_core.config import finding

    return finding.written_at(path, environ)


def default_state_dir(environ: Mapping[str, str] | None = None) -> Path:
    """See `finding.default_state_dir`."""
    from yaat_core.config import finding

    return finding.default_state_dir(environ)


def load(
    path: Path | None,
    plugins: Plugins,
    *,
    environ: Mapping[str, str] | None = None,
    detect: bool = True,
    texts: Mapping[Path, str] | None = None,
) -> Configuration:
    """See `loading.load`."""
    from yaat_core.config import loading

    return loading.load(path, plugins, environ=environ, detect=detect, texts=texts)


def show(configuration: Configuration) -> dict[str, Any]:
    """See `showing.show`."""
    from yaat_core.config import showing

    return showing.show(configuration)


def schema(plugins: Plugins) -> dict[str, Any]:
    """See `json_schema.schema`."""
    from yaat_core.config import json_schema

    return json_schema.schema(plugins)
