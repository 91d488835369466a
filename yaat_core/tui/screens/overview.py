"""Overview: how the agent is, what flows, what waits, and what happened lately."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import trio

from yaat_core.happenings import Happening
from yaat_core.status import ComponentStatus, Rates
from yaat_core.tui import figures, starting
from yaat_core.tui.keys import Key
from yaat_core.tui.layout import Columns, Node, Pane, Rows
from yaat_core.tui.screen import Screen
from yaat_core.tui.text import Line, cells, count, latency, safe, size, span, wrap
from yaat_core.tui.themes import mark
from yaat_core.tui.widgets.curves import Curves, bars_of
from yaat_core.tui.widgets.scrolling import Offset
from yaat_core.tui.widgets.table import Column, Table
from yaat_core.tui.widgets.viewing import Viewer

#: Looks at the latency histogram that the figures are made of: about a minute.
_LOOKS = 60
#: Seconds between two looks at the disk.
_DISK = 5.0
#: An event's level as the kind of its mark.
_LEVELS = {"info": "ok", "warning": "warn", "error": "error"}


class Overview(Screen):
    """The first screen."""

    help = """\
Health lists what is wrong now, each with its reason and what to do. Sources and destinations show events a second over
the last five seconds. Enter on a destination goes to what waits for it; on an event, to where it can be mended."""

    @property
    def stale(self) -> bool:
        """Are the numbers old?"""
        return self.shell.store.connection == "lost"

    def layout(self) -> Node:
        """Two columns above, two tables, the events."""
        self._looks: list[figures.Buckets] = []
        self.disk = "-"
        self.health = Health(self)
        self.sources: Table[ComponentStatus] = Table(
            [
                Column(title="name", value=lambda one: _name(one.id), least=10, stretch=True),
                Column(title="type", value=lambda one: one.type, least=6, drop=3),
                Column(title="state", value=lambda one: self.mark(one.state)[1], least=6, style=self._style),
                Column(title="ev/s", value=lambda one: self.rate(one, "in_"), align="right", least=5),
                Column(title="err/s", value=lambda one: self.rate(one, "errors"), align="right", least=5, drop=2),
                Column(title="last", value=self._last, align="right", least=5, drop=4),
            ],
            identity=lambda one: one.id,
            empty="no sources yet",
        )  # fmt: skip
        self.sinks: Table[ComponentStatus] = Table(
            [
                Column(title="name", value=lambda one: _name(one.id), least=8, stretch=True),
                Column(title="state", value=lambda one: self.mark(one.state)[1], least=6, style=self._style),
                Column(title="sent/s", value=lambda one: self.rate(one, "out"), align="right", least=5),
                Column(title="waits", value=lambda one: self._account(one, "queued"), align="right", least=5),
                Column(title="dead", value=lambda one: self._account(one, "dead"), align="right", least=4, drop=2),
                Column(title="p95", value=self._p95, align="right", least=6, drop=3),
                Column(title="last", value=self._last, align="right", least=5, drop=4),
            ],
            identity=lambda one: one.id,
            empty="no sinks yet",
            open=lambda one: self.shell.go("queue", about=one.id),
            open_does="what waits for it",
        )  # fmt: skip
        self.processors: Table[Rates] = Table(
            [
                Column(title="name", value=lambda one: _name(one.component), least=8, stretch=True),
                Column(title="ev/s", value=lambda one: count(one.in_), align="right", least=5),
                Column(title="dropped", value=self._dropped, align="right", least=7, drop=1),
                Column(title="err/s", value=lambda one: count(one.errors), align="right", least=5, drop=2),
            ],
            identity=lambda one: one.component,
            empty="no processors",
        )  # fmt: skip
        self.events: Table[Happening] = Table(
            [
                Column(title="time", value=lambda one: self._clock(one.at), least=8),
                Column(title="", value=lambda one: self._level(one)[1], least=3, style=lambda one: self._level(one)[0]),
                Column(title="component", value=lambda one: one.component, least=10, drop=1),
                Column(title="what", value=lambda one: one.what, least=20, stretch=True),
            ],
            identity=lambda one: one.number,
            empty="nothing happened yet",
            open=self._explain,
            open_does="what to do about it",
        )  # fmt: skip
        error = self.shell.setup_error if self.shell.setup is None else None
        self.errors = Viewer(error.render() if error else "", wrapped=False)
        return Rows(
            Pane(self.errors, "The configuration has errors", weight=6, when=lambda: error is not None),
            Columns(
                Pane(self.health, "Health", weight=2),
                Rows(
                    Pane(Curves(self._flow), self._flow_title, weight=4),
                    Pane(Curves(self._queue), self._queue_title, weight=3, needs=(0, 18)),
                    Pane(Latency(self), "Latency, from reading to delivery", size=3, needs=(0, 24)),
                    weight=3,
                ),
                weight=4,
                when=lambda: error is None,
            ),
            Columns(
                Pane(self.sources, "Sources", weight=2),
                Pane(self.processors, "Processors", needs=(140, 0)),
                Pane(self.sinks, "Destinations", weight=2),
                weight=3,
            ),
            Pane(self.events, "Events", weight=2, needs=(0, 22)),
        )

    def keys(self) -> Sequence[Key]:
        """To other screens, and to start an agent."""
        return (
            Key(
                name="overview.start",
                keys=("a",),
                does="start an agent",
                footer="start an agent",
                command="run",
                run=lambda: starting.offer(self.shell),
                when=lambda: not self.shell.store.live,
            ),
        )

    def update(self) -> None:
        """Rows of the tables, and one more look at the histogram."""
        status = self.shell.store.status
        if status is None:
            return
        kinds: dict[str, list[ComponentStatus]] = {}
        for one in status.components:
            kinds.setdefault(one.id.partition(".")[0], []).append(one)
        self.sources.rows = kinds.get("sources", [])
        self.sinks.rows = kinds.get("sinks", [])
        self.processors.rows = [one for one in status.rates if one.component.startswith("processors.")]
        self.events.rows = list(self.shell.store.happenings)[::-1]
        now = figures.buckets(self.shell.store.series_of("yaat_delivery_latency_seconds"))
        self._looks = [*self._looks[-_LOOKS:], now]

    async def live(self) -> None:
        """How much room the disk has, now and then: on another thread, since it may be far away."""
        while True:
            if self.shell.state_dir:
                self.disk = await trio.to_thread.run_sync(_disk, self.shell.state_dir, abandon_on_cancel=True)
            await trio.sleep(_DISK)

    def latencies(self) -> figures.Buckets:
        """Of about the last minute; of all there are when nothing was delivered in it."""
        if not self._looks:
            return []
        recent = figures.since(self._looks[-1], self._looks[0])
        return recent if any(n for _, n in recent) else self._looks[-1]

    # --- cells

    def mark(self, state: str) -> tuple[str, str]:
        """A state with its sign."""
        return mark(state, self.shell.glyphs)

    def _level(self, one: Happening) -> tuple[str, str]:
        return self.mark(_LEVELS[one.level])

    def _style(self, one: ComponentStatus) -> str:
        return self.mark(one.state)[0]

    def rate(self, one: ComponentStatus, kind: str) -> str:
        """Events a second."""
        return count(getattr(self.shell.store.rates.get(one.id, Rates(component=one.id)), kind))

    def _last(self, one: ComponentStatus) -> str:
        last = self.shell.store.rates.get(one.id, Rates(component=one.id)).last_event_seconds
        return "-" if last is None else "now" if last < 3 else span(last)

    def _account(self, one: ComponentStatus, kind: str) -> str:
        status = self.shell.store.status
        account = status.accounting.by_sink.get(_name(one.id)) if status else None
        return count(getattr(account, kind)) if account else "-"

    def _p95(self, one: ComponentStatus) -> str:
        own = [
            series
            for series in self.shell.store.series_of("yaat_delivery_latency_seconds")
            if series.labels.get("component") == one.id
        ]
        value = figures.quantile(figures.buckets(own), 0.95)
        return "-" if value is None else latency(value)

    def _dropped(self, one: Rates) -> str:
        status = self.shell.store.status
        dropped = status.accounting.dropped_before_queue if status else {}
        mine = f"{_name(one.component)}/"
        return count(sum(number for key, number in dropped.items() if key.startswith(mine)))

    def _clock(self, at: str) -> str:
        try:
            moment = datetime.fromisoformat(at)
        except ValueError:
            return safe(at)[:8]
        return f"{(moment if self.shell.settings.utc else moment.astimezone()):%H:%M:%S}"

    async def _explain(self, one: Happening) -> None:
        advice = one.advice or "Nothing to do."
        await self.shell.message(one.component, f"{one.at}\n{one.what}\n\n{advice}")

    # --- curves

    def _flow(self) -> Sequence[tuple[str, Sequence[float], str]]:
        history = self.shell.store.history
        return [
            ("in", list(history["in"]), "class:chart.0"),
            ("out", list(history["out"]), "class:chart.1"),
            ("err", list(history["errors"]), "class:chart.3"),
        ]

    def _flow_title(self) -> str:
        history = self.shell.store.history
        now = {name: history[name][-1] if history[name] else 0.0 for name in ("in", "out")}
        return f"Throughput, 5 min: in {count(now['in'])}/s, out {count(now['out'])}/s"

    def _queue(self) -> Sequence[tuple[str, Sequence[float], str]]:
        return [("", list(self.shell.store.history["queue"]), "class:chart.2")]

    def _queue_title(self) -> str:
        status = self.shell.store.status
        if status is None:
            return "Queue"
        queue = status.queue
        age = f", oldest {span(queue.oldest_seconds)}" if queue.events and queue.oldest_seconds >= 1 else ""
        return f"Queue: {count(queue.events)} events, {size(queue.bytes)}{age}"


class Health(Offset):
    """What is wrong with reasons, then the figures that matter."""

    name = "health"
    help = "What is wrong now, with the reason and what to do; then figures of the agent."

    def __init__(self, screen: Overview) -> None:
        super().__init__()
        self.screen = screen

    def draw(self, width: int, height: int, *, focused: bool) -> Sequence[Line]:
        """Problems first."""
        status = self.shell.store.status
        if status is None:
            return [
                [("class:dim", f" {line}")]
                for line in ("no agent answers yet", "", "a starts one", ": has all there is")
            ]
        lines: list[Line] = []
        for problem in status.health.problems:
            style, sign = mark(problem.level, self.shell.glyphs)
            lines.append([(style, f" {sign.split()[0]} {safe(problem.component)}")])
            lines += [[("", f"   {text}")] for text in wrap(safe(problem.what), max(8, width - 4))]
            if problem.advice:
                lines += [
                    [("class:dim", f"   {text}")] for text in wrap(safe(problem.advice), max(8, width - 4))
                ]
        if not lines:
            lines.append([("class:ok", f" {self.shell.glyphs.ok} everything works")])
        lines += self._figures(status, width)
        return self.shown(lines, height)

    def _figures(self, status: Any, width: int) -> list[Line]:
        components = [
            one for one in status.components if one.id.partition(".")[0] in ("sources", "processors", "sinks")
        ]
        well = sum(1 for one in components if one.state in ("ok", "done", "skipped"))
        accounts = status.accounting.by_sink.values()
        dropped = sum(status.accounting.dropped_before_queue.values())
        memory = figures.total(self.shell.store.series_of("yaat_process_resident_bytes"))
        rows: list[tuple[str, str, str]] = [
            ("agent", f"{status.state.replace('_', ' ')}, {status.version}", mark(status.state, self.shell.glyphs)[0]),
            ("components", f"{well} of {len(components)} well", "" if well == len(components) else "class:warn"),
            ("read", f"{status.accounting.read:,}", ""),
            ("dropped", f"{dropped:,} before queue", ""),
            ("dead letters", f"{sum(one.dead for one in accounts):,}", "class:warn" * any(one.dead for one in accounts)),
            ("lost", f"{sum(one.lost for one in accounts):,}", "class:error" * any(one.lost for one in accounts)),
            ("memory", size(memory) if memory else "-", ""),
            ("disk", self.screen.disk, ""),
        ]  # fmt: skip
        return [[("class:dim", f" {name:<13}"), (style, text)] for name, text, style in rows]


class Latency(Offset):
    """A histogram with its quantiles."""

    focusable = False

    def __init__(self, screen: Overview) -> None:
        super().__init__()
        self.screen = screen

    def draw(self, width: int, height: int, *, focused: bool) -> Sequence[Line]:
        """A bar for each bucket, then the quantiles."""
        found = self.screen.latencies()
        if not any(number for _, number in found):
            return [[("class:dim", " nothing was delivered yet")]]
        wide = max(1, min(4, (width - 2) // max(1, len(found))))
        values = [float(number) for _, number in found for _ in range(wide)]
        plain = self.shell.glyphs.ascii_only
        bars = bars_of(values, len(values), max(1, height - 1), gaps=True, ascii_only=plain)
        told = "  ".join(
            f"p{share} {latency(value)}"
            for share in (50, 95, 99)
            if (value := figures.quantile(found, share / 100)) is not None
        )
        below = f" 1 ms .. 60 s   {told}"
        if cells(below) > width:
            below = f" {told}"
        return [*([("class:chart.0", f" {row}")] for row in bars), [("class:dim", below)]]


def _name(id: str) -> str:
    return id.partition(".")[2] or id


def _disk(folder: str) -> str:
    try:
        found = os.statvfs(folder)
    except OSError:
        return "-"
    free, whole = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
    return f"{size(free)} free of {size(whole)}"
