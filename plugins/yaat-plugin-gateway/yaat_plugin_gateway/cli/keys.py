"""`yaat gateway keys`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from yaat_core.cli.door import Door, DoorGroup, command
from yaat_core.cli.marks import mark
from yaat_core.cli.table import table
from yaat_core.display import terminal_safe
from yaat_plugin_gateway.cli import opening
from yaat_plugin_gateway.cli.opening import (
    checked,
    now_us,
    opened,
    organization_option,
    span,
    state_option,
    the_key,
)

if TYPE_CHECKING:
    from yaat_plugin_gateway.access.views import KeyInfo, NewKey

_HEAD = ("key", "name", "organization", "rights", "services", "environments", "state", "expires", "last used")


@click.group(cls=DoorGroup)
def keys() -> None:
    """API keys: what agents and programs send with, and people ask with.

    Works on the gateway's state itself, also while the gateway runs: it notices within a second.
    """


@command(
    "create",
    example="yaat gateway keys create agents --service shop --environment production\n"
    "yaat gateway keys create dashboard --right read --expires 90d\n"
    "yaat gateway keys create me --right admin --json",
)
@click.argument("name")
@click.option("--right", "rights", multiple=True, type=click.Choice(["ingest", "read", "admin"]),
              help="May be repeated: none includes another. By default: ingest.")  # fmt: skip
@click.option("--service", "services", multiple=True, metavar="NAME",
              help="Only this service; may be repeated. By default all.")  # fmt: skip
@click.option("--environment", "environments", multiple=True, metavar="NAME",
              help="Only this environment; may be repeated. By default all.")  # fmt: skip
@click.option(
    "--expires",
    "expires_in",
    metavar="TIME",
    callback=span,
    help="How long it is good for, such as 90d. By default for ever.",
)
@click.option("--rotate-after", metavar="TIME", callback=span, default="90d", show_default=True,
              help="When to remind that it should be rotated, or `never`.")  # fmt: skip
@click.option(
    "--events-per-second", type=int, metavar="N", help="Limit of its own, instead of the gateway's."
)
@click.option("--bytes-per-second", metavar="SIZE", help="The same, such as 10MiB.")
@click.option("--requests-per-second", type=int, metavar="N", help="The same.")
@organization_option
@state_option
@click.pass_obj
def create(door: Door, /, *, organization: str | None, where: str | None, **given: Any) -> None:
    """Make a key. It is shown this once: only a hash of it is kept."""
    from yaat_plugin_gateway.access import views

    given["rights"] = list(given["rights"]) or None
    given["bytes_per_second"] = _size(given["bytes_per_second"])
    given["services"], given["environments"] = list(given["services"]), list(given["environments"])
    never = given["rotate_after"] == "never"
    order = checked(views.KeyOrder, {**given, "rotate_after": None if never else given["rotate_after"]})
    if never:
        order.rotate_after = None
    with opened(door, where, make=True) as state:
        now = now_us()
        key, fresh = state.keys.create(opening.organization(state, organization), order.wanted(now), now)
    _tell_new(door, views.new_key(key, fresh.token, now), state.name)


@command("list", example="yaat gateway keys list\nyaat gateway keys list --all --organization acme --json")
@click.option("--all", "everything", is_flag=True, help="Also keys that are revoked or expired.")
@click.option("--organization", metavar="ID", help="Only those of one organization.")
@state_option
@click.pass_obj
def list_(door: Door, *, everything: bool, organization: str | None, where: str | None) -> None:
    """Keys, but for their texts; and which of them should be rotated."""
    from yaat_plugin_gateway.access import views

    with opened(door, where) as state:
        of = None if organization is None else opening.organization(state, organization)
        now = now_us()
        found = [views.key_info(key, now) for key in state.keys.all(of)]
    shown = [one for one in found if everything or one.standing in ("active", "replaced")]
    door.result({"keys": shown}, lambda: _print(door, shown, len(found) - len(shown)))


@command("show", example="yaat gateway keys show yaat_k3q7m2xw4p\nyaat gateway keys show agents --json")
@click.argument("key")
@state_option
@click.pass_obj
def show(door: Door, *, key: str, where: str | None) -> None:
    """One key, by its id or its name."""
    from yaat_plugin_gateway.access import views

    with opened(door, where) as state:
        found = views.key_info(the_key(state, key), now_us())
    door.result(found, lambda: _print_one(door, found))


@command(
    "rotate",
    example="yaat gateway keys rotate yaat_k3q7m2xw4p\nyaat gateway keys rotate agents --overlap 7d --json",
)
@click.argument("key")
@click.option(
    "--overlap",
    metavar="TIME",
    callback=span,
    default="24h",
    show_default=True,
    help="How long the old key stays good.",
)
@click.option(
    "--expires",
    metavar="TIME",
    callback=span,
    help="How long the new one is good for. By default as long as the old one.",
)
@state_option
@click.pass_obj
def rotate(door: Door, *, key: str, overlap: str, expires: str | None, where: str | None) -> None:
    """Make a key in place of one, with the same rights and scope. Both are good until the overlap is over."""
    from yaat_plugin_gateway.access import views

    with opened(door, where) as state:
        old, now = the_key(state, key), now_us()
        until = views.later(now, overlap) or now
        new, fresh = state.keys.rotate(None, old.id, views.successor(old, now, expires), until, now)
        old = state.keys.one(None, old.id)
    made = views.new_key(new, fresh.token, now, replaces=old)
    _tell_new(door, made, state.name)
    if made.replaces and not door.as_json:
        door.note(f"{old.prefix} is good until {made.replaces.expires_at}; then only {new.prefix} is")


@command("revoke", example="yaat gateway keys revoke yaat_k3q7m2xw4p\nyaat gateway keys revoke agents --json")
@click.argument("key")
@state_option
@click.pass_obj
def revoke(door: Door, *, key: str, where: str | None) -> None:
    """End a key for good. A running gateway refuses it within a second."""
    from yaat_plugin_gateway.access import views

    with opened(door, where) as state:
        found = state.keys.revoke(None, the_key(state, key).id, now_us())
    told = views.key_info(found, now_us())
    door.result(told, lambda: door.line(f"{found.prefix} ({terminal_safe(told.name)}) is revoked"))


for _one in (create, list_, show, rotate, revoke):
    keys.add_command(_one)


def _size(text: str | None) -> int | None:
    from yaat_core import Size
    from yaat_core.errors import UsageError

    try:
        return None if text is None else int(Size.parse(text))
    except ValueError as error:
        raise UsageError(f"--bytes-per-second {error}", fix="such as 10MiB") from None


def _tell_new(door: Door, made: NewKey, place: str) -> None:
    def human() -> None:
        door.line(made.key)
        door.note(
            f"key {made.prefix} ({terminal_safe(made.name)}) of the organization {made.organization_id}: "
            f"{', '.join(made.rights)}; {_scope(made)}; {_until(made)}"
        )
        door.note(f"Its hash is kept in {terminal_safe(place)}.")
        door.note("Keep it now: it is not shown again. Programs send it as `Authorization: Bearer KEY`.")

    door.result(made, human)


def _scope(key: KeyInfo) -> str:
    services = f"services {', '.join(key.services)}" if key.services else "all services"
    environments = f"environments {', '.join(key.environments)}" if key.environments else "all environments"
    return terminal_safe(f"{services}, {environments}")


def _until(key: KeyInfo) -> str:
    return f"until {key.expires_at}" if key.expires_at else "for ever"


def _state(key: KeyInfo) -> str:
    if key.standing == "replaced":
        return f"replaced by yaat_{key.replaced_by}"
    return "rotate it" if key.due_for_rotation else key.standing


def _print(door: Door, shown: Sequence[KeyInfo], left_out: int) -> None:
    rows = [
        [
            key.prefix,
            key.name,
            key.organization_id,
            ", ".join(key.rights),
            ", ".join(key.services) or "all",
            ", ".join(key.environments) or "all",
            _state(key),
            key.expires_at or "never",
            key.last_used_at or "never",
        ]
        for key in shown
    ]
    for line in table(_HEAD, rows):
        door.line(line)
    if left_out:
        door.note(f"{left_out} more are revoked or expired: --all shows them")
    if not shown and not left_out:
        door.note("no keys yet: yaat gateway keys create NAME makes one")
    due = [key for key in shown if key.due_for_rotation]
    if due:
        door.note(f"{mark('warn')} {len(due)} should be rotated: yaat gateway keys rotate {due[0].prefix}")


def _print_one(door: Door, key: KeyInfo) -> None:
    limits = [
        f"{value:,} {unit}"
        for value, unit in (
            (key.events_per_second, "events/s"),
            (key.bytes_per_second, "bytes/s"),
            (key.requests_per_second, "requests/s"),
        )
        if value is not None
    ]
    facts = {
        "key": key.prefix,
        "name": key.name,
        "organization": key.organization_id,
        "rights": ", ".join(key.rights),
        "scope": _scope(key),
        "state": _state(key),
        "created": key.created_at,
        "expires": key.expires_at or "never",
        "rotate by": key.rotate_at or "never told",
        "last used": key.last_used_at or "never",
        "limits": ", ".join(limits) or "the gateway's",
    }
    for name, value in facts.items():
        door.line(f"{name:<12}  {terminal_safe(value)}")
