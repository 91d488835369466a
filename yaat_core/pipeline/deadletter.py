"""Events that a sink refused for good: one plain file a batch, with the reason of each event."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import attrs
import msgspec
import trio

from yaat_core.clock import ages
from yaat_core.components import Partial, Position
from yaat_core.cursor import Cursor
from yaat_core.deadletters import (
    SUFFIX,
    DeadEvent,
    Head,
    Letter,
    State,
    begins,
    bounded,
    forgotten,
    heads,
    letter,
    some_events,
    states,
)
from yaat_core.durable import private, sync_folder
from yaat_core.errors import NotAllowed, StoreDamaged, UsageError
from yaat_core.event import EventBatch
from yaat_core.faults import reached
from yaat_core.pipeline.lane import Lane
from yaat_core.replaying import Refused, Step, put_right, sound, step, take_up
from yaat_core.wire import rows_to_json

log = logging.getLogger("yaat.dead")

#: Letters that are forgotten in one step.
_STEP: Final = 256


@attrs.frozen(eq=False)
class Replay:
    """A letter on its way to its sink once more."""

    head: Head
    batch: EventBatch
    sequences: Sequence[int]
    position: Position


@attrs.define(eq=False)
class DeadLetters:
    """The directory. A file is named by the batch's id, so that writing it again changes nothing.

    First line: ``{"sink", "batch_id", "first", "last", "events", "time", "reason", "attempts", "answer"}``, the reason
    that most events have, what the sink did not say left out, and ``of`` when its events were in that letter before; then
    one line an event: ``{"sequence", "reason", "event"}``. A file that ends in `REPLAY` waits to be delivered again.
    """

    folder: Path
    _one_at_a_time: trio.Lock = attrs.field(factory=trio.Lock)

    def write(
        self,
        batch: EventBatch,
        position: Position,
        refused: Partial,
        sequences: Sequence[int] | None = None,
    ) -> Path:
        """Store the dead rows of a batch, synced, before the cursor passes them.

        ``sequences`` are those of the rows when they don't follow each other: they come from a letter.

        Raises:
            OSError: it can't be written; nothing of it stays.
        """
        base = self.folder
        folder = base / position.sink
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{position.batch_id}{SUFFIX}"
        fresh = path.with_suffix(".new")
        try:
            with open(fresh, "wb", opener=private) as file:
                file.writelines(line + b"\n" for line in _lines(batch, position, refused, sequences))
                file.flush()
                os.fsync(file.fileno())
            reached("deadletter.move.before")
            os.replace(fresh, path)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise
        sync_folder(folder)
        sync_folder(base)
        reached("deadletter.move.after")
        return path

    async def move(self, folder: Path) -> None:
        """Letters are written and looked for there from now on. Those of before stay where they are."""
        async with self._one_at_a_time:
            self.folder = folder

    async def forget(self, lane: Lane, letters: Sequence[Head]) -> int:
        """Delete letters of a sink; their events were `dead` and are `dropped` now. How many they were."""
        count = 0
        for start in range(0, len(letters), _STEP):
            async with self._one_at_a_time:
                await self._tidy(lane)
                there = await trio.to_thread.run_sync(heads, self.folder, lane.name)
                ids = {head.id for head in there}
                gone = [head for head in letters[start : start + _STEP] if head.id in ids]
                dropped = forgotten(there, gone, lane.cursor.dead)
                await self._change(lane, lane.cursor.let_go([head.id for head in gone], dropped, "dead"))
            count += dropped
        return count

    async def expire(self, lanes: Sequence[Lane], older_than_seconds: float) -> None:
        """Forget what is past its time: dead letters, those that wait to be delivered again, those of sinks long gone."""
        horizon = ages.now() - older_than_seconds
        for lane in lanes:
            found = await trio.to_thread.run_sync(heads, self.folder, lane.name)
            old = [head for head in found if head.time < horizon]
            if old:
                await self.forget(lane, old)
            if lane.cursor.replaying or lane.cursor.files:
                await self._give_up(lane, horizon)
        await trio.to_thread.run_sync(_expire_ownerless, self.folder, [lane.name for lane in lanes], horizon)

    # --- delivering again

    async def take_up(self, lane: Lane, letters: Sequence[Head]) -> tuple[int, int, list[Refused]]:
        """Letters of a sink wait to be delivered again: how many, with how many events, and which can't."""
        good, refused = await trio.to_thread.run_sync(sound, letters)
        async with self._one_at_a_time:
            await self._tidy(lane)
            there = await trio.to_thread.run_sync(states, self.folder / lane.name)
            cursor, more = take_up(lane.cursor, good, there)
            events = cursor.replaying - lane.cursor.replaying
            await self._change(lane, cursor, "replay.taken")
        lane.wake()
        return len(good) - len(more), events, [*refused, *more]

    async def put_back(self, lane: Lane, chosen: Callable[[Head], bool] = lambda _: True) -> int:
        """Letters that wait to be delivered again are dead as before, but for the one on its way; how many events."""
        async with self._one_at_a_time:
            await self._tidy(lane)
            there = [one for one in await self.waiting(lane) if one.id != lane.replaying and chosen(one)]
            return await self._put_back(lane, there)

    async def answered(self, lane: Lane, replay: Replay, dead: int) -> int:
        """A letter was delivered again, but for ``dead`` events, whose letter is written; how many were delivered."""
        place, before = self.folder / lane.name, lane.cursor.delivered
        async with self._one_at_a_time:
            if not dead:  # a kill may have left one of an answer that was not counted
                uncounted = place / f"{replay.position.batch_id}{SUFFIX}"
                await trio.to_thread.run_sync(partial(uncounted.unlink, missing_ok=True))
            changed = lane.cursor.answered(replay.head.id, replay.head.events, dead=dead)
            await self._change(lane, changed, "replay.counted")
        return lane.cursor.delivered - before

    async def rewind(self, lane: Lane, has: int, *, kept_from: int) -> None:
        """The sink has only what is up to this sequence: the rest is queued again, with what of it is in letters.

        Those letters go, where the queue still keeps what they have (``kept_from`` on).

        Raises:
            OSError: the directory can't be read.
        """
        async with self._one_at_a_time:
            await self._tidy(lane)
            await self._put_back(lane, [one for one in await self.waiting(lane) if begins(one) > has])
            there = await trio.to_thread.run_sync(heads, self.folder, lane.name)
            again = [(begins(head), head) for head in there if begins(head) > has]
            changed = lane.cursor.rewind(has, dead=sum(head.events for _, head in again))
            gone = [head.id for first, head in again if first >= kept_from]
            await self._change(lane, changed.let_go(gone, 0, "dead"))

    async def waiting(self, lane: Lane) -> list[Head]:
        """Letters of a sink that wait to be delivered again, in the order in which that was asked for."""
        there = await trio.to_thread.run_sync(heads, self.folder, lane.name, ("queued",))
        return [head for head in there if (head.id, "gone") not in lane.cursor.files]

    async def compare(self, lane: Lane) -> int:
        """Make files and cursor agree, whatever was done to the files; how many events are lost, since no file has them.

        Raises:
            OSError: the directory can't be read or changed.
        """
        async with self._one_at_a_time:
            await self._tidy(lane)
            there, counted = await self.waiting(lane), lane.cursor.replaying
            fitting = 0
            for head in there:
                if fitting + head.events > counted:
                    log.warning(
                        "%s: nothing counts %s as waiting to be delivered again", lane.name, head.path
                    )
                    await self._put_back(lane, [head], events=0)
                else:
                    fitting += head.events
            missing = counted - fitting
            if missing and not any(head.problem for head in there):
                await lane.store(lane.cursor.reclassify(missing, "replaying", "lost"), sync=True)
                return missing
            return 0

    async def put_back_damaged(self, lane: Lane, damaged: Head) -> int:
        """A letter turned out to be damaged: its events, as far as they are known, are dead as before."""
        async with self._one_at_a_time:
            others = sum(one.events for one in await self.waiting(lane) if one.id != damaged.id)
            rest = max(0, lane.cursor.replaying - others)
            return await self._put_back(lane, [damaged], events=damaged.events or rest)

    async def _put_back(self, lane: Lane, letters: Sequence[Head], *, events: int | None = None) -> int:
        before = lane.cursor.replaying
        if events is None:
            events = sum(head.events for head in letters)
        if letters:
            await self._change(lane, lane.cursor.put_back([head.id for head in letters], events))
        return before - lane.cursor.replaying

    async def _give_up(self, lane: Lane, horizon: float) -> None:
        async with self._one_at_a_time:
            await self._tidy(lane)
            old = [one for one in await self.waiting(lane) if one.time < horizon and one.id != lane.replaying]
            if old:
                count = sum(head.events for head in old)
                log.warning("%s: %d events that waited to be delivered again are too old", lane.name, count)
                await self._change(lane, lane.cursor.let_go([one.id for one in old], count, "replaying"))

    async def _change(self, lane: Lane, cursor: Cursor, point: str = "") -> None:
        """Count it, then change the files: a kill, or an error, between the two is mended from the cursor."""
        await lane.store(cursor, sync=True)
        if point:
            reached(point)
        try:
            await self._tidy(lane)
        except OSError as error:
            log.warning("%s: the names of dead letters will follow: %s", lane.name, error)

    async def _tidy(self, lane: Lane) -> None:
        files = lane.cursor.files
        if files:
            await trio.to_thread.run_sync(put_right, self.folder / lane.name, files, time.time())
            await lane.store(lane.cursor.tidied(files))


