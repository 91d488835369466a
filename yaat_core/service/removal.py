"""From what is installed to a `Removal`: where the configuration and the data are."""

from __future__ import annotations

from pathlib import Path

from yaat_core import config
from yaat_core.config.finding import default_state_dir
from yaat_core.config.problems import ConfigError
from yaat_core.errors import YaatError
from yaat_core.service import configured, unit
from yaat_core.service.facts import Facts
from yaat_core.service.removing import Removal, is_state_dir


def removal(facts: Facts, given: Path | None, *, everything: bool, keep_data: bool) -> Removal:
    """``given``: a configuration that the person named; else the service's, else the one that is found."""
    path = given or configured.installed(facts)
    if path is None:
        try:
            path = config.find_config()
        except ConfigError:
            path = None
    return Removal(
        config=path.absolute() if path else None,
        state_dir=_state_dir(path),
        everything=everything,
        keep_data=keep_data,
    )


def _state_dir(path: Path | None) -> Path | None:
    """As the configuration says; where that can't be read, the usual place if an agent lived there."""
    if path is not None and path.exists():
        try:
            return configured.read(path).state_dir
        except YaatError:
            pass
    usual = (unit.STATE_DIR, default_state_dir())
    return next((place for place in usual if is_state_dir(place)), None)
