"""The agent: opens what it needs in the right order, runs the five rooms, and stops without losing anything.

lock the state directory ─▶ make the processors ─▶ open the queue ─▶ sinks say where they stand
─▶ decide where to go on ─▶ sources start ─▶ ... ─▶ sources stop ─▶ what is on its way becomes durable
─▶ sinks get what waits, within `shutdown_grace` ─▶ close
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

import trio

from yaat_core import __version__, config, ending, faults, querying, report, signals, upkeep
from yaat_core.components import Damage, QueryAnswer, QueryRequest, Record, RecordInfo
from yaat_core.config.model import Configuration
from yaat_core.control import health as health_endpoint
from yaat_core.control import server
from yaat_core.control.lock import StateLock
from yaat_core.deadletters import DeadEvent, Letter
from yaat_core.editor import Editor, desk_of
from yaat_core.engine import HEALTH, Engine
from yaat_core.errors import YaatError
from yaat_core.happenings import Happening
from yaat_core.health import HealthBoard
from yaat_core.housekeeping import keep_house, settle, watch_loop
from yaat_core.inspection import Inspector
from yaat_core.live import Live
from yaat_core.memory import bound_allocators
from yaat_core.notify import Notifier
from yaat_core.pipeline.delivery import SinkWorker
from yaat_core.plugins import Plugins
from yaat_core.reloading.asking import Reloader, tell_detected
from yaat_core.reloading.results import Reloaded
from yaat_core.replaying import Replayed
from yaat_core.rooms import Rooms, open_rooms
from yaat_core.stats import Stats
from yaat_core.status import AgentState, Status

log = logging.getLogger("yaat.agent")

#: Seconds beyond `shutdown_grace` after which a component that does not let go is left behind.
LAST_RESORT = 10.0
#: Seconds after which the service has started, even if a sink does not say where it stands.
READY_WITHIN = 15.0
#: Seconds that components have after a second signal.
AT_ONCE = 2.0


class Agent:
    """One running agent: implements `yaat_core.operations.Operations`."""

    def __init__(self, configuration: Configuration, plugins: Plugins, *, once: bool = False) -> None:
        self.stats = Stats()
        self.health = HealthBoard()
        self.live = Live(self.stats, plugins.registry, lambda: self._rooms, lambda: self._configuration)
        self.inspector = Inspector(self, plugins, lambda: self._rooms.workshop)
        self.notifier = Notifier.from_environment()
        self._engine = Engine(configuration, once=once)
        self._engine.serve_health = self._serve_health
        self._plugins = plugins
        self._once = once
        self._reloader = Reloader(
            self._engine, plugins, self.health, lambda: self._state, self.notifier.reloading
        )
        self.editor = Editor(lambda: desk_of(self._configuration, plugins), self.reload, self.status)
        self._state: AgentState = "starting"
        self._started = time.monotonic()
        self._stop = trio.Event()
        self._everything: trio.CancelScope | None = None
        self._in_the_way: YaatError | None = None

    @property
    def _configuration(self) -> Configuration:
        """Of what runs."""
        return self._engine.configuration

    @property
    def _rooms(self) -> Rooms:
        return self._engine.rooms

    # --- life ---

    async def run(self) -> int:
        """Run until stopped, or in ``once`` mode until everything is delivered; returns the exit code."""
        with self.live.hearing(), StateLock(self._configuration.state_dir):
            self._tell_plugins()
            self._engine.rooms = open_rooms(
                self._configuration,
                self.stats,
                self.health,
                once=self._once,
                query=self.query,
                taps=self.live.taps,
            )
            self._engine.all_hands()
            before = self._delivered_ever()
            try:
                async with trio.open_nursery() as nursery:
                    self._everything = nursery.cancel_scope
                    await self._serve(nursery)
                    await self._live(nursery)
                    nursery.cancel_scope.cancel()
            finally:
                self._state = "stopped"
                self._rooms.queue.close()
                self.notifier.close()
        return self._exit_code(before) if self._once else 0

    async def _serve(self, nursery: trio.Nursery) -> None:
        """What watches and answers, from before the sources start until after they have stopped."""
        if not self._once:
            await nursery.start(partial(signals.obey, self.stop, self._reloader.ask))
        await nursery.start(partial(server.serve, self, self._configuration.state_dir))
        if self._once:
            nursery.start_soon(self._end_in_time, nursery.cancel_scope)
        else:
            self._engine.services.add(HEALTH, self._serve_health)
            nursery.start_soon(self.notifier.run, self._in_short)
            nursery.start_soon(self.editor.run)
        nursery.start_soon(self._engine.services.run, trio.CancelScope())
        nursery.start_soon(self._rooms.retention.run)
        nursery.start_soon(watch_loop, self.stats)
        nursery.start_soon(self.live.run)
        nursery.start_soon(settle)
        nursery.start_soon(self._rooms.complaints.run)
        nursery.start_soon(keep_house, self._engine, self.stats, self.health)

    async def _serve_health(self) -> None:
        listen = self._configuration.health.listen
        await health_endpoint.serve(self, listen, self.health, self._plugins)

    async def _live(self, nursery: trio.Nursery) -> None:
        engine, rooms = self._engine, self._rooms
        sinks, writing, reading = trio.CancelScope(), trio.CancelScope(), trio.CancelScope()
        nursery.start_soon(engine.sinks.run, sinks)
        nursery.start_soon(_within, writing, rooms.writer.run)
        self._state = "waiting_for_sinks"
        nursery.start_soon(self._tell_ready)
        async with trio.open_nursery() as deciding:
            deciding.start_soon(_cancel_after, self._stop, deciding.cancel_scope)
            await rooms.start.decide()
            deciding.cancel_scope.cancel()
        self._state = "running"
        if rooms.start.decided.is_set():
            nursery.start_soon(engine.sources.run, reading)
            if self._once:
                await engine.sources.ended.wait()
            else:
                async with trio.open_nursery() as reloading:
                    reloading.start_soon(self._reloader.run)
                    await self._stop.wait()
                    reloading.start_soon(self._no_more_reloads, reloading.cancel_scope)
        await self._drain(reading)
        writing.cancel()
        sinks.cancel()
        await engine.sinks.ended.wait()
        await rooms.retention.forget()

    async def _drain(self, reading: trio.CancelScope) -> None:
        self._state = "draining"
        grace = None if self._once else float(self._configuration.shutdown_grace)
        log.info("stopping: what is on its way is made durable and delivered")
        self.health.diary.add("stop", "agent", "stopping: what is on its way is made durable and delivered")
        if grace is not None:
            _leave_behind_after(grace + LAST_RESORT)
            await self.notifier.stopping(grace + LAST_RESORT)
        with trio.CancelScope(deadline=float("inf") if grace is None else trio.current_time() + grace):
            if self._rooms.start.decided.is_set():
                reading.cancel()
                await self._engine.sources.ended.wait()
            await self._rooms.intake.drained()
            await self._rooms.writer.finish()
            await self._delivered()

    async def _no_more_reloads(self, scope: trio.CancelScope) -> None:
        """The one at work gets `shutdown_grace` to end."""
        with trio.move_on_after(float(self._configuration.shutdown_grace)):
            await self._reloader.close()
        scope.cancel()

    async def _tell_ready(self) -> None:
        """A sink that does not say where it stands may take long; the service has started all the same."""
        with trio.move_on_after(READY_WITHIN):
            await self._rooms.start.decided.wait()
        told = "started" if self._rooms.start.decided.is_set() else "started, and waits for its sinks"
        self.health.diary.add(
            "start", "agent", f"{told}: yaat {__version__}, pid {os.getpid()}, {self._counts()}"
        )
        await self.notifier.ready()

    def _in_short(self) -> str:
        """For `systemctl status`."""
        health = self.health.now()
        state = f"{self._state}: {self._counts()}"
        if not health.problems:
            return f"{state}, healthy"
        worst = next((one for one in health.problems if one.level == "error"), health.problems[0])
        return f"{state}, {_some(len(health.problems), 'problem')}: {worst.component}: {worst.what}"

    def _counts(self) -> str:
        whole = self._configuration
        return f"{_some(len(whole.sources), 'source')}, {_some(len(whole.sinks), 'sink')}"

    async def _delivered(self) -> None:
        """Returns when every sink that can be served has everything."""
        while any(self._still_delivering(worker) for worker in self._rooms.workers.values()):  # noqa: ASYNC110
            await trio.sleep(0.02)  # what is waited for is spread over lanes, keepers and the clock

    def _still_delivering(self, worker: SinkWorker) -> bool:
        if not worker.lane.queued:
            return False
        if worker.delivers:
            return True
        patience = float(self._configuration.shutdown_grace) if self._once else 0.0
        return trio.current_time() - worker.progress < patience

    async def _end_in_time(self, everything: trio.CancelScope) -> None:
        """`--once` does not wait for what can't come."""
        self._in_the_way = await ending.watch(self._rooms, float(self._configuration.shutdown_grace))
        everything.cancel()

    def _delivered_ever(self) -> int:
        return sum(lane.cursor.delivered for lane in self._rooms.lanes.values())

    def _exit_code(self, before: int) -> int:
        """0 when all is delivered, 5 when part is, 1 when nothing; ``before`` was delivered by earlier runs.

        Raises:
            YaatError: something is in the way for good; with one of these exit codes.
        """
        delivered = self._delivered_ever() > before
        if self._in_the_way is not None:
            raise ending.ended(self._in_the_way, delivered=delivered)
        undone = ending.undone(self._rooms)
        if undone is not None:
            raise ending.ended(undone, delivered=delivered)
        return 0

    # --- watching ---

    def _tell_plugins(self) -> None:
        for state in self._plugins.states:
            if state.state == "failed":
                self.health.set(
                    f"plugins.{state.name}",
                    f"not loaded: {state.reason}",
                    advice=f"yaat plugins show {state.name}",
                    level="warn",
                )
        tell_detected(self._configuration, self.health)

    # --- operations ---

    async def status(self) -> Status:
        """As `Operations.status`."""
        state = await self._rooms.door.state()
        figures = await report.queue_figures(self._rooms.lanes.values())
        report.gauges(self.stats, figures, self._rooms.lanes)
        keepers = [*self._rooms.sources.values(), *(worker.keeper for worker in self._rooms.workers.values())]
        return Status(
            version=__version__,
            pid=os.getpid(),
            state="storage_full" if self._rooms.door.unavailable else self._state,
            uptime_seconds=round(time.monotonic() - self._started, 3),
            config_file=str(self._configuration.path) if self._configuration.path else None,
            state_dir=str(self._configuration.state_dir),
            components=tuple(keeper.status() for keeper in keepers),
            health=self.health.now(),
            accounting=report.accounting(state),
            queue=figures,
            last_error=self.health.last_error,
            configuration=self._reloader.state(),
            rules=report.rules(self._rooms.workshop.stats),
            rates=self.live.rates(),
        )

    async def query(self, request: QueryRequest, sink: str | None = None) -> QueryAnswer:
        """As `Operations.query`."""
        return await querying.query(self._rooms, self._plugins, request, sink)

    async def queue_infos(self, after: int, limit: int) -> Sequence[RecordInfo]:
        """As `Operations.queue_infos`."""
        return await self._rooms.door.infos(after, limit=limit)

    async def queue_record(self, sequence: int) -> Record | None:
        """As `Operations.queue_record`."""
        records = await self._rooms.door.read(sequence - 1, max_rows=1, max_bytes=1)
        return records[0] if records and records[0].first <= sequence <= records[0].last else None

    async def queue_verify(self) -> Sequence[Damage]:
        """As `Operations.queue_verify`."""
        return await self._rooms.door.call(self._rooms.queue.verify)

    async def queue_purge(self, sink: str) -> int:
        """As `Operations.queue_purge`."""
        return await upkeep.queue_purge(self._rooms, sink)

    async def queue_repair(self) -> tuple[Sequence[Damage], Mapping[str, int]]:
        """As `Operations.queue_repair`."""
        return await upkeep.repair(self._rooms)

    async def queue_export(self, first: int, last: int | None) -> QueryAnswer:
        """As `Operations.queue_export`."""
        return await upkeep.export(self._rooms, first, last)

    async def dead_letters(self, sink: str | None, limit: int) -> tuple[Sequence[Letter], Mapping[str, int]]:
        """As `Operations.dead_letters`."""
        return await upkeep.dead_letters(self._rooms, sink, limit)

    async def dead_letter(self, id: str, limit: int) -> tuple[Letter, Sequence[DeadEvent]]:
        """As `Operations.dead_letter`."""
        return await upkeep.dead_letter(self._rooms, id, limit)

    async def dead_purge(self, sink: str, id: str | None) -> tuple[int, int]:
        """As `Operations.dead_purge`."""
        return await upkeep.dead_purge(self._rooms, sink, id)

    async def dead_replay(self, sink: str | None, id: str | None, after: str | None, limit: int) -> Replayed:
        """As `Operations.dead_replay`."""
        return await upkeep.dead_replay(self._rooms, sink, id, after, limit)

    async def accept_loss(self) -> None:
        """As `Operations.accept_loss`."""
        self._rooms.start.accept_loss()

    async def reload(self, by: str) -> Reloaded:
        """As `Operations.reload`."""
        return await self._reloader.reload(by)

    def happenings(self, after: int | None, limit: int) -> Sequence[Happening]:
        """As `Operations.happenings`."""
        diary = self.health.diary
        return diary.last(limit) if after is None else diary.after(after, limit)

    def stop(self) -> None:
        """As `Operations.stop`."""
        if not self._stop.is_set():
            self._stop.set()
        elif self._everything is not None:
            log.warning("stopping at once; what waits stays in the queue")
            _leave_behind_after(AT_ONCE)
            self._everything.cancel()

    def configuration(self) -> dict[str, Any]:
        """As `Operations.configuration`."""
        return config.show(self._configuration)


def run(configuration: Configuration, plugins: Plugins, *, once: bool = False, main: Any = Agent.run) -> int:
    """Run an agent in this thread; returns the exit code. ``main(agent)`` runs it, and may do something beside.

    Raises:
        YaatError: it could not start.
    """
    os.umask(0o077)
    faults.arm()
    bound_allocators()
    # elsewhere Ctrl-C could come in the middle of an import, which not every library survives
    made = Agent(configuration, plugins, once=once)
    return int(trio.run(main, made, restrict_keyboard_interrupt_to_checkpoints=True))


async def _within(scope: trio.CancelScope, work: Callable[[], Awaitable[None]]) -> None:
    with scope:
        await work()


def _some(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


async def _cancel_after(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()


def _leave_behind_after(seconds: float) -> None:
    """A component that never lets go of its thread must not keep the process alive: all that counts is durable."""

    def leave() -> None:
        log.error("a component did not stop within %.0f s; leaving it behind", seconds)
        os._exit(1)

    timer = threading.Timer(seconds, leave)
    timer.daemon = True
    timer.start()
