"""`yaat gateway`."""

from __future__ import annotations

import click

from yaat_core.cli.door import DoorGroup
from yaat_plugin_gateway.cli.keys import keys
from yaat_plugin_gateway.cli.orgs import orgs
from yaat_plugin_gateway.cli.quotas import quotas
from yaat_plugin_gateway.cli.replay import replay
from yaat_plugin_gateway.cli.serve import serve
from yaat_plugin_gateway.cli.usage import usage


@click.group(cls=DoorGroup)
def gateway() -> None:
    """The other end: serve the ingest API, manage its keys."""


for _one in (serve, replay, keys, orgs, quotas, usage):
    gateway.add_command(_one)
