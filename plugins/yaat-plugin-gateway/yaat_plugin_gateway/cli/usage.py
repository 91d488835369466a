"""`yaat gateway usage`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from yaat_core.cli import units
from yaat_core.cli.door import Door, command
from yaat_core.cli.table import table
from yaat_plugin_gateway.cli import opening
from yaat_plugin_gateway.cli.opening import now_us, opened, organization_option, state_option, the_key

if TYPE_CHECKING:
    from yaat_plugin_gateway.access.views import UsageInfo


@command("usage", example="yaat gateway usage\nyaat gateway usage --days 7 --key agents --json")
@click.option(
    "--days", type=click.IntRange(1, 400), default=30, show_default=True, help="Days, today (UTC) included."
)
@click.option("--key", metavar="KEY", help="Only one key, by its id or its name.")
@organization_option
@state_option
@click.pass_obj
def usage(door: Door, *, days: int, key: str | None, organization: str | None, where: str | None) -> None:
    """What each key brought in, by day and type of event."""
    import datetime

    from yaat_plugin_gateway.access import views

    today = datetime.datetime.fromtimestamp(now_us() / 1e6, datetime.UTC).date()
    first = today - datetime.timedelta(days=days - 1)
    with opened(door, where) as state:
        only = None if key is None else the_key(state, key)
        id = only.organization_id if only else opening.organization(state, organization)
        names = {one.id: one.wanted.name for one in state.keys.all(id)}
        used = state.usage.between(id, first.isoformat(), today.isoformat())
    found = [views.usage_info(one) for one in used if only is None or one.key_id == only.id]
    door.result({"organization_id": id, "usage": found}, lambda: _print(door, found, names))


def _print(door: Door, found: list[UsageInfo], names: dict[str, str]) -> None:
    rows = [
        [
            one.day,
            f"yaat_{one.key_id}" if one.key_id else "(no key)",
            names.get(one.key_id, ""),
            one.event_type,
            units.count(one.events),
            units.size(one.bytes),
        ]
        for one in found
    ]
    for line in table(["day", "key", "name", "type", "events", "bytes"], rows):
        door.line(line)
    if rows:
        events, size = sum(one.events for one in found), sum(one.bytes for one in found)
        door.note(f"together: {units.count(events)} events, {units.size(size)}")
    else:
        door.note("nothing came in")
