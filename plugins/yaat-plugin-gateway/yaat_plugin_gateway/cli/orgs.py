"""`yaat gateway orgs`."""

from __future__ import annotations

import click

from yaat_core.cli.door import Door, DoorGroup, command
from yaat_core.cli.table import table
from yaat_core.display import terminal_safe
from yaat_plugin_gateway.cli.opening import checked, now_us, opened, state_option


@click.group(cls=DoorGroup)
def orgs() -> None:
    """Organizations: who events, keys and quotas belong to. None sees another's."""


@command("create", example="yaat gateway orgs create acme --name 'Acme Inc.'")
@click.argument("id")
@click.option("--name", help="For people; by default the id.")
@state_option
@click.pass_obj
def create(door: Door, *, id: str, name: str | None, where: str | None) -> None:
    """Add an organization. Its id stands in each of its events, and stays."""
    from yaat_plugin_gateway.access import views
    from yaat_plugin_gateway.state.records import Organization

    order = checked(views.OrganizationOrder, {"id": id, "name": name or id})
    made = Organization(id=order.id, name=order.name, created_us=now_us())
    with opened(door, where, make=True) as state:
        state.organizations.create(made)
    told = views.organization_info(made)
    door.result(told, lambda: door.line(f"the organization {told.id} ({terminal_safe(told.name)}) is there"))


@command("list", example="yaat gateway orgs list --json")
@state_option
@click.pass_obj
def list_(door: Door, *, where: str | None) -> None:
    """All organizations, with how many of their keys are good."""
    from yaat_plugin_gateway.access import views

    with opened(door, where) as state:
        found = [views.organization_info(one) for one in state.organizations.all()]
        good = [
            key.organization_id
            for key in state.keys.all()
            if key.standing(now_us()) in ("active", "replaced")
        ]
    rows = [[one.id, one.name, good.count(one.id), one.created_at] for one in found]

    def human() -> None:
        for line in table(["id", "name", "keys", "created"], rows):
            door.line(line)

    door.result(
        {
            "organizations": [
                {"id": id, "name": name, "keys": keys, "created_at": at} for id, name, keys, at in rows
            ]
        },
        human,
    )


for _one in (create, list_):
    orgs.add_command(_one)
