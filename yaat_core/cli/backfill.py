"""How far `yaat run --once` is, on a terminal: a line on stderr while it reads and delivers."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import attrs
import trio

from yaat_core.cli import units
from yaat_core.cli.door import Door
from yaat_core.cli.progress import Progress

if TYPE_CHECKING:
    from yaat_core.agent import Agent
    from yaat_core.stats import Stats

#: Seconds between two looks.
_EVERY: Final = 0.25


@attrs.frozen(kw_only=True)
class Backfill:
    """What was read and delivered so far. ``bytes_left`` are those of files, as far as sources tell: None when none does."""

    read: int = 0
    delivered: int = 0
    bytes_read: int = 0
    bytes_left: int | None = None

    @classmethod
    def of(cls, stats: Stats) -> Backfill:
        """As the agent's instruments say. Of several sinks the one that has the least delivered counts."""
        counts: dict[str, float] = {}
        sinks: dict[str, float] = {}
        for one in stats.snapshot():
            counts[one.name] = counts.get(one.name, 0) + one.value
            if one.name == "yaat_events_delivered_total":
                sinks[str(one.labels)] = sinks.get(str(one.labels), 0) + one.value
        left = _ending(counts, "_lag_bytes")
        return cls(
            read=int(counts.get("yaat_events_read_total", 0)),
            delivered=int(min(sinks.values(), default=0)),
            bytes_read=int(_ending(counts, "_read_bytes_total") or 0),
            bytes_left=None if left is None else int(left),
        )

    def share(self) -> tuple[int, int]:
        """How much of all bytes is delivered, by the share of the events."""
        done = self.bytes_read * self.delivered // max(1, self.read)
        return done, self.bytes_read + (self.bytes_left or 0)

    def text(self) -> str:
        """For the line."""
        told = f"{units.count(self.read)} events read, {units.count(self.delivered)} delivered"
        if self.bytes_left is None:
            return told
        return f"{told}, {units.size(self.bytes_left)} of files left"


def _ending(counts: Mapping[str, float], end: str) -> float | None:
    found = [value for name, value in counts.items() if name.endswith(end)]
    return sum(found) if found else None


async def shown(agent: Agent, door: Door) -> int:
    """Run the agent with the line; the log stays readable above it. Returns the exit code."""
    with Progress(door, "") as progress:
        clearing = _Clearing(progress)
        handlers = list(logging.getLogger().handlers)
        for handler in handlers:
            handler.addFilter(clearing)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_show, agent, progress)
                code = await agent.run()
                nursery.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            if group.subgroup(KeyboardInterrupt) is not None:
                raise KeyboardInterrupt from None
            raise
        finally:
            for handler in handlers:
                handler.removeFilter(clearing)
    return code


async def _show(agent: Agent, progress: Progress) -> None:
    while True:
        now = Backfill.of(agent.stats)
        if now.bytes_left is None:
            progress.say(now.text())
        else:
            progress.share(*now.share(), now.text())
        await trio.sleep(_EVERY)


class _Clearing(logging.Filter):
    """Takes the line away before a record is written; it comes again at the next look."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self._progress = progress

    def filter(self, record: logging.LogRecord) -> bool:
        self._progress.clear()
        return True