def _expire_ownerless(folder: Path, lanes: Sequence[str], horizon: float) -> None:
    """Letters of sinks that have no place in the queue any more: nothing counts them, and nothing delivers them."""
    strangers = {place.name for place in folder.iterdir()} - {*lanes} if folder.is_dir() else ()
    for sink in strangers:
        for head in heads(folder, sink, ("dead", "queued")):
            if head.time < horizon:
                head.path.unlink(missing_ok=True)
            elif head.state == "queued":
                put_right(head.path.parent, [(head.id, "dead")], 0.0)


def found(folder: Path, sink: str | None, limit: int) -> tuple[Sequence[Letter], dict[str, int]]:
    """The oldest letters with their reasons, and by sink the events of all there are.

    Raises:
        NotAllowed: the directory can't be read.
    """
    there = _heads(folder, sink, ("dead", "queued"))
    events: dict[str, int] = {}
    for head in there:
        if head.state == "dead":
            events[head.sink] = events.get(head.sink, 0) + head.events
    return [letter(head) for head in there[:limit]], events


def shown(folder: Path, id: str, limit: int) -> tuple[Letter, Sequence[DeadEvent]]:
    """A letter and its first events.

    Raises:
        UsageError: there is none with this id.
        StoreDamaged: it can't be read.
    """
    head = _one(_heads(folder, None, ("dead", "queued")), id)
    try:
        return letter(head), some_events(head.path, limit)
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreDamaged(
            f"the dead letter {head.id} can't be read: {getattr(error, 'strerror', None) or 'it is damaged'}",
            where=str(head.path),
            fix="look at the file itself; `yaat dead purge` takes it away",
        ) from None


