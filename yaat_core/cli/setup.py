"""From a command's options to a configuration, plugins and the agent's API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from yaat_core.cli.door import Door

if TYPE_CHECKING:
    from pathlib import Path

    from yaat_core.config.model import Configuration
    from yaat_core.control.client import Client
    from yaat_core.plugins import Plugins
    from yaat_core.workshop import Workshop


@attrs.frozen
class Setup:
    """A checked configuration and the plugins that it was checked with."""

    configuration: Configuration
    plugins: Plugins


def load(door: Door) -> Setup:
    """Find the file, load the plugins, read the configuration.

    Raises:
        ConfigError: all its problems.
        PluginError: plugins that can't work together.
    """
    from yaat_core import config
    from yaat_core.plugins import load_plugins

    path = config.find_config(door.config_file)
    plugins = load_plugins(config.disabled_in(path))
    return Setup(config.load(path, plugins), plugins)


def disabled(door: Door) -> tuple[str, ...]:
    """What ``plugins.disable`` says, without checking the rest of the configuration."""
    from yaat_core import config

    return config.disabled_in(config.find_config(door.config_file))


def client(door: Door) -> Client:
    """The API of the agent that runs with this configuration."""
    from yaat_core.control.client import Client

    return Client(reach(door))


def reach(door: Door) -> Path:
    """The state directory of the agent that runs with this configuration, also when the file is not valid any more.

    Raises:
        ConfigError: all its problems, and no agent runs in the state directory that it names.
    """
    from yaat_core import config
    from yaat_core.config.problems import ConfigError

    try:
        return load(door).configuration.state_dir
    except ConfigError as error:
        path = config.find_config(door.config_file)
        state_dir = config.state_dir_in(path) if path is not None else None
        if state_dir is None or not _held(state_dir):
            raise
        door.note(
            f"{error.what}: asking the agent that runs with what it was before; `yaat validate` tells more"
        )
        return state_dir


def _held(state_dir: Path) -> bool:
    from yaat_core.control.lock import holder

    try:
        return holder(state_dir) is not None
    except OSError:
        return True  # somebody else's: the socket tells


def workshop(setup: Setup) -> Workshop:
    """Makes components outside of an agent. Where none ever ran there is no agent id, and none is made."""
    from yaat_core import identity
    from yaat_core.stats import Stats
    from yaat_core.workshop import Workshop

    whole = setup.configuration
    agent_id = identity.known(whole.state_dir) or bytes(16)
    return Workshop(configuration=whole, agent_id=agent_id, stats=Stats())
