"""One run of a follower: its turns, its scans, and what wakes it up."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import Final

import attrs
import trio

from yaat_core.components import Checkpoints, Context, Finding, Outlet, Receipt
from yaat_core.event import EventBatch
from yaat_kit.following.follower import Follower
from yaat_kit.following.reader import Piece
from yaat_kit.following.wakeups import Watch
from yaat_plugin_file.batches import batch_of
from yaat_plugin_file.config import FileConfig

#: Scans take at most this share of the time.
_SCAN_SHARE: Final = 0.005
#: After each wake-up, so that a folder where much goes on costs little.
_BREATH: Final = 0.05
#: Checkpoints of new files in one send at most.
_REGISTRATIONS: Final = 1000


@attrs.frozen(eq=False)
class _Turn:
    """What one visit of the worker thread brought back; ``pause`` is in seconds."""

    batches: Sequence[tuple[Piece, EventBatch]]
    registrations: Checkpoints
    pause: float


class Run:
    """One run of a follower. The lock keeps its visits to worker threads apart."""

    def __init__(self, follower: Follower, out: Outlet, context: Context, config: FileConfig) -> None:
        self._follower = follower
        self._out = out
        self._context = context
        self._scan_interval = config.scan_interval
        self._keep_original = config.keep_original
        self._file_tags = config.file_tags
        self._lock = trio.Lock()
        self._found = trio.Event()
        self._next_scan = 0.0
        self._watch = Watch(context.log, follower.concerns)

    def problems(self) -> Sequence[Finding]:
        """What is wrong now."""
        unwatched = self._watch.problem
        return [*self._follower.findings(), *([unwatched] if unwatched else [])]

    async def once(self) -> None:
        """To the present end of every file."""
        last: Receipt | None = None
        await self._scan()
        while True:
            turn = await self._turn()
            last = await self._send(turn) or last
            if not turn.batches and turn.pause:
                break
        if last is not None:
            await last.durable()

    async def forever(self) -> None:
        """Scans go on while sending waits, so that no rotation is missed under backpressure."""
        await self._scan()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._scan_again_and_again)
            nursery.start_soon(self._be_woken)
            while True:
                turn = await self._turn()
                await self._send(turn)
                if not turn.batches and turn.pause:
                    with trio.move_on_after(turn.pause):
                        await self._found.wait()

    async def _scan_again_and_again(self) -> None:
        while True:
            await trio.sleep_until(trio.current_time() + self._next_scan - time.monotonic())
            await self._scan()

    async def _be_woken(self) -> None:
        """By what the system tells of changes. Its thread waits outside of the pool that others work in."""
        waiting = trio.CapacityLimiter(1)
        try:
            while True:
                paths = await trio.to_thread.run_sync(
                    self._watch.changes, abandon_on_cancel=True, limiter=waiting
                )
                if paths:
                    await self._notice(paths)
                    await trio.sleep(_BREATH)
        finally:
            self._watch.stop()

    async def _notice(self, paths: Collection[str]) -> None:
        async with self._lock:
            await trio.to_thread.run_sync(self._notice_now, paths)
        self._found.set()

    def _notice_now(self, paths: Collection[str]) -> None:
        if self._follower.notice(paths, time.monotonic()):
            self._scan_now()

    async def _scan(self) -> None:
        async with self._lock:
            found = await trio.to_thread.run_sync(self._scan_now)
        if found:
            self._found.set()

    def _scan_now(self) -> bool:
        began = time.monotonic()
        found = self._follower.scan(began)
        if not self._context.once and self._watch.follow(self._follower.folders()):
            # Between the scan and the watching something may have come.
            found = self._follower.scan(began) or found
        self._follower.watched = self._watch.complete
        now = time.monotonic()
        self._next_scan = now + max(self._scan_interval, (now - began) / _SCAN_SHARE)
        return found

    async def _turn(self) -> _Turn:
        self._found = trio.Event()
        async with self._lock:
            return await trio.to_thread.run_sync(self._visit)

    def _visit(self) -> _Turn:
        """In the worker thread: read, and make batches of it."""
        now = time.monotonic()
        batches = [(piece, self._batch(piece)) for piece in self._follower.turn(now)]
        return _Turn(batches, self._follower.registrations(), self._follower.pause(now))

    def _batch(self, piece: Piece) -> EventBatch:
        return batch_of(piece, self._context, self._file_tags, keep_original=self._keep_original)

    async def _send(self, turn: _Turn) -> Receipt | None:
        """Registrations first, or with the first events: a later checkpoint of the same file must win."""
        receipt = None
        *parts, registrations = _parts(turn.registrations)
        for part in parts:
            receipt = await self._out.send(EventBatch.empty(), part)
        if registrations and not turn.batches:
            return await self._out.send(EventBatch.empty(), registrations)
        for piece, batch in turn.batches:
            covered = {**registrations, piece.generation.key: piece.checkpoint.encode()}
            receipt = await self._out.send(batch, covered)
            self._follower.sent(piece)
            registrations = {}
        return receipt


def _parts(checkpoints: Checkpoints) -> list[Checkpoints]:
    """In writes of bounded size; at least one, which may be empty."""
    items = list(checkpoints.items())
    starts = range(0, len(items), _REGISTRATIONS) or [0]
    return [dict(items[start : start + _REGISTRATIONS]) for start in starts]