def chosen(folder: Path, sink: str, id: str | None) -> Sequence[Head]:
    """All dead letters of a sink, or the one with this id.

    Raises:
        UsageError: there is none with this id, or it waits to be delivered again.
    """
    if id is None:
        return _heads(folder, sink)
    return [dead_one(folder, sink, id)]


def to_replay(folder: Path, sink: str | None, id: str | None, after: str | None, limit: int) -> Step:
    """The next of the letters that are to be delivered again.

    Raises:
        UsageError: as `chosen` and `step`.
        NotAllowed: the directory can't be read.
    """
    if id is not None:
        return Step(letters=[dead_one(folder, sink, id)], left=0, next=None)
    try:
        return step(folder, sink, after, limit, time.time())
    except OSError as error:
        raise _not_allowed(folder, error) from None


def dead_one(folder: Path, sink: str | None, id: str) -> Head:
    """The dead letter with this id. Raises as `chosen` does."""
    head = _one(_heads(folder, sink, ("dead", "queued")), id)
    if head.state == "queued":
        raise UsageError(
            f"the dead letter {head.id} waits to be delivered again",
            fix="`yaat dead show` tells how it stands; `yaat queue purge` makes those that wait dead letters again",
        )
    return head


def _one(there: Sequence[Head], id: str) -> Head:
    fitting = [head for head in there if head.id.startswith(id)]
    if len(fitting) != 1:
        what = f"{len(fitting)} dead letters begin with {id}" if fitting else f"there is no dead letter {id}"
        raise UsageError(what, fix="`yaat dead list` shows their ids")
    return fitting[0]


def _heads(folder: Path, sink: str | None, states: Sequence[State] = ("dead",)) -> list[Head]:
    try:
        return heads(folder, sink, states)
    except OSError as error:
        raise _not_allowed(folder, error) from None


def _not_allowed(folder: Path, error: OSError) -> NotAllowed:
    return NotAllowed(
        f"the dead letters can't be read: {error.strerror or error}",
        where=str(folder),
        fix="run the command as the agent's user (sudo -u)",
    )


def _lines(
    batch: EventBatch, position: Position, refused: Partial, sequences: Sequence[int] | None
) -> list[bytes]:
    rows = rows_to_json(batch)
    if sequences is None:
        sequences = range(position.first, position.last + 1)
    head: dict[str, Any] = {
        "sink": position.sink,
        "batch_id": position.batch_id,
        "first": min(sequences),
        "last": max(sequences),
        "events": len(refused.dead),
        "time": time.time(),
        "reason": bounded(Counter(reason for _, reason in refused.dead).most_common(1)[0][0]),
    }
    if position.replay:
        head["of"] = position.replay
    if refused.attempts:
        head["attempts"] = refused.attempts
    if refused.answer:
        head["answer"] = bounded(refused.answer)
    return [
        msgspec.json.encode(head),
        *(
            msgspec.json.encode(
                {"sequence": sequences[row], "reason": bounded(reason), "event": msgspec.Raw(rows[row])}
            )
            for row, reason in refused.dead
        ),
    ]
