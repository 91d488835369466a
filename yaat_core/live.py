"""What can be watched while the agent runs: rates and their last minutes, events that pass, the agent's own log."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import attrs
import trio

from yaat_core.components import Ask, ComponentId, Processor, TransactionalSink
from yaat_core.config.model import Configuration, Entry
from yaat_core.errors import UsageError
from yaat_core.event import EventBatch
from yaat_core.guessing import guess
from yaat_core.lineage.model import Lineage
from yaat_core.looking import Look
from yaat_core.own_log import Levels, OwnLog
from yaat_core.rates import History, Meter
from yaat_core.registry import Registry
from yaat_core.rooms import Rooms
from yaat_core.stats import Stats
from yaat_core.status import QueueFigures, Rates
from yaat_core.taps import QUEUE, Tap, TapBatch, Taps

#: Type of the processor that knows expressions over events.
FILTER: Final = "filter"
#: Events of what waits that are told at most, and at once, and bytes of them.
MOST_WAITING: Final = 10_000
PAGE: Final = 1_000
PAGE_BYTES: Final = 4 * 2**20
_KINDS: Final = ("sources", "processors", "queue", "sinks")


class Live:
    """Of one agent. ``rooms`` and ``configuration`` are asked again each time: both may be replaced."""

    def __init__(
        self,
        stats: Stats,
        registry: Registry,
        rooms: Callable[[], Rooms],
        configuration: Callable[[], Configuration],
    ) -> None:
        self.taps = Taps()
        self._registry = registry
        self._rooms = rooms
        self._configuration = configuration
        self._meter = Meter(stats, self._waits)
        self.log = OwnLog()
        self.levels = Levels()

    @contextmanager
    def hearing(self) -> Iterator[None]:
        """The log is kept from here to the end of the block."""
        root = logging.getLogger()
        root.addHandler(self.log)
        try:
            yield
        finally:
            root.removeHandler(self.log)

    async def run(self) -> None:
        """Until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._meter.run)
            nursery.start_soon(self.levels.run)

    # --- rates

    def rates(self) -> Sequence[Rates]:
        """Of every source, processor and sink."""
        components = dict.fromkeys([*self._points(), *self._meter.seen()])
        components.pop(QUEUE)
        return self._meter.rates(sorted(components, key=_place), trio.current_time())

    def history(self) -> History:
        """Of the last five minutes."""
        return self._meter.history(trio.current_time())

    def _waits(self) -> QueueFigures:
        lanes = list(self._rooms().lanes.values())
        return QueueFigures(
            events=max((lane.queued for lane in lanes), default=0),
            bytes=max((lane.backlog_bytes for lane in lanes), default=0),
            oldest_seconds=0.0,
        )

    # --- events

    async def tap(
        self, at: str, filter: str | None, per_second: int, *, backlog: bool = False
    ) -> AsyncIterator[TapBatch]:
        """Events that pass a point from now on; at the queue, with ``backlog``, what waits for databases first.

        Raises:
            UsageError: there is no such point, or the filter is no expression over events.
        """
        point = self._point(at)
        keeping = None
        if filter is not None:
            keeping = await trio.to_thread.run_sync(self._filter, filter)
        behind = Waiting(self._rooms) if point == QUEUE else None
        look = Look(Tap(point), per_second, keeping, self._remade, self._configuration, behind, backlog)
        return look.batches(self.taps)

    async def why(self, ask: Ask, event_id: str) -> Lineage:
        """The lineage of one event; ``ask`` questions the databases.

        Raises:
            UsageError: there is no such event here.
        """
        from yaat_core.lineage.telling import lineage  # seldom asked for

        return await lineage(self._rooms(), self._configuration(), ask, event_id)

    def _points(self) -> list[str]:
        """Where events can be looked at, along the pipeline."""
        whole = self._configuration()
        formats = [source.format for source in whole.sources.values() if source.format]
        entries: list[Entry] = [*whole.sources.values(), *formats, *whole.processors, *whole.sinks.values()]
        names = dict.fromkeys([*(str(entry.id) for entry in entries), QUEUE])
        return sorted(names, key=_place)

    def _point(self, name: str) -> str:
        points = self._points()
        if name in points:
            return name
        found = [point for point in points if point.partition(".")[2] == name]
        if len(found) == 1:
            return found[0]
        if found:
            raise UsageError(f"{name!r} is {' and '.join(found)}", fix=f"write {found[0]}")
        raise UsageError(f"there is no `{name}` to look at", fix=guess(name, _names(points)))

    def _filter(self, text: str) -> Processor:
        type = self._registry.find("processors", FILTER)
        if type is None:
            raise UsageError(
                f"nothing here knows expressions: no plugin provides the processor `{FILTER}`",
                fix="install yaat-plugin-sample, or filter the output (`--json | jq`)",
            )
        try:
            options = type.config(keep=text)
        except ValueError as error:
            said = str(error).partition(": ")[2] or str(error)
            raise UsageError(
                f"the filter is not an expression over an event: {said}",
                fix="write one like level = 'error' AND service_name = 'shop'",
            ) from None
        context = self._rooms().workshop.context(ComponentId("processors", "tap"))
        made: Processor = type.factory(options, context)
        return made

    def _remade(self, ids: Sequence[str]) -> Sequence[Processor]:
        """Steps of the redaction for a tap alone: the pipeline's own are at work, and count.

        Raises:
            LookupError: one of them is not configured any more.
        """
        entries = {str(entry.id): entry for entry in self._configuration().processors}
        shop = attrs.evolve(self._rooms().workshop, stats=Stats())
        made: list[Any] = [shop.make(entries[id]) for id in ids]
        return made


@attrs.frozen
class Waiting:
    """The queue as it is now: see `yaat_core.looking.Behind`."""

    rooms: Callable[[], Rooms]

    def tail(self) -> int:
        """Sequence of the last event."""
        return self.rooms().door.queue.state().tail

    async def waiting(self, upto: int) -> AsyncGenerator[EventBatch, None]:
        """What no database has yet, the newest of it."""
        rooms = self.rooms()
        lanes = [one.lane for one in rooms.workers.values() if isinstance(one.sink, TransactionalSink)]
        after = min((lane.cursor.done for lane in lanes), default=upto)
        after = max(after, upto - MOST_WAITING)
        while after < upto:
            records = await rooms.door.read(after, max_rows=PAGE, max_bytes=PAGE_BYTES)
            for record in records:
                if record.first > upto:
                    return
                yield record.batch.slice(
                    max(0, after + 1 - record.first), upto - max(after, record.first - 1)
                )
                after = record.last
            if not records:
                return


def _place(component: str) -> int:
    """Along the pipeline; within a kind the order stays."""
    return _KINDS.index(component.partition(".")[0])


def _names(points: Sequence[str]) -> list[str]:
    """Points with their kind, and those of one kind only by their bare names."""
    bare = [point.partition(".")[2] for point in points]
    return [*points, *(name for name in bare if name and bare.count(name) == 1)]
