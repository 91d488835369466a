"""One who looks at a tap: what is shown of what passed, how much, and at what cost."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Any, Final, Protocol

import attrs
import msgspec
import trio

from yaat_core.components import Processor
from yaat_core.discretion import discreet
from yaat_core.event import EventBatch
from yaat_core.taps import PERIOD, SHARE, Passage, Taken, Tap, TapBatch, Taps

#: Events from before the redaction that one look takes: each of them is compared.
MAX_COMPARED: Final = 2_000

Remake = Callable[[Sequence[str]], Sequence[Processor]]


class Behind(Protocol):
    """The queue, for a tap there."""

    def tail(self) -> int:
        """Sequence of the last event that it has."""
        ...

    def waiting(self, upto: int) -> AsyncGenerator[EventBatch, None]:
        """Up to this sequence, what waits for the databases."""
        ...


@attrs.define(eq=False)
class Look:
    """``remake`` makes the steps of a redaction anew, for these looks alone, as they are configured now: by ``configured``.
    ``filter`` keeps what is wanted. ``behind`` is the queue where that is the point; with ``backlog``, what waits in it comes
    first."""

    tap: Tap
    per_second: int
    filter: Processor | None
    remake: Remake
    configured: Callable[[], object] = object
    behind: Behind | None = None
    backlog: bool = False
    _steps: dict[tuple[str, ...], Sequence[Processor]] = attrs.field(factory=dict)
    _made_for: object = None

    async def batches(self, taps: Taps) -> AsyncIterator[TapBatch]:
        """What waits, if that is wanted; one document without events; then one whenever something passed. Until closed."""
        try:
            with taps.watching(self.tap):
                tail = None
                if self.behind is not None:
                    tail = self.behind.tail()
                    self.tap.begin(tail)
                if self.behind is not None and self.backlog:
                    async with aclosing(self.behind.waiting(tail or 0)) as waiting:
                        async for batch in waiting:
                            yield await trio.to_thread.run_sync(self._waited, batch, limiter=taps.threads)
                yield TapBatch(
                    at=self.tap.at,
                    events=(),
                    seen=0,
                    shown=0,
                    filtered=0,
                    hidden=0,
                    skipped=0,
                    seconds=0.0,
                    sequence=tail,
                )
                async with aclosing(self._passing(taps)) as passing:
                    async for told in passing:
                        yield told
        finally:
            self.close()

    async def _passing(self, taps: Taps) -> AsyncGenerator[TapBatch, None]:
        room, filled = float(self.per_second), trio.current_time()
        told = filled
        while True:
            await trio.sleep(PERIOD)
            taken, now = self.tap.take(), trio.current_time()
            room = min(float(self.per_second), room + (now - filled) * self.per_second)
            filled = now
            if taken.seen:
                batch, used = await trio.to_thread.run_sync(
                    self._looked, taken, int(room), now - told, limiter=taps.threads
                )
                room, told = room - batch.shown, now
                yield batch
                await trio.sleep(used / SHARE - used)

    def close(self) -> None:
        """Give back what the looking took."""
        self._forget()
        if self.filter is not None:
            self.filter.close()

    def _forget(self) -> None:
        for step in [one for steps in self._steps.values() for one in steps]:
            step.close()
        self._steps.clear()

    def _looked(self, taken: Taken, room: int, seconds: float) -> tuple[TapBatch, float]:
        """What is shown of these, and the seconds of a thread that it took. In a thread."""
        began = time.thread_time()
        shown: list[EventBatch] = []
        compared = MAX_COMPARED
        hidden = filtered = 0
        for passage in reversed(taken.passages):
            batch, gone = passage.batch, 0
            if room > 0 and passage.redaction:
                batch = batch.slice(max(0, len(batch) - (compared if self.filter else min(compared, room))))
                compared -= len(batch)
                batch, gone = self._discreet(batch, passage)
            if self.filter is not None and (room > 0 or not passage.redaction):
                matching, _ = self.filter.process(batch)
                filtered += len(batch) - len(matching)
                batch = matching
            hidden += gone
            if room > 0 and len(batch):
                shown.append(batch.slice(max(0, len(batch) - room)))
                room -= len(shown[-1])
        events = [row for batch in reversed(shown) for row in _rows(batch)]
        batch_told = TapBatch(
            at=self.tap.at,
            events=events,
            seen=taken.seen,
            shown=len(events),
            filtered=filtered,
            hidden=hidden,
            skipped=taken.seen - len(events) - filtered - hidden,
            seconds=round(seconds, 3),
            sequence=taken.passages[-1].last,
        )
        return batch_told, time.thread_time() - began

    def _waited(self, batch: EventBatch) -> TapBatch:
        """In a thread."""
        wanted = batch if self.filter is None else self.filter.process(batch)[0]
        return TapBatch(
            at=self.tap.at,
            events=_rows(wanted),
            seen=len(batch),
            shown=len(wanted),
            filtered=len(batch) - len(wanted),
            hidden=0,
            skipped=0,
            seconds=0.0,
            live=False,
        )

    def _discreet(self, batch: EventBatch, passage: Passage) -> tuple[EventBatch, int]:
        def redact(some: EventBatch) -> EventBatch:
            configured = self.configured()
            if configured is not self._made_for:
                self._forget()
                self._made_for = configured
            if passage.redaction not in self._steps:
                self._steps[passage.redaction] = self.remake(passage.redaction)
            for step in self._steps[passage.redaction]:
                some, _ = step.process(some)
            return some

        return discreet(batch, passage.before, passage.after, redact)


def _rows(batch: EventBatch) -> list[Any]:
    """Each event as JSON already: to make that of thousands of them would take the event loop too long."""
    from yaat_core.control.rows import rows_of

    return [msgspec.Raw(msgspec.json.encode(row)) for row in rows_of(batch.columns)]
