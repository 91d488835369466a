"""The `file` source: turns of a `Follower` in a worker thread, sent as batches."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Final

import attrs
import trio

from yaat_core.components import Checkpoints, Context, Finding, Outlet, Receipt, Source
from yaat_core.event import EventBatch
from yaat_kit.following.follower import Follower, Pace, Selection
from yaat_kit.following.reader import Piece, Reader
from yaat_kit.following.tally import Tally
from yaat_kit.joining import make_joiner
from yaat_kit.multiline import Limits
from yaat_plugin_file.batches import batch_of
from yaat_plugin_file.checks import findings
from yaat_plugin_file.config import FileConfig

#: Checkpoints of new files in one send at most.
_REGISTRATIONS: Final = 1000


@attrs.frozen(eq=False)
class _Turn:
    """What one visit of the worker thread brought back; ``pause`` is in seconds."""

    batches: Sequence[tuple[Piece, EventBatch]]
    registrations: Checkpoints
    pause: float


class FileSource(Source):
    """Follows files. All file access happens in worker threads, one at a time."""

    def __init__(self, config: FileConfig, context: Context) -> None:
        self._config = config
        self._context = context
        self._selection = Selection(
            paths=[_absolute(context, pattern) for pattern in config.paths],
            exclude=[_absolute(context, one) if "/" in one else one for one in config.exclude],
            forbidden=[str(context.state_dir)],
            start_at_end=config.start_at == "end",
        )

    async def check(self) -> Sequence[Finding]:
        """Do the patterns find files, and can they be read?"""
        return await trio.to_thread.run_sync(findings, self._selection)

    async def run(self, out: Outlet) -> None:
        """Follow until cancelled; with ``once`` read what is there now and return when it is durable."""
        follower = self._follow(out)
        try:
            run = _Run(follower, out, self._context, self._config)
            await (run.once() if self._context.once else run.forever())
        finally:
            follower.close()

    def _follow(self, out: Outlet) -> Follower:
        config, context = self._config, self._context
        reader = Reader(
            joiner=make_joiner(config.multiline, Limits(lines=config.event_lines, bytes=config.event_bytes)),
            encoding=config.encoding,
            max_line_bytes=config.max_line_bytes,
            max_event_bytes=config.event_bytes,
            fingerprint_bytes=config.fingerprint_bytes,
        )
        pace = Pace(
            poll=config.poll,
            partial_timeout=config.partial_timeout,
            join_timeout=config.join_timeout,
            max_open_files=config.max_open_files,
        )
        return Follower(
            self._selection,
            reader,
            pace,
            out.checkpoints(),
            tally=Tally.of(context.stats, "yaat_file"),
            log=context.log,
            once=context.once,
        )


class _Run:
    """One run of a follower. The lock keeps its visits to worker threads apart."""

    def __init__(self, follower: Follower, out: Outlet, context: Context, config: FileConfig) -> None:
        self._follower = follower
        self._out = out
        self._context = context
        self._config = config
        self._lock = trio.Lock()
        self._found = trio.Event()

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
            while True:
                turn = await self._turn()
                await self._send(turn)
                if not turn.batches and turn.pause:
                    with trio.move_on_after(turn.pause):
                        await self._found.wait()

    async def _scan_again_and_again(self) -> None:
        while True:
            await trio.sleep(self._config.scan_interval)
            await self._scan()

    async def _scan(self) -> None:
        async with self._lock:
            found = await trio.to_thread.run_sync(self._scan_now)
        if found:
            self._found.set()

    def _scan_now(self) -> bool:
        return self._follower.scan(time.monotonic())

    async def _turn(self) -> _Turn:
        self._found = trio.Event()
        async with self._lock:
            return await trio.to_thread.run_sync(self._visit)

    def _visit(self) -> _Turn:
        """In the worker thread: read, and make batches of it."""
        now = time.monotonic()
        keep = self._config.keep_original
        pieces = self._follower.turn(now)
        batches = [(piece, batch_of(piece, self._context, keep_original=keep)) for piece in pieces]
        return _Turn(batches, self._follower.registrations(), self._follower.pause(now))

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


def _absolute(context: Context, text: str) -> str:
    return os.path.normpath(context.path(text))
