"""Looks whether configured components could work: makes each one, and lets sources and sinks check themselves."""

from __future__ import annotations

import trio

from yaat_core.checks.components import Checked as Checked
from yaat_core.checks.components import checked, entries
from yaat_core.cli.setup import Setup, workshop
from yaat_core.config.model import Configuration, Entry
from yaat_core.workshop import Workshop


def check(setup: Setup, *, offline: bool) -> list[Checked]:
    """All components, in the order of the pipeline. ``offline``: sinks are made, but not reached for."""
    return trio.run(_check_all, setup.configuration, workshop(setup), offline)


async def _check_all(whole: Configuration, shop: Workshop, offline: bool) -> list[Checked]:
    chosen = list(entries(whole))
    found: list[Checked | None] = [None] * len(chosen)

    async def one(index: int, entry: Entry) -> None:
        found[index] = await checked(entry, shop, reach=not (offline and entry.id.kind == "sinks"))

    async with trio.open_nursery() as nursery:
        for index, entry in enumerate(chosen):
            nursery.start_soon(one, index, entry)
    return [result for result in found if result is not None]
