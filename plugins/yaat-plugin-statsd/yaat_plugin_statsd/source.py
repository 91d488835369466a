"""The `statsd` source: sockets into a window, windows into batches."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence
from functools import partial
from typing import ClassVar, Final

import trio

from yaat_core.components import Context, Finding, Outlet, Source
from yaat_core.event import Event, EventBatch
from yaat_kit.listening import Address, Listener, findings, listen, receive_buffer
from yaat_plugin_statsd.config import StatsdConfig
from yaat_plugin_statsd.listeners import Datagrams, Streams
from yaat_plugin_statsd.origins import Origins
from yaat_plugin_statsd.reading import Reader
from yaat_plugin_statsd.rows import BATCH_ROWS
from yaat_plugin_statsd.tally import Tally
from yaat_plugin_statsd.trouble import Troubles
from yaat_plugin_statsd.window import Cut, Window, rows_of

#: Seconds that events wait for others to travel with.
_LINGER: Final = 0.1
#: Seconds for the open window to get into the pipeline when the source is stopped.
_LAST: Final = 5.0
#: Seconds between looks at what the kernel dropped.
_LOOK: Final = 1.0


class StatsdSource(Source):
    """Listens, aggregates, and sends a window at a time. Reading goes on while sending waits: the window grows longer."""

    supports_once: ClassVar[bool] = False

    def __init__(self, config: StatsdConfig, context: Context) -> None:
        self._config = config
        self._context = context
        self._addresses = [Address.parse(text).beside(context.config_dir) for text in config.listen]
        self._tally = Tally(context.stats)
        self._window = Window(config)
        self._reader = Reader(config, self._window, self._tally)
        self._origins = Origins() if config.origin_detection and config.origin_tags else None
        self._troubles = Troubles(config, self._tally, self._origins)
        self.listening: Sequence[Address] = ()
        """Where it listens, as soon as it does."""
        self._began = 0.0
        self._cuts: deque[Cut] = deque()
        self._batches: deque[EventBatch] = deque()

    async def check(self) -> Sequence[Finding]:
        """Can it listen where it is told to?"""
        found = await trio.to_thread.run_sync(lambda: [findings(one) for one in self._addresses])
        return [one for some in found for one in some]

    def problems(self) -> Sequence[Finding]:
        """What was lost lately, and why."""
        return self._troubles.now()

    async def run(self, out: Outlet) -> None:
        """Until cancelled; then what the sockets and the open window hold is sent, within `_LAST` seconds."""
        listeners = await trio.to_thread.run_sync(self._listen)
        self.listening = [one.address for one in listeners]
        self._began = trio.current_time()
        datagrams: list[Datagrams] = []
        try:
            async with trio.open_nursery() as nursery:
                for one in listeners:
                    serving = self._server(one)
                    if isinstance(serving, Datagrams):
                        datagrams.append(serving)
                    nursery.start_soon(serving.serve)
                nursery.start_soon(self._watch, datagrams)
                nursery.start_soon(self._send_windows, out)
        finally:
            try:
                for server in datagrams:
                    server.finish()
            finally:
                for listener in listeners:
                    listener.close()
                with trio.move_on_after(_LAST, shield=True):
                    await self._send_the_last(out)
                self._say_what_is_left()

    def _listen(self) -> list[Listener]:
        config, made = self._config, []
        try:
            for address in self._addresses:
                buffer = config.so_rcvbuf if address.datagrams else None
                made.append(listen(address, mode=int(config.socket_mode, 8), buffer=buffer))
        except BaseException:
            for one in made:
                one.close()
            raise
        return made

    def _server(self, listener: Listener) -> Datagrams | Streams:
        self._context.log.info("listening on %s", listener.address)
        if listener.address.datagrams:
            self._troubles.buffer = receive_buffer(listener.socket)
            return Datagrams(listener, self._reader.read, self._tally, origins=self._origins)
        limit = self._config.max_connections
        return Streams(listener, self._reader.read, self._tally, limit=limit, origins=self._origins)

    async def _watch(self, datagrams: Sequence[Datagrams]) -> None:
        while True:
            await trio.sleep(_LOOK)
            for one in datagrams:
                self._troubles.dropped(one.count_drops())

    # --- windows ---

    async def _send_windows(self, out: Outlet) -> None:
        while True:
            end = self._began + self._config.window
            with trio.move_on_at(end):
                await self._reader.noted.wait()
            if trio.current_time() < end:
                await trio.sleep(min(_LINGER, max(end - trio.current_time(), 0.0)))
            if trio.current_time() >= end:
                self._cut()
            await self._ship(out)

    def _cut(self) -> None:
        """End the window: quick, everything dear is done by `_ship` in a thread."""
        now = trio.current_time()
        seconds = max(now - self._began, 1e-6)
        cut, forgotten = self._window.cut(seconds, time.time_ns() // 1000)
        self._began = now
        if forgotten:
            self._reader.forget_routes()
        self._cuts.append(cut)
        refused, self._window.refused = self._window.refused, 0
        self._tally.refused.add(refused)
        self._tally.series.set(len(self._window))
        self._troubles.window_ended(refused)

    async def _ship(self, out: Outlet) -> None:
        """Everything that is ready. Cancelled at any point, what was not taken is still there for the next call."""
        self._batches.extend(_noted(self._reader.take_notes()))
        while self._cuts:
            batches, overflows = await trio.to_thread.run_sync(
                partial(_batches_of, self._cuts[0], self._config)
            )
            self._cuts.popleft()
            self._batches.extend(batches)
            self._tally.overflows.add(overflows)
        while self._batches:
            await out.send(self._batches[0])
            self._batches.popleft()

    async def _send_the_last(self, out: Outlet) -> None:
        self._cut()
        await self._ship(out)

    def _say_what_is_left(self) -> None:
        rows = sum(len(batch) for batch in self._batches)
        series = sum(len(cut.gathered) for cut in self._cuts)
        if rows or series:
            self._tally.shed.add(rows + series)
            self._context.log.error(
                "the pipeline took nothing for %.0f s at the end: %d rows and %d series of the last windows are lost",
                _LAST,
                rows,
                series,
            )


def _batches_of(cut: Cut, config: StatsdConfig) -> tuple[list[EventBatch], int]:
    rows = rows_of(cut, config)
    return list(rows.batches()), rows.overflows


def _noted(events: Sequence[Event]) -> Iterable[EventBatch]:
    for start in range(0, len(events), BATCH_ROWS):
        yield EventBatch.from_events(events[start : start + BATCH_ROWS])
