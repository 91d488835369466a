"""`yaat gateway quotas`."""

from __future__ import annotations

from typing import Any

import click

from yaat_core.cli import units
from yaat_core.cli.door import Door, DoorGroup, command
from yaat_core.cli.table import table
from yaat_core.errors import UsageError
from yaat_plugin_gateway.cli import opening
from yaat_plugin_gateway.cli.opening import opened, organization_option, state_option


@click.group(cls=DoorGroup)
def quotas() -> None:
    """How much an organization may bring in, in a day and in a month (UTC)."""


@command(
    "set",
    example="yaat gateway quotas set --type log --per day --events 10000000 --bytes 20GB\n"
    "yaat gateway quotas set --per month --bytes 500GB --organization acme\n"
    "yaat gateway quotas set --type log --per day --none",
)
@click.option("--type", "event_type", type=click.Choice(["all", "log", "span", "metric"]), default="all", show_default=True,
              help="Events of which type; all: of any type, together.")  # fmt: skip
@click.option("--per", "period", type=click.Choice(["day", "month"]), required=True, help="For how long.")
@click.option("--events", type=click.IntRange(0, 2**62), metavar="N", help="Events at most.")
@click.option("--bytes", "size", metavar="SIZE", help="Bytes of JSON, unpacked, at most: 20GB.")
@click.option("--none", "none", is_flag=True, help="Take the quota away.")
@organization_option
@state_option
@click.pass_obj
def set_(
    door: Door, *, event_type: Any, period: Any, events: int | None, size: str | None, none: bool,
    organization: str | None, where: str | None,
) -> None:  # fmt: skip
    """Set a quota. What is not named is not limited; a running gateway takes it over within a second."""
    from yaat_plugin_gateway.state.records import Quota

    if none == (events is not None or size is not None):
        raise UsageError("say how much, or that there is none", fix="--events N, --bytes SIZE, or --none")
    quota = Quota(event_type=event_type, period=period, events=events, bytes=_size(size))
    with opened(door, where, make=True) as state:
        id = opening.organization(state, organization)
        state.usage.set_quota(id, quota)
    _tell(door, where, id)


@command("show", example="yaat gateway quotas show\nyaat gateway quotas show --organization acme --json")
@organization_option
@state_option
@click.pass_obj
def show(door: Door, *, organization: str | None, where: str | None) -> None:
    """The quotas, and what is used of them."""
    with opened(door, where) as state:
        id = opening.organization(state, organization)
    _tell(door, where, id)


for _one in (set_, show):
    quotas.add_command(_one)


def _size(text: str | None) -> int | None:
    from yaat_core import Size

    try:
        return None if text is None else int(Size.parse(text))
    except ValueError as error:
        raise UsageError(f"--bytes {error}", fix="such as 20GB") from None


def _tell(door: Door, where: str | None, organization_id: str) -> None:
    import time

    from yaat_plugin_gateway.access.meters import Meter, Today

    today = Today.at(time.time())
    with opened(door, where) as state:
        found = state.usage.quotas(organization_id)
        meter = Meter(found, today, state.usage.totals(organization_id, today.month))
    stands = list(meter.stands(["log", "span", "metric"]))

    def human() -> None:
        shown = [
            [one.quota.event_type, one.quota.period, one.unit]
            + [_amount(one.unit, number) for number in (one.allowed, one.used, one.left)]
            for one in stands
        ]
        for line in table(["type", "per", "of", "allowed", "used", "left"], shown):
            door.line(line)
        if not stands:
            door.note(f"{organization_id} has no quotas: it may bring in any amount")

    quotas = [
        {"event_type": one.quota.event_type, "period": one.quota.period, "unit": one.unit,
         "allowed": one.allowed, "used": one.used, "left": one.left}
        for one in stands
    ]  # fmt: skip
    door.result({"organization_id": organization_id, "quotas": quotas}, human)


def _amount(unit: str, number: int) -> str:
    return units.count(number) if unit == "events" else units.size(number)
