"""Events that a sink refused for good: one plain file a batch, with the reason of each event."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import msgspec
import trio

from yaat_core.clock import ages
from yaat_core.components import Partial, Position
from yaat_core.deadletters import (
    SUFFIX,
    DeadEvent,
    Head,
    Letter,
    bounded,
    forgotten,
    heads,
    letter,
    some_events,
)
from yaat_core.durable import private, sync_folder
from yaat_core.errors import NotAllowed, StoreDamaged, UsageError
from yaat_core.event import EventBatch
from yaat_core.faults import reached
from yaat_core.pipeline.lane import Lane
from yaat_core.wire import rows_to_json


@attrs.frozen
class DeadLetters:
    """The directory. A file is named by the batch's id, so that writing it again changes nothing.

    First line: ``{"sink", "batch_id", "first", "last", "events", "time", "reason", "attempts", "answer"}``, the reason
    that most events have, what the sink did not say left out; then one line an event: ``{"sequence", "reason", "event"}``.
    """

    folder: Path
    _one_at_a_time: trio.Lock = attrs.field(factory=trio.Lock)

    def write(self, batch: EventBatch, position: Position, partial: Partial) -> Path:
        """Store the dead rows of a batch, synced, before the cursor passes them.

        Raises:
            OSError: it can't be written; nothing of it stays.
        """
        folder = self.folder / position.sink
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{position.batch_id}{SUFFIX}"
        fresh = path.with_suffix(".new")
        try:
            with open(fresh, "wb", opener=private) as file:
                file.writelines(line + b"\n" for line in _lines(batch, position, partial))
                file.flush()
                os.fsync(file.fileno())
            reached("deadletter.move.before")
            os.replace(fresh, path)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise
        sync_folder(folder)
        sync_folder(self.folder)
        reached("deadletter.move.after")
        return path

    async def forget(self, lane: Lane, letters: Sequence[Head]) -> int:
        """Delete letters of a sink; their events were `dead` and are `dropped` now. How many they were."""
        async with self._one_at_a_time:
            there = await trio.to_thread.run_sync(heads, self.folder, lane.name)
            paths = {head.path for head in there}
            gone = [head for head in letters if head.path in paths]
            count = forgotten(there, gone, lane.cursor.dead)
            if count:
                await lane.store(lane.cursor.reclassify(count, "dead", "dropped"), sync=True)
            await trio.to_thread.run_sync(unlink, gone)
            return count

    async def expire(self, lanes: Sequence[Lane], older_than_seconds: float) -> None:
        """Forget what is past its time."""
        horizon = ages.now() - older_than_seconds
        for lane in lanes:
            found = await trio.to_thread.run_sync(heads, self.folder, lane.name)
            old = [head for head in found if head.time < horizon]
            if old:
                await self.forget(lane, old)


def found(folder: Path, sink: str | None, limit: int) -> tuple[Sequence[Letter], dict[str, int]]:
    """The oldest letters with their reasons, and by sink the events of all there are.

    Raises:
        NotAllowed: the directory can't be read.
    """
    there = _heads(folder, sink)
    events: dict[str, int] = {}
    for head in there:
        events[head.sink] = events.get(head.sink, 0) + head.events
    return [letter(head) for head in there[:limit]], events


def shown(folder: Path, id: str, limit: int) -> tuple[Letter, Sequence[DeadEvent]]:
    """A letter and its first events.

    Raises:
        UsageError: there is none with this id.
        StoreDamaged: it can't be read.
    """
    head = _one(_heads(folder, None), id)
    try:
        return letter(head), some_events(head.path, limit)
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreDamaged(
            f"the dead letter {head.id} can't be read: {getattr(error, 'strerror', None) or 'it is damaged'}",
            where=str(head.path),
            fix="look at the file itself; `yaat dead purge` takes it away",
        ) from None


def chosen(folder: Path, sink: str, id: str | None) -> Sequence[Head]:
    """All letters of a sink, or the one with this id.

    Raises:
        UsageError: there is none with this id.
    """
    there = _heads(folder, sink)
    return there if id is None else [_one(there, id)]


def _one(there: Sequence[Head], id: str) -> Head:
    fitting = [head for head in there if head.id.startswith(id)]
    if len(fitting) != 1:
        what = f"{len(fitting)} dead letters begin with {id}" if fitting else f"there is no dead letter {id}"
        raise UsageError(what, fix="`yaat dead list` shows their ids")
    return fitting[0]


def _heads(folder: Path, sink: str | None) -> list[Head]:
    try:
        return heads(folder, sink)
    except OSError as error:
        raise NotAllowed(
            f"the dead letters can't be read: {error.strerror or error}",
            where=str(folder),
            fix="run the command as the agent's user (sudo -u)",
        ) from None


def unlink(gone: Sequence[Head]) -> None:
    """Delete the files."""
    for head in gone:
        head.path.unlink(missing_ok=True)


def _lines(batch: EventBatch, position: Position, partial: Partial) -> list[bytes]:
    rows = rows_to_json(batch)
    head: dict[str, Any] = {
        "sink": position.sink,
        "batch_id": position.batch_id,
        "first": position.first,
        "last": position.last,
        "events": len(partial.dead),
        "time": time.time(),
        "reason": bounded(Counter(reason for _, reason in partial.dead).most_common(1)[0][0]),
    }
    if partial.attempts:
        head["attempts"] = partial.attempts
    if partial.answer:
        head["answer"] = bounded(partial.answer)
    return [
        msgspec.json.encode(head),
        *(
            msgspec.json.encode(
                {"sequence": position.first + row, "reason": bounded(reason), "event": msgspec.Raw(rows[row])}
            )
            for row, reason in partial.dead
        ),
    ]
