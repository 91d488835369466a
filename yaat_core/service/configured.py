"""What the service's configuration says, as the service will read it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from yaat_core import config
from yaat_core.config import including
from yaat_core.config.model import Configuration
from yaat_core.config.nodes import Scalar, Table
from yaat_core.config.problems import ConfigError
from yaat_core.plugins import Plugins, load_plugins
from yaat_core.service import unit
from yaat_core.service.facts import Facts

_ADVICE = (
    "the service needs it: `Environment=`, `EnvironmentFile=` or `LoadCredential=` by `systemctl edit yaat`"
)
#: Seconds of a `shutdown_grace` that can't be read yet: longer than the usual, to be safe.
_GRACE = 60.0
#: A reference that can't be resolved, such as ${env:KEY}.
_UNRESOLVED = "YAAT-E105"
#: What a service has of an environment.
_SERVICE: Mapping[str, str] = {"STATE_DIRECTORY": str(unit.STATE_DIR), "HOME": str(unit.STATE_DIR)}


@attrs.frozen(kw_only=True)
class Configured:
    """Of the configuration: where its state is, its `shutdown_grace` in seconds, what the service would miss of it."""

    state_dir: Path
    grace: float
    notes: Sequence[str] = ()


def read(path: Path) -> Configured:
    """The configuration as the service reads it. What only your own environment resolves is a note.

    Raises:
        ConfigError: it is wrong.
    """
    plugins = load_plugins(config.disabled_in(path))
    try:
        whole = _load(path, plugins, {**_SERVICE, "PATH": os.environ.get("PATH", "")})
        return Configured(state_dir=whole.state_dir, grace=float(whole.shutdown_grace))
    except ConfigError as error:
        if any(one.code != _UNRESOLVED for one in error.problems):
            raise
        notes = [f"{one.what}: {_ADVICE}" for one in error.problems]
    try:
        whole = _load(path, plugins, {**os.environ, **_SERVICE})
    except ConfigError:
        return Configured(state_dir=_written_state_dir(path), grace=_GRACE, notes=notes)
    return Configured(state_dir=whole.state_dir, grace=float(whole.shutdown_grace), notes=notes)


def _written_state_dir(path: Path) -> Path:
    """`state_dir` as it is written in the file."""
    root = including.read(path).document.root
    node = root.get("state_dir") if isinstance(root, Table) else None
    return path.parent / node.text if isinstance(node, Scalar) and node.text else unit.STATE_DIR


def _load(path: Path, plugins: Plugins, environ: Mapping[str, str]) -> Configuration:
    return config.load(path, plugins, environ=environ, detect=False)


def installed(facts: Facts) -> Path | None:
    """The configuration of the service that is installed."""
    return unit.config_of(facts.unit.text) if facts.unit is not None and facts.unit.ours else None
