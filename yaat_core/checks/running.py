"""Does checks at one time, and lets none hold up or bring down the others."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import attrs
import trio

from yaat_core.checks import (
    agent,
    clock,
    components,
    configuration,
    disk,
    environment,
    limits,
    plugins,
    queue,
    sockets,
)
from yaat_core.checks.base import GROUPS, Check, Looking, Surroundings

log = logging.getLogger("yaat.checks")

#: Checks at one time. A check that hangs for good keeps one of these threads.
_THREADS: Final = 24

#: Every check that does not depend on what is configured.
_ALWAYS: Final = (
    *agent.LOOKINGS,
    *configuration.LOOKINGS,
    *plugins.LOOKINGS,
    *queue.LOOKINGS,
    *sockets.LOOKINGS,
    *disk.LOOKINGS,
    *clock.LOOKINGS,
    *limits.LOOKINGS,
    *environment.LOOKINGS,
)


class Examiner:
    """One for each agent or command. Who asks while an examination is under way waits for it, and gets one of his own."""

    def __init__(self, limit: Callable[[Looking], float] = lambda looking: looking.seconds) -> None:
        self._limit = limit
        self._threads = trio.CapacityLimiter(_THREADS)
        self._turn = trio.Lock()

    async def examine(
        self, around: Surroundings, lookings: Sequence[Looking] | None = None
    ) -> tuple[Check, ...]:
        """What all checks say, by group."""
        chosen = list(_lookings(around) if lookings is None else lookings)
        found: list[Sequence[Check]] = [()] * len(chosen)

        async def one(index: int, looking: Looking) -> None:
            found[index] = await self._looked(looking, around)

        async with self._turn, trio.open_nursery() as nursery:
            for index, looking in enumerate(chosen):
                nursery.start_soon(one, index, looking)
        order = {group: place for place, group in enumerate(GROUPS)}
        return tuple(
            sorted(
                (check for some in found for check in some), key=lambda one: order.get(one.group, len(order))
            )
        )

    async def _looked(self, looking: Looking, around: Surroundings) -> Sequence[Check]:
        begun = time.monotonic()
        seconds = self._limit(looking)
        found: Sequence[Check] = [_hangs(looking, seconds)]
        with trio.move_on_after(seconds):
            try:
                found = await trio.to_thread.run_sync(
                    _look, looking, around, abandon_on_cancel=True, limiter=self._threads
                )
            except RuntimeError as error:  # no thread to be had
                found = [_failed(looking, error)]
        took = round(time.monotonic() - begun, 3)
        return [
            attrs.evolve(
                check,
                seconds=took,
                group=check.group or looking.group,
                component=check.component or looking.component,
            )
            for check in found
        ]


def _lookings(around: Surroundings) -> Iterator[Looking]:
    yield from _ALWAYS
    yield from components.lookings(around)


def _look(looking: Looking, around: Surroundings) -> Sequence[Check]:
    try:
        return list(looking.look(around))
    except Exception as error:
        log.debug("the check %s raised", looking.name, exc_info=True)
        return [_failed(looking, error)]


def _failed(looking: Looking, error: Exception) -> Check:
    return Check(
        name=looking.name,
        level="warn",
        what=f"this check failed: {type(error).__name__}: {error}",
        advice="it is a fault of the check, or a right that it lacks; the other checks count",
    )


def _hangs(looking: Looking, seconds: float) -> Check:
    return Check(
        name=looking.name,
        level="error" if looking.component else "warn",
        what=f"this check did not end within {seconds:g} s",
        advice="something that it reads or reaches hangs: a network file system, a name server, a device",
    )
