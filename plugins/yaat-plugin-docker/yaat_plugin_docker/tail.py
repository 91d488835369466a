"""One container's log: asked for, read, sent, again and again until it ends."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from math import inf
from typing import Final

import attrs
import trio

from yaat_core import EventBatch, Finding
from yaat_core.components import Receipt
from yaat_plugin_docker.container import Container, from_inspection
from yaat_plugin_docker.desk import Desk
from yaat_plugin_docker.engine import Engine, EngineError
from yaat_plugin_docker.frames import NotFrames, Unpacker
from yaat_plugin_docker.held import HeldLog
from yaat_plugin_docker.log import Log

_SECOND: Final = 1_000_000_000
#: Bytes that are taken apart at once: some ten thousand lines, since each batch has its price further on. And pieces
#: that wait meanwhile: the engine goes on writing.
_CHUNK: Final = 1 << 20
_PIECES: Final = 16
#: Engines write line by line. Seconds to wait for more of a log that is followed, before a batch is made.
_MOMENT: Final = 0.025
#: Seconds to wait after a piece of less than so many bytes, so that the next is larger; short ones while much comes.
#: What an engine may write into its socket ahead, some 300 lines, it writes in 3 ms: longer pauses would keep it waiting.
_MORSEL: Final = 16 << 10
_BREATH: Final = 0.005
_SHORT_BREATH: Final = 0.0005
#: Smaller ones are taken apart here, not in a thread.
_SMALL: Final = 8 << 10
#: podman: a log is read at least every so many `poll`, whatever it tells; reading takes at most one part of so many of the time.
_UNTOLD: Final = 10
_SHARE: Final = 5
_LONGEST_PAUSE: Final = 30.0


class Pauses:
    """Longer from one to the next, with full jitter."""

    def __init__(self, first: float = 0.2) -> None:
        self._first = first
        self._next = first

    def reset(self) -> None:
        """It worked."""
        self._next = self._first

    async def pause(self) -> None:
        """Wait."""
        longest, self._next = self._next, min(2 * self._next, _LONGEST_PAUSE)
        await trio.sleep(random.uniform(longest / 4, longest))


@attrs.frozen(kw_only=True)
class Pace:
    """Seconds, as the options say."""

    partial: float
    join: float
    poll: float


class Tail:
    """Reads one container's log to its end. `running` is kept up to date by whoever lists containers."""

    def __init__(self, container: Container, log: Log, engine: Engine, desk: Desk, pace: Pace) -> None:
        self.container = container
        self.running = container.running
        self.receipt: Receipt | None = None
        self._log = log
        self._engine = engine
        self._desk = desk
        self._pace = pace
        self._problem: Finding | None = None
        self._wake = trio.Event()
        self._heard = time.monotonic()
        self._unpacker = Unpacker(terminal=container.terminal)
        self._held = HeldLog.of(container.log_path, container.driver, engine.owner) if engine.podman else None

    @property
    def problem(self) -> Finding | None:
        """What is wrong with reading it now."""
        return self._problem

    def tell(self, *, running: bool) -> None:
        """What the engine lists."""
        if self.running and not running:
            self._wake.set()
        self.running = running

    async def run(self) -> None:
        """Until the container has ended and its log is read, or it is gone."""
        try:
            await (self._poll() if self._engine.podman else self._follow())
        except _Gone:
            whole = await self._read_left()
            await self._finish()
            if self._log.began and not whole:
                self._desk.lost_end(self.container)
        finally:
            if self._held is not None:
                self._held.close()

    async def once(self) -> None:
        """To the present end.

        Raises:
            EngineError: the engine does not answer.
        """
        try:
            await self._read()
            await self._engine.get("/version")  # an engine that went away looks like the end of a log
        except EngineError as error:
            if not error.gone:
                raise
        await self._finish()

    # --- ways -----------------------------------------------------------------------------------

    async def _follow(self) -> None:
        """First what is there, then what comes."""
        pauses = Pauses()
        caught_up = False
        while True:
            running = self.running
            found = await self._try(pauses, follow=running and caught_up)
            if found is None:
                continue
            if running and not caught_up:
                caught_up = True
            elif (running and not await self._is_there(pauses)) or (not running and not found):
                return await self._finish()

    async def _poll(self) -> None:
        """Without following: podman 4 leaves lines out of a log that is followed. It is only a sign that there are some."""
        gone = False
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._listen)
            try:
                await self._poll_to_the_end()
            except _Gone:
                gone = True
            nursery.cancel_scope.cancel()
        if gone:
            raise _Gone

    async def _poll_to_the_end(self) -> None:
        pauses = Pauses()
        while True:
            self._wake, running, began = trio.Event(), self.running, time.monotonic()
            if self._held is not None:
                self._held.refresh()
            found = await self._try(pauses, follow=False)
            if found is None:
                continue
            if not running:
                if found == 0:
                    await self._read_left()
                    return await self._finish()
                continue
            took = time.monotonic() - began
            await self._between(max(self._pace.poll - took, _SHARE * took, 0.01), grows=found > 0)

    async def _between(self, pause: float, *, grows: bool) -> None:
        """Until the next reading: soon when the log grows, else when there is a sign of it."""
        if self.running:
            await trio.sleep(pause)
        deadline = trio.current_time() + (0 if grows else _UNTOLD * self._pace.poll)
        while not self._wake.is_set() and self.running and trio.current_time() < deadline:
            with trio.move_on_after(min(self._quiet_for(), deadline - trio.current_time())):
                await self._wake.wait()
                return
            await self._send_quiet()

    async def _listen(self) -> None:
        """Be woken by whatever a followed log brings."""
        pauses = Pauses(1.0)
        while self.running:
            parameters = {"follow": "1", "stdout": "1", "stderr": "1", "tail": "0"}
            try:
                async with self._engine.log(self._path, parameters, followed=True) as chunks:
                    async for _ in chunks:
                        self._wake.set()
                        pauses.reset()
            except EngineError:
                self._wake.set()  # the next reading says what is wrong
            await pauses.pause()

    async def _try(self, pauses: Pauses, *, follow: bool) -> int | None:
        """Read; how many frames were new, or None when it has to be tried again."""
        try:
            found = await self._read(follow=follow)
        except EngineError as error:
            if error.gone:
                raise _Gone from None
            self._complain(error.what, error.fix)
        except NotFrames as error:
            self._complain(f"its log can't be read: {error}", "is the log driver one that can be read?")
        else:
            self._problem = None
            pauses.reset()
            return found
        await self._send_quiet()
        await pauses.pause()
        return None

    async def _is_there(self, pauses: Pauses) -> bool:
        """A followed log came to its end: is the container still there? Has it ended, too?"""
        try:
            seen = from_inspection(await self._engine.get(f"/containers/{self.container.id}/json"))
        except EngineError as error:
            if error.gone:
                return False
            self._complain(error.what, error.fix)
            await pauses.pause()
            return True
        if seen is not None:
            self.running = seen.running
        if self.running:
            await trio.sleep(random.uniform(0.05, 0.2))
        return True

    # --- reading --------------------------------------------------------------------------------

    @property
    def _path(self) -> str:
        return f"/containers/{self.container.id}/logs"

    async def _read(self, *, follow: bool = False) -> int:
        """One answer of the engine to its end; how many frames were new. `_finish` takes what is left of it."""
        since = self._log.begin(in_order=self._engine.podman)
        parameters = {"stdout": "1", "stderr": "1", "timestamps": "1", "follow": str(int(follow))}
        if since:
            seconds, rest = divmod(since, _SECOND)
            # podman takes whole seconds only, and writes no more: those of this second are passed over.
            parameters["since"] = str(seconds) if self._engine.podman else f"{seconds}.{rest:09}"
        self._unpacker = unpacker = Unpacker(terminal=self.container.terminal)
        found, failure = 0, _Failure()
        async with self._engine.log(self._path, parameters, followed=follow) as chunks:
            self._problem = None
            async with trio.open_nursery() as nursery:
                send, receive = trio.open_memory_channel[bytes](_PIECES)
                nursery.start_soon(_pump, chunks, send, failure)
                try:
                    while (data := await self._next(receive, _MOMENT if follow else inf)) is not None:
                        found += await self._take(unpacker, data) if data else await self._send_quiet()
                except NotFrames as error:
                    failure.error = error
                    nursery.cancel_scope.cancel()
            if failure.error is not None:
                raise failure.error
        self._desk.missed(self.container, self._log.missed())
        return found

    async def _read_left(self) -> bool:
        """From its file what a container wrote that was removed; False: it can't be known."""
        if self._held is None or not self._held.removed:
            return False
        pieces = self._held.pieces(self._log.begin(in_order=True), terminal=self.container.terminal)
        self._unpacker = unpacker = Unpacker(terminal=self.container.terminal)
        try:
            while (data := await trio.to_thread.run_sync(next, pieces, None)) is not None:
                await self._take(unpacker, data)
        except (NotFrames, OSError) as error:
            self._desk.unreadable(self.container, error)
            return False
        return True

    async def _finish(self) -> None:
        """The log was read to its end: what has no end of its own goes out as well."""
        await self._take(self._unpacker, None)
        await self._send(self._log.flush(unfinished=True))

    async def _next(self, receive: trio.MemoryReceiveChannel[bytes], moment: float) -> bytes | None:
        """What has come, and what more comes within a moment (in seconds); None at the end.

        Empty when it was quiet so long that something is due.
        """
        pieces: list[bytes] = []
        with trio.move_on_after(self._quiet_for()):
            try:
                pieces.append(await receive.receive())
            except trio.EndOfChannel:
                return None
        if pieces:
            with trio.move_on_after(moment), suppress(trio.EndOfChannel):
                size = len(pieces[0])
                while size < _CHUNK:
                    pieces.append(await receive.receive())
                    size += len(pieces[-1])
        return b"".join(pieces)

    async def _take(self, unpacker: Unpacker, data: bytes | None) -> int:
        if data is not None and len(data) > _SMALL:
            found, outgoing = await trio.to_thread.run_sync(self._log.take, unpacker, data)
        else:
            found, outgoing = self._log.take(unpacker, data)
        if found:
            self._heard = time.monotonic()
        await self._send(outgoing)
        return found

    # --- sending --------------------------------------------------------------------------------

    def _quiet_for(self) -> float:
        """Seconds until what is held back is due."""
        if not self._log.waiting:
            return inf
        patience = self._pace.partial if self._log.unfinished else self._pace.join
        return max(0.0, self._heard + patience - time.monotonic())

    async def _send_quiet(self) -> int:
        """What is due. Counts for nothing as new frames."""
        if self._log.waiting and not self._quiet_for():
            await self._send(self._log.flush(unfinished=True))
        return 0

    async def _send(self, outgoing: Sequence[tuple[EventBatch, dict[bytes, bytes | None]]]) -> None:
        for batch, checkpoints in outgoing:
            self.receipt = await self._desk.send(batch, checkpoints)

    def _complain(self, problem: str, advice: str) -> None:
        self._problem = Finding(
            problem=f"container {self.container.shown}: {problem}", advice=advice, level="warn"
        )


class _Gone(Exception):
    """The container was removed."""


@attrs.define
class _Failure:
    """What ended an answer before its end."""

    error: BaseException | None = None


async def _pump(chunks: AsyncIterator[bytes], send: trio.MemorySendChannel[bytes], failure: _Failure) -> None:
    async with send:
        before = 0
        try:
            async for chunk in chunks:
                await send.send(chunk)
                if len(chunk) < _MORSEL:
                    await trio.sleep(_BREATH if before + len(chunk) < _MORSEL else _SHORT_BREATH)
                before = len(chunk)
        except (OSError, trio.BrokenResourceError, trio.TooSlowError) as error:
            failure.error = error
