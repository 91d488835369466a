"""When `yaat run --once` has to end although not all is delivered: what it waits for can't come by itself.

A running agent waits for as long as it takes; somebody makes room on the disk, or mends a database. `--once` is part of
a script: it ends with an error that says what is in the way. What is in the queue stays there for the next run.
"""

from __future__ import annotations

import trio

from yaat_core.errors import YaatError
from yaat_core.rooms import Rooms

#: Seconds between looks.
_EVERY = 0.25


class NothingDelivered(YaatError):
    """`--once` ended before anything was delivered."""

    code = "YAAT-E506"


class PartlyDelivered(YaatError):
    """`--once` ended when part was delivered."""

    code = "YAAT-E507"
    exit_code = 5


async def watch(rooms: Rooms, patience: float) -> YaatError:
    """Returns what is in the way when it has been for ``patience`` seconds; until then, waits."""
    began = trio.current_time()
    while True:
        found = _unavailable(rooms, patience) or _undecided(rooms, began + patience) or _full(rooms, patience)
        if found is not None:
            return found
        await trio.sleep(_EVERY)


def undone(rooms: Rooms) -> YaatError | None:
    """What a run that came to its end has left: sources that failed every time, sinks that did not take everything."""
    found = [
        f"sources.{name} failed: {keeper.detail}"
        for name, keeper in rooms.sources.items()
        if keeper.state == "down"
    ]
    for worker in rooms.workers.values():
        if worker.lane.queued:
            why = f" ({worker.keeper.detail})" if worker.keeper.detail else ""
            found.append(f"{worker.lane.queued} events wait for {worker.lane.name}{why}")
    if not found:
        return None
    return YaatError("; ".join(found), fix="the log above has the details; mend that, and run it again")


def ended(why: YaatError, *, delivered: bool) -> YaatError:
    """The error that the command ends with."""
    kind = PartlyDelivered if delivered else NothingDelivered
    part = "only part" if delivered else "nothing"
    return kind(
        f"{part} was delivered: {why.what}",
        where=why.where,
        cause=why.cause,
        effect="what is in the queue stays there; what was not read is read by the next run",
        fix=why.fix,
    )


def _unavailable(rooms: Rooms, patience: float) -> YaatError | None:
    failing = rooms.door.failing
    if failing is None or trio.current_time() - failing.since < patience:
        return None
    return failing.error


def _undecided(rooms: Rooms, deadline: float) -> YaatError | None:
    """A new or damaged queue waits for its databases; one that failed again and again will not answer."""
    if rooms.start.decided.is_set() or trio.current_time() < deadline:
        return None
    for worker in rooms.workers.values():
        if worker.lane.name in rooms.start.missing and worker.keeper.state == "down":
            return YaatError(
                f"{worker.lane.name} can't be opened: {worker.keeper.detail}",
                where=worker.lane.name,
                cause="the queue is new or was damaged, so nothing is read before the database says what it has",
                fix="mend what the message names; `yaat validate` looks at the sink",
            )
    return None


def _full(rooms: Rooms, patience: float) -> YaatError | None:
    """Sources wait for a full lane whose sink fails."""
    for worker in rooms.workers.values():
        lane = worker.lane
        stuck = (
            lane.bounds.when_full == "block" and lane.full and worker.keeper.state not in ("ok", "starting")
        )
        if stuck and trio.current_time() - worker.progress > patience:
            return YaatError(
                f"{lane.name} does not take what waits ({worker.keeper.detail}), and its bound of "
                f"{lane.bounds.max_bytes} is full",
                where=lane.name,
                fix="mend the sink, raise queue.max_bytes, or set when_full: drop_oldest",
            )
    return None
