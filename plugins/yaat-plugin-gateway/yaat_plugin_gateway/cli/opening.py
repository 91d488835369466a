"""The state that a command works on: that of the configuration's gateway, or the one that ``--state`` names."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from yaat_core.cli.door import Door
from yaat_core.errors import UsageError

if TYPE_CHECKING:
    import msgspec
    from sqlalchemy import URL

    from yaat_plugin_gateway.state.records import Key
    from yaat_plugin_gateway.state.store import State

    M = TypeVar("M", bound=msgspec.Struct)

F = TypeVar("F", bound=Callable[..., Any])

_NAME: Final = "must have 1 to 200 characters, no control characters, and no spaces around it"
_WORDS: Final = {
    "id": "must have 1 to 64 small letters, digits, - and _, and begin and end with a letter or digit"
}


def state_option(function: F) -> F:
    """``--state URL``."""
    return click.option(
        "--state",
        "where",
        metavar="URL",
        help="The state: a file of SQLite, or postgresql://...; by default that of the configuration's gateway.",
    )(function)


def organization_option(function: F) -> F:
    """``--organization ID``."""
    return click.option(
        "--organization", metavar="ID", help="The organization; may be left out where there is only one."
    )(function)


def span(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """``callback`` of an option with a duration, which is kept as it was written; `never` has none."""
    from yaat_core import Duration

    try:
        if value not in (None, "never"):
            Duration.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return value


@contextmanager
def opened(door: Door, where: str | None, *, make: bool = False) -> Iterator[State]:
    """The state, open while the block lasts. ``make``: where there is none, one is made.

    Raises:
        UsageError: there is no state.
        YaatError: the state can't be used.
    """
    from yaat_plugin_gateway.state.location import located
    from yaat_plugin_gateway.state.store import open_state

    url = located(where, Path()) if where is not None else _configured(door)
    if url.get_backend_name() == "sqlite" and not make and not Path(url.database or "").exists():
        raise UsageError(
            f"there is no state of a gateway yet at {url.database}",
            fix="it is made by `yaat gateway serve`, or with the first key: yaat gateway keys create NAME",
        )
    state = open_state(url, now_us())
    try:
        yield state
    finally:
        state.close()


def organization(state: State, given: str | None) -> str:
    """The organization that is meant.

    Raises:
        UsageError: there is no such one; none is given, and there are several.
    """
    if given is not None:
        return state.organizations.one(given).id
    known = [one.id for one in state.organizations.all()]
    if len(known) == 1:
        return known[0]
    raise UsageError(
        f"which organization? There are {', '.join(known)}",
        fix=f"--organization {known[0] if known else 'ID'}",
    )


def the_key(state: State, text: str) -> Key:
    """The key that a person means: by its id, or by its name where one usable key has it.

    Raises:
        UsageError: there is none, or there are several.
    """
    from yaat_plugin_gateway.access import token
    from yaat_plugin_gateway.state.keys import UnknownKey

    if (id := token.named(text)) is not None and (key := state.keys.find(id)) is not None:
        return key
    now = now_us()
    usable = [key for key in state.keys.all() if key.wanted.name == text and key.standing(now) == "active"]
    if len(usable) > 1:
        raise UsageError(
            f"{len(usable)} keys have this name: {', '.join(key.prefix for key in usable)}",
            fix="name one by its id",
        )
    if usable:
        return usable[0]
    # not what was typed: it may be a key, or near to one
    shown = token.prefix(id) if id else text if len(text) <= 40 else text[:12] + "…"
    raise UnknownKey(f"no key {shown!r}", fix="yaat gateway keys list shows which there are")


def checked(model: type[M], given: Mapping[str, Any]) -> M:
    """Options as the model that the HTTP API takes; those that were not given are left out.

    Raises:
        UsageError: a value that does not fit; says which option.
    """
    import msgspec

    try:
        return msgspec.convert({name: value for name, value in given.items() if value is not None}, model)
    except msgspec.ValidationError as error:
        problem, _, place = str(error).partition(" - at `$")
        name = place.strip("`.").partition("[")[0].replace("_", " ")
        if "regex" in problem or "length" in problem:
            problem = _WORDS.get(name, _NAME)
        raise UsageError(f"{name}: {problem}", fix="--help has examples") from None


def now_us() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1_000


def _configured(door: Door) -> URL:
    """As `yaat gateway serve`: of a configuration without a gateway, the one that it would run."""
    from yaat_core import config
    from yaat_core.config.fields import defaults_of
    from yaat_core.plugins import load_plugins
    from yaat_plugin_gateway.config import GatewayConfig
    from yaat_plugin_gateway.state.location import located

    path = config.find_config(door.config_file)
    configuration = config.load(path, load_plugins(config.disabled_in(path)), detect=False)
    found = (entry.options for entry in configuration.sources.values() if entry.type.name == "gateway")
    options: Any = next(found, None) or defaults_of(GatewayConfig)
    return located(options.state, configuration.state_dir)
