"""Lines in, rows out, without a socket; and a running source with its senders."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from support.agents import AgentProcess, wait_until

from yaat_core.config.options import Duration
from yaat_core.event import Event
from yaat_core.stats import ComponentStats, Stats
from yaat_core.testing import RecordingOutlet, make_context
from yaat_plugin_statsd.config import StatsdConfig
from yaat_plugin_statsd.reading import Reader
from yaat_plugin_statsd.source import StatsdSource
from yaat_plugin_statsd.tally import Tally
from yaat_plugin_statsd.window import Window, rows_of

#: Seconds that anything may take on a busy machine.
PATIENCE = 60


@attrs.define(eq=False, slots=False)
class Bench:
    """A reader and its window, cut by hand."""

    config: StatsdConfig
    stats: Stats = attrs.field(factory=Stats)

    def __attrs_post_init__(self) -> None:
        self.window = Window(self.config)
        self.reader = Reader(self.config, self.window, Tally(ComponentStats(self.stats, "sources.metrics")))

    def read(self, *lines: str | bytes) -> Bench:
        for line in lines:
            self.reader.read(line.encode() if isinstance(line, str) else line)
        return self

    def cut(self, seconds: float = 10.0) -> list[Event]:
        cut, forgotten = self.window.cut(seconds, time.time_ns() // 1000)
        if forgotten:
            self.reader.forget_routes()
        return [event for batch in rows_of(cut, self.config).batches() for event in batch]

    def values(self, seconds: float = 10.0) -> dict[str, float | None]:
        """Of a window in which names do not repeat."""
        events = self.cut(seconds)
        found = {event.metric_name or "": event.metric_value for event in events}
        assert len(found) == len(events), [event.metric_name for event in events]
        return found

    def notes(self) -> list[Event]:
        return self.reader.take_notes()

    def rejected(self) -> dict[str, float]:
        return counted(self.stats, "yaat_statsd_rejected_total", "reason")


def counted(stats: Stats, name: str, label: str) -> dict[str, float]:
    """One counter by one of its labels."""
    return {one.labels[label]: one.value for one in stats.snapshot() if one.name == name and one.value}


@pytest.fixture
def bench() -> Callable[..., Bench]:
    """``bench(option=...)``."""
    return lambda **options: Bench(StatsdConfig(**options))


@attrs.define(eq=False)
class Running:
    """A source that runs."""

    source: StatsdSource
    outlet: RecordingOutlet
    stats: Stats

    async def until(self, condition: Callable[[], object]) -> None:
        with trio.fail_after(PATIENCE):
            while not condition():
                await trio.sleep(0.01)

    def total(self, name: str) -> float:
        """Sum of a metric's values over all windows."""
        return sum(event.metric_value or 0 for event in self.outlet.events() if event.metric_name == name)


@asynccontextmanager
async def running(
    folder: Path, *listen: str, outlet: RecordingOutlet | None = None, **options: Any
) -> AsyncIterator[Running]:
    """A source in this process; cancelled at the end, as SIGTERM does."""
    stats = Stats()
    config = StatsdConfig(listen=listen, **{"window": Duration(0.2), "counters": ("count",), **options})
    source = StatsdSource(config, make_context(folder, "sources.metrics", stats=stats))
    one = Running(source, outlet or RecordingOutlet(), stats)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(source.run, one.outlet)
        await one.until(lambda: source.listening)
        yield one
        nursery.cancel_scope.cancel()


@pytest.fixture
def run_source(tmp_path: Path) -> Callable[..., Any]:
    """``async with run_source("udp://127.0.0.1:0", option=...) as one:``."""
    return partial(running, tmp_path)


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[StatsdAgent]:
    """A real agent on all transports, with a database."""
    with StatsdAgent(tmp_path / "yaat.yaml") as one:
        yield one


@attrs.define(eq=False)
class StatsdAgent(AgentProcess):
    """The agent as a process; its ports are those that it says in its log."""

    def begin(self, **options: str) -> StatsdAgent:
        folder = self.config.parent
        lines = "".join(f"    {key}: {value}\n" for key, value in options.items())
        self.config.write_text(_YAML + lines)
        (folder / "s").mkdir(exist_ok=True)
        before = self._listening()
        self.start()
        wait_until(lambda: self._listening() == before + 4, seconds=PATIENCE, what="it listens")
        return self

    def _listening(self) -> int:
        log = self.config.parent / "agent.log"
        return log.read_text(errors="replace").count("listening on") if log.exists() else 0

    def port(self, transport: str) -> int:
        found = re.findall(rf"listening on {transport}://127\.0\.0\.1:(\d+)", self.log())
        return int(found[-1])

    def end(self) -> None:
        """SIGTERM, and all is in the database."""
        assert self.terminate(seconds=PATIENCE) == 0, self.log()

    def sums(self) -> dict[str, float]:
        """The sum of each metric's values."""
        rows = self.query("SELECT metric_name AS name, sum(metric_value) AS value FROM metrics GROUP BY 1")
        return {row["name"]: row["value"] for row in rows}


_YAML = """\
version: 1
state_dir: state
health: {listen: "off"}
sinks:
  local: {type: duckdb}
sources:
  metrics:
    type: statsd
    listen: ["udp://127.0.0.1:0", "tcp://127.0.0.1:0", "unixgram://s/dgram", "unixstream://s/stream"]
"""
