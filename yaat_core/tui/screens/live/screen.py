"""The screen: the tail of a point of the pipeline, what is wanted of it, an event in full."""

from __future__ import annotations

import collections
import shlex
from collections.abc import Sequence
from typing import Any, Final

import attrs
import click
import trio

from yaat_core.actions.live import TAP, WHY, TapGiven, WhyGiven
from yaat_core.errors import UsageError, YaatError
from yaat_core.tailing import LEVELS, Told, Wanted, joined, last_sql, quoted
from yaat_core.taps import QUEUE, TapBatch
from yaat_core.tui import asking, dialogs
from yaat_core.tui.keys import Key
from yaat_core.tui.layout import Columns, Node, Pane
from yaat_core.tui.screen import Screen
from yaat_core.tui.screens.live.pace import Pace
from yaat_core.tui.screens.live.showing import Entry, full_style, in_full
from yaat_core.tui.screens.live.tail import Tail
from yaat_core.tui.widgets.fields import FieldSpec
from yaat_core.tui.widgets.viewing import Viewer

#: Events of before that it begins with.
_LAST: Final = 200
#: Seconds between two attempts to reach the agent.
_AGAIN: Final = 1.0
_ANY: Final = "any"


class LiveScreen(Screen):
    """Events as they pass, of one point at a time."""

    help = """\
The last events of the database, then what the queue takes, as it comes. Times are yours, or UTC as in Settings.
f chooses what is wanted (text, level, service, any DuckDB expression), l the level alone; / narrows what is shown here.
p looks at another point: what leaves a source or a processor, what the queue takes, what comes to a sink.
A stream that is faster than the rate shows a part of itself, and the title says how much: more rate, or less filter."""

    def layout(self) -> Node:
        """The tail; on wide terminals the selected event beside it."""
        self.at = QUEUE
        self.wanted = Wanted()
        self.rate = 200
        self.pace = Pace()
        self.state = ""
        self._scope = trio.CancelScope()
        self._fresh = True
        self._beside: Entry | None = None
        self.tail = Tail(open=self._open)
        self.tail.on_select = self._selected
        self.full = Viewer(style=full_style, empty="the selected event in full")
        self.full.name = "event"
        return Columns(
            Pane(self.tail, self._title, weight=3),
            Pane(self.full, "Event", weight=2, needs=(140, 20)),
            stack_below=140,
        )

    def keys(self) -> Sequence[Key]:
        """What is wanted, from where; why; the trace."""
        return (
            Key(name="live.filter", keys=("f",), does="what is wanted: text, level, service, expression, rate",
                run=self.choose, footer="wanted", command="logs"),
            Key(name="live.level", keys=("l",), does="the next level: this one and worse", run=self.next_level,
                footer="level"),
            Key(name="live.point", keys=("p",), does="another point of the pipeline", run=self.choose_point,
                footer="point", command="tap"),
            Key(name="live.why", keys=("d",), does="why: where the event came from and what became of it",
                run=self.why, footer="why", command="why"),
            Key(name="live.trace", keys=("t",), does="everything of its trace, in Explore", run=self.trace,
                footer="trace"),
            Key(name="live.clear", keys=("C",), does="empty the list (the events stay stored)", run=self.clear),
        )  # fmt: skip

    # --- the stream

    async def live(self) -> None:
        """Follow the point; again with what is wanted now, and when the agent comes back."""
        while True:
            with trio.CancelScope() as self._scope:
                try:
                    await self._follow()
                except UsageError as error:
                    self._refused(error)
                    await trio.sleep_forever()  # until something else is wanted
                except YaatError as error:
                    await self._alone(error)
                    await trio.sleep(_AGAIN)

    def again(self) -> None:
        """Begin anew with what is wanted now."""
        self._fresh = True
        self.shell.post(self._scope.cancel)

    async def _follow(self) -> None:
        begin = self._begin()
        condition = self.wanted.condition()
        given = TapGiven(
            at=self.at, filter=condition, per_second=self.rate, backlog=begin and self.at == QUEUE
        )
        waiting: collections.deque[Told] = collections.deque(maxlen=_LAST)
        known: set[Any] = self.tail.known
        async with self.follow(TAP, given) as stream:
            async for batch in stream:
                if not batch.live:
                    waiting.extend(batch.events)
                    continue
                if self.state != "following":
                    if begin and self.at == QUEUE:
                        known |= self._add(joined(await self._stored(condition), waiting, lines=_LAST))
                    self.state = "following"
                    self.tail.empty = self._nothing()
                self._heard(batch, known)

    def _begin(self) -> bool:
        """Is it a beginning, and not a going on? The list is empty then."""
        self.state = ""
        self.pace = Pace()
        if not self._fresh:
            return not self.tail.known
        self._fresh = False
        self.tail.clear()
        self.full.text, self._beside = "", None
        self.tail.empty = "asking the agent ..."
        return True

    def _heard(self, batch: TapBatch, known: set[Any]) -> None:
        self.pace.heard(batch)
        self.tail.add(event for event in batch.events if event["event_id"] not in known)
        if self.showing:
            self.shell.changed()

    def _add(self, events: Sequence[Told]) -> set[Any]:
        self.tail.add(events)
        self.shell.changed()
        return {event["event_id"] for event in events}

    async def _stored(self, condition: str | None) -> list[Told]:
        """The last events of the database, oldest first; where there is none, nothing."""
        try:
            found: Sequence[Told] = await asking.rows(
                self.shell, last_sql(condition, None, _LAST), limit=_LAST
            )
        except YaatError as error:
            self.tail.empty = f"nothing from before: {error.what}"
            return []
        return list(reversed(found))

    def _refused(self, error: UsageError) -> None:
        self.state = "refused"
        fix = f"\n{error.fix}" if error.fix else ""
        self.tail.empty = f"{error.what}{fix}\nf changes what is wanted, p the point"
        self.shell.changed()

    async def _alone(self, error: YaatError) -> None:
        """Without an agent: the last events of the database, once."""
        if not self.tail.known and self.at == QUEUE:
            self._add(await self._stored(self.wanted.condition()))
        self.state = "alone"
        self.tail.empty = f"{error.what}\n{error.fix}\nit goes on by itself when there is one (: start)"
        self.shell.changed()

    def _nothing(self) -> str:
        filtered = self._told_wanted()
        if filtered:
            return f"nothing yet that is {filtered}\nf changes what is wanted, p looks at another point"
        return f"nothing passes {self.at} yet\np looks at another point, such as a source"

    # --- what is wanted

    async def choose(self) -> None:
        """A form."""
        now = self.wanted
        values = await self.shell.fill_in(
            "What is wanted",
            [
                FieldSpec(name="text", help="a regular expression in message or stack trace", value=now.grep or ""),
                FieldSpec(name="level", kind="choice", choices=(_ANY, *LEVELS), value=now.level or _ANY,
                          help="this one and worse ones"),
                FieldSpec(name="service", help="its name; several with commas", value=", ".join(now.services)),
                FieldSpec(name="expression", help="DuckDB, over an event", example="duration_ms > 500",
                          value=now.expression or ""),
                FieldSpec(name="everything", kind="flag", value="yes" if now.everything else "no",
                          help="spans and metrics too"),
                FieldSpec(name="rate", kind="number", value=str(self.rate), required=True,
                          help="events shown a second, 10,000 at most", check=_rate),
            ],
            yes="Follow",
        )  # fmt: skip
        if values is None:
            return
        self.wanted = Wanted(
            level=None if values["level"] == _ANY else values["level"],
            grep=values["text"] or None,
            services=[one for name in values["service"].split(",") if (one := name.strip())],
            expression=values["expression"].strip() or None,
            everything=values["everything"] == "yes",
        )
        self.rate = int(values["rate"])
        self.again()

    def next_level(self) -> None:
        """Any, info, warning, error, and round."""
        ring = (None, "info", "warning", "error")
        at = ring.index(self.wanted.level) if self.wanted.level in ring else 0
        self.wanted = attrs.evolve(self.wanted, level=ring[(at + 1) % len(ring)])
        self.again()

    async def choose_point(self) -> None:
        """A list of the points, along the pipeline."""
        status = self.shell.store.status
        if status is None or not self.shell.store.live:
            self.shell.notify("there is no agent to look into", error=True)
            return
        ids = [one.id for one in status.components]
        points = [
            *((one, "what leaves it") for one in ids if one.startswith(("sources.", "processors."))),
            (QUEUE, "what it takes"),
            *((one, "what comes to it") for one in ids if one.startswith("sinks.")),
        ]
        chosen = await self.shell.choose("Look at", "Texts are shown as the redaction leaves them.", points)
        if chosen is not None:
            self.look_at(points[chosen][0])

    def look_at(self, point: str) -> None:
        """Follow this point."""
        self.at = point
        self.again()

    def arrived(self, about: Any) -> None:
        """Somebody wants to see a component, or a service (``service:NAME``)."""
        kind, _, name = str(about).partition(":")
        if kind == "service":
            self.at, self.wanted = QUEUE, Wanted(services=(name,))
            self.again()
        else:
            self.look_at(str(about))

    def clear(self) -> None:
        """Empty the list."""
        self.tail.clear()

    # --- one event

    def update(self) -> None:
        """The selected event beside the list, also when the terminal has just become wide."""
        if self.tail.selected is not None:
            self._selected(self.tail.selected)

    def _selected(self, entry: Entry) -> None:
        if self.shell.size[0] >= 140 and entry is not self._beside:
            self._beside = entry
            self.full.text = in_full(entry.event)
            self.full.top = 0

    async def _open(self, entry: Entry) -> None:
        text = in_full(entry.event)
        shown = Viewer(text, style=full_style)
        await self.shell.ask(dialogs.reading("Event", text, widget=shown))

    async def why(self) -> None:
        """Its lineage."""
        entry = self.tail.selected
        if entry is None:
            self.shell.notify("no event is selected")
            return
        from yaat_core.cli.why import lines_of

        self.shell.notify("looking for it ...")
        told = await self.call(WHY, WhyGiven(event_id=str(entry.event["event_id"])))
        await self.shell.message("Why", click.unstyle("\n".join(lines_of(told))))

    def trace(self) -> None:
        """To Explore."""
        entry = self.tail.selected
        trace = str(entry.event.get("trace_id") or "") if entry else ""
        if not trace:
            self.shell.notify("the event has no trace_id" if entry else "no event is selected")
            return
        columns = (
            "timestamp, event_type, service_name, level, coalesce(operation, message) AS what, duration_ms"
        )
        self.shell.go(
            "explore",
            about=f"SELECT {columns}\nFROM events WHERE trace_id = {quoted(trace)}\nORDER BY timestamp",
        )

    # --- how it looks

    def _title(self) -> str:
        if self.state == "alone":
            return "Stored events: no agent is running"
        what = self._told_wanted()
        pace = f": {self.pace.told()}" if self.state == "following" else ""
        return f"{self.at}{pace}" + (f" ({what})" if what else "")

    def _told_wanted(self) -> str:
        now = self.wanted
        parts = [
            f"{now.level} or worse" if now.level else "",
            f"of {', '.join(now.services)}" if now.services else "",
            f"like {now.grep}" if now.grep else "",
            now.expression or "",
            "with spans and metrics" if now.everything else "",
        ]
        return " ".join(part for part in parts if part)

    def command_line(self) -> str:
        """`logs` where it can tell the same, else `tap`."""
        now = self.wanted
        rate = ["--rate", str(self.rate)] if self.rate != 200 else []
        if self.at != QUEUE or now.expression:
            condition = now.condition()
            return shlex.join(["tap", self.at, *(["--filter", condition] if condition else []), *rate])
        words = ["logs"]
        words += ["--level", now.level] if now.level else []
        words += ["--grep", now.grep] if now.grep else []
        words += [word for name in now.services for word in ("--service", name)]
        return shlex.join([*words, *(["--all"] if now.everything else []), *rate])


def _rate(text: str) -> str:
    return "" if text.isdecimal() and 1 <= int(text) <= 10_000 else "must be a number from 1 to 10000"
