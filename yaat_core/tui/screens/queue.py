"""Queue and dead letters: how deep, by sink; what is in them; deliver again, purge, export."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import trio

from yaat_core.actions.base import Nothing
from yaat_core.actions.dead import (
    DEAD_LIST,
    DEAD_PURGE,
    DEAD_REPLAY,
    DEAD_SHOW,
    DeadList,
    DeadPurge,
    DeadReplay,
    DeadShow,
)
from yaat_core.actions.queue import (
    QUEUE_LIST,
    QUEUE_PURGE,
    QUEUE_SHOW,
    QUEUE_VERIFY,
    QueueList,
    QueuePurge,
    QueueShow,
)
from yaat_core.components import RecordInfo
from yaat_core.deadletters import Letter
from yaat_core.errors import YaatError
from yaat_core.tui import acting, commanding
from yaat_core.tui.keys import Key
from yaat_core.tui.layout import Columns, Node, Pane, Rows
from yaat_core.tui.screen import Screen
from yaat_core.tui.screens.letters import (
    Depth,
    depth,
    event_told,
    letters_told,
    listed,
    reason_of,
    total_told,
)
from yaat_core.tui.text import count, safe, size, span
from yaat_core.tui.themes import mark
from yaat_core.tui.widgets.fields import FieldSpec
from yaat_core.tui.widgets.table import Column, Table

#: Records, letters and events of one of them that are fetched.
_RECORDS: Final = 300
_LETTERS: Final = 1000
_EVENTS: Final = 200
#: Seconds between two looks while it is shown.
_EVERY: Final = 2.0


class QueueScreen(Screen):
    """Three lists: sinks, waiting records, dead letters."""

    help = """\
Destinations: what waits for each, and what each refused for good. D drops what waits for the selected one, r delivers
all of its dead letters again.
Waiting: records of the queue, oldest first; Enter shows the events of one, redacted as they are stored.
Dead letters: Space marks, Enter shows the events and why each was refused, r delivers again, D forgets."""

    def layout(self) -> Node:
        """Sinks above, the two lists below."""
        self.problem = ""
        self.depths: Table[Depth] = Table(
            [
                Column(title="destination", value=lambda one: one.sink, least=10, stretch=True),
                Column(title="state", value=lambda one: self._mark(one.state)[1], least=6, drop=1,
                       style=lambda one: self._mark(one.state)[0]),
                *(self._number(name) for name in ("queued", "dead", "delivered", "dropped", "lost")),
            ],
            identity=lambda one: one.sink,
            empty="no sink has a place in the queue yet",
            open=self._only,
            open_does="only its dead letters, or all again",
        )  # fmt: skip
        self.depths.name = "destinations"
        self.records: Table[RecordInfo] = Table(
            [
                Column(title="sequences", value=lambda one: f"{one.first}-{one.last}", least=9, stretch=True),
                Column(title="events", value=lambda one: count(one.last - one.first + 1), align="right", least=6),
                Column(title="bytes", value=lambda one: size(one.bytes), align="right", least=6, drop=1),
                Column(title="age", value=lambda one: span(time.time() - one.time_us / 1e6), align="right", least=6),
            ],
            identity=lambda one: one.first,
            empty="nothing waits: every sink has everything",
            open=self._show_record,
            open_does="its events",
        )  # fmt: skip
        self.records.name = "waiting records"
        self.letters: Table[Letter] = Table(
            [
                Column(title="since", value=lambda one: self._moment(one.time), least=11, drop=1),
                Column(title="sink", value=lambda one: one.sink.partition(".")[2], least=6, drop=2),
                Column(title="state", value=lambda one: self._mark(one.state)[1], least=6, drop=3,
                       style=lambda one: self._mark(one.state)[0]),
                Column(title="events", value=lambda one: count(one.events), align="right", least=6),
                Column(title="reason", value=reason_of, least=12, stretch=True),
            ],
            identity=lambda one: one.id,
            empty="no dead letters",
            open=self._show_letter,
            open_does="its events and reasons",
            marking=True,
        )  # fmt: skip
        self.letters.name = "dead letters"
        self.only = ""
        return Rows(
            Pane(self.depths, "Destinations", weight=2),
            Columns(
                Pane(self.records, self._records_title, weight=2),
                Pane(self.letters, self._letters_title, weight=3),
                weight=5,
                stack_below=70,
            ),
        )

    def _number(self, name: str) -> Column[Depth]:
        bad = {"dead": "class:warn", "lost": "class:error", "dropped": "class:warn"}
        return Column(
            title=name,
            value=lambda one: f"{getattr(one, name):,}",
            align="right",
            least=6,
            drop={"queued": 0, "dead": 0, "delivered": 2, "dropped": 3, "lost": 4}[name],
            style=lambda one: bad.get(name, "") if getattr(one, name) else "",
            sort=lambda one: getattr(one, name),
        )

    def keys(self) -> Sequence[Key]:
        """Replay, purge, verify, export."""
        return (
            Key(name="queue.replay", keys=("r",), does="deliver dead letters again: the marked ones, or all of the destination",
                run=self.replay, footer="replay", command="dead replay", changes=True),
            Key(name="queue.purge", keys=("D", "delete"), does="purge: dead letters, or what waits for the destination",
                run=self.purge, footer="purge", command="dead purge", changes=True),
            Key(name="queue.export", keys=("x",), does="export what waits into a file", run=self.export,
                footer="export", command="queue export"),
            Key(name="queue.verify", keys=("v",), does="read and check the whole queue", run=self.verify,
                footer="verify", command="queue verify"),
        )  # fmt: skip

    # --- what it shows

    async def live(self) -> None:
        """Look at both lists, while the screen is shown."""
        while True:
            if self.showing:
                await self.look()
            await trio.sleep(_EVERY if self.showing else 0.1)

    def opened(self) -> None:
        """Show what there is now."""
        self.shell.run_async(self.look)

    def arrived(self, about: Any) -> None:
        """Select a sink."""
        self.depths.select(str(about).removeprefix("sinks."))

    async def look(self) -> None:
        """Fetch both lists; what can't be had is told in their place."""
        try:
            if self.shell.store.connection in ("none", "lost"):
                self.depths.rows = await self._stored()
            found = await self.call(QUEUE_LIST, QueueList(limit=_RECORDS), tell=lambda _: None)
            letters = await self.call(
                DEAD_LIST, DeadList(sink=self.only or None, limit=_LETTERS), tell=lambda _: None
            )
        except YaatError as error:
            self.records.empty = self.letters.empty = error.what
            return
        self.records.empty, self.letters.empty = "nothing waits: every sink has everything", "no dead letters"
        self.records.rows = found.records
        self.letters.rows = letters.letters
        self.shell.changed()

    async def _stored(self) -> list[Depth]:
        """The accounts that the queue holds, without an agent."""
        from yaat_core.cli import offline

        setup = self.shell.setup
        if setup is None:
            return []
        accounting, _ = await trio.to_thread.run_sync(offline.account, setup, abandon_on_cancel=True)
        return [depth(sink, "stopped", account) for sink, account in accounting.by_sink.items()]

    def update(self) -> None:
        """The accounts."""
        status = self.shell.store.status
        if status is None or not self.shell.store.live:
            return
        states = {one.id: one.state for one in status.components}
        self.depths.rows = [
            depth(sink, states.get(f"sinks.{sink}", "stopped"), account)
            for sink, account in status.accounting.by_sink.items()
        ]

    def _records_title(self) -> str:
        status = self.shell.store.status
        if status is None or not self.shell.store.live:
            return "In the queue"
        return f"In the queue: {count(status.queue.events)} events wait, {size(status.queue.bytes)}"

    def _letters_title(self) -> str:
        return f"Dead letters of {self.only}" if self.only else "Dead letters"

    def _mark(self, state: str) -> tuple[str, str]:
        return mark(state, self.shell.glyphs)

    def _moment(self, at: str) -> str:
        moment = datetime.fromisoformat(at)
        return f"{(moment if self.shell.settings.utc else moment.astimezone()):%m-%d %H:%M}"

    def command_line(self) -> str:
        """Of what is selected."""
        focused = self.shell.focused()
        if focused is self.records and self.records.selected:
            return f"queue show {self.records.selected.first}"
        if focused is self.letters and self.letters.selected:
            return f"dead show {self.letters.selected.id}"
        return "dead list" if focused is self.letters else "queue list"

    async def _only(self, one: Depth) -> None:
        self.only = "" if self.only == one.sink else one.sink
        await self.look()

    async def _show_record(self, one: RecordInfo) -> None:
        shown = await self.call(QUEUE_SHOW, QueueShow(sequence=one.first, limit=_EVENTS))
        head = f"sequences {shown.first} to {shown.last}, accepted {shown.accepted_at}, {size(shown.bytes)}\n"
        await self.shell.message(
            f"Record {one.first}-{one.last}", head + "\n" + acting.document(shown.events)
        )

    async def _show_letter(self, one: Letter) -> None:
        shown = await self.call(DEAD_SHOW, DeadShow(id=one.id, limit=_EVENTS))
        reasons = "\n".join(f"  {number:>6} times: {safe(reason)}" for reason, number in one.reasons.items())
        answer = f"last answer after {one.attempts} attempts: {safe(one.answer)}\n" if one.answer else ""
        events = "\n\n".join(event_told(event.sequence, event.reason, event.event) for event in shown.events)
        await self.shell.message(
            f"Dead letter {one.id[:12]}: {one.events} events that {one.sink} refused",
            f"since {one.time}\n{answer}{reasons}\n\n{events}",
        )

    # --- what it does

    async def replay(self) -> None:
        """Deliver again what is marked or selected; on the destinations, all of one."""
        if self.shell.focused() is self.depths:
            one = self.depths.selected
            if one is None or not one.dead:
                self.shell.notify("it has no dead letters")
            elif await self.shell.confirm(
                f"Deliver the dead letters of {one.sink} again?",
                [
                    f"{one.dead:,} events are queued again, with the same ids.",
                    "What is refused again is dead again, with the new reason.",
                ],
                yes="Deliver again",
            ):
                await self._replay_all(one.sink)
            return
        letters = list(self.letters.chosen)
        if not letters:
            self.shell.notify("no dead letter is selected")
        elif await self.shell.confirm(
            f"Deliver {letters_told(len(letters))} again?",
            listed(letters),
            count=total_told(letters),
            yes="Deliver again",
        ):
            await self._replay_some(letters)

    async def _replay_all(self, sink: str) -> None:
        letters = events = 0
        after: str | None = None
        refused: list[str] = []
        while True:
            done = await self.call(DEAD_REPLAY, DeadReplay(sink=sink, after=after))
            letters, events, after = letters + done.letters, events + done.events, done.next
            refused += [f"{one.id[:12]} {one.problem}" for one in done.refused]
            if after is None:
                break
            self.shell.notify(f"{letters} letters queued again, {done.left} to go")
        await self._replayed(letters, events, refused)

    async def _replay_some(self, chosen: Sequence[Letter]) -> None:
        letters = events = 0
        refused: list[str] = []
        for one in chosen:
            done = await self.call(DEAD_REPLAY, DeadReplay(sink=one.sink, id=one.id))
            letters, events = letters + done.letters, events + done.events
            refused += [f"{one.id[:12]} {one.problem}" for one in done.refused]
        self.letters.marks.clear()
        await self._replayed(letters, events, refused)

    async def _replayed(self, letters: int, events: int, refused: Sequence[str]) -> None:
        await self.look()
        self.shell.notify(f"{letters_told(letters)} with {events:,} events queued to be delivered again")
        if refused:
            await self.shell.message("Some stay as they are", "\n".join(refused))

    async def purge(self) -> None:
        """Forget dead letters, or drop what waits for a destination."""
        if self.shell.focused() is self.letters:
            await self._purge_letters(list(self.letters.chosen))
        elif self.depths.selected is not None:
            await self._purge_queue(self.depths.selected)

    async def _purge_letters(self, chosen: Sequence[Letter]) -> None:
        if not chosen:
            self.shell.notify("no dead letter is selected")
            return
        if not await self.shell.confirm(
            f"Forget {letters_told(len(chosen))}?",
            [*listed(chosen), "Their events count as dropped, and can't be had back."],
            count=total_told(chosen),
            yes="Forget them",
            word="purge",
        ):
            return
        letters = events = 0
        for one in chosen:
            done = await self.call(DEAD_PURGE, DeadPurge(sink=one.sink, id=one.id))
            letters, events = letters + done.letters, events + done.events
        self.letters.marks.clear()
        await self.look()
        self.shell.notify(f"{letters_told(letters)} forgotten, {events:,} events count as dropped")

    async def _purge_queue(self, one: Depth) -> None:
        if not one.queued:
            self.shell.notify(f"nothing waits for {one.sink}")
            return
        if not await self.shell.confirm(
            f"Drop what waits for {one.sink}?",
            [f"{one.sink}: {one.queued:,} events wait", "They count as dropped, and can't be had back."],
            yes="Drop them",
            word=one.sink,
        ):
            return
        done = await self.call(QUEUE_PURGE, QueuePurge(sink=one.sink))
        await self.look()
        self.shell.notify(f"{done.events:,} events dropped for {one.sink}")

    async def verify(self) -> None:
        """Read the whole queue."""
        self.shell.notify("reading the queue ...")
        found = await self.call(QUEUE_VERIFY, Nothing())
        if found.ok:
            self.shell.notify("the queue is intact")
        else:
            await self.shell.message("The queue is damaged", acting.document(found.damage))

    async def export(self) -> None:
        """What waits, as JSON lines, by the command line in a process of its own."""
        values = await self.shell.fill_in(
            "Export what waits",
            [
                FieldSpec(name="file", help="JSON, a line for each event, redacted", example="waiting.jsonl", required=True),
                FieldSpec(name="from", kind="number", help="sequence of the first event"),
                FieldSpec(name="to", kind="number", help="sequence of the last event"),
            ],
            yes="Export",
        )  # fmt: skip
        if values is None:
            return
        words = ["queue", "export", "-o", values["file"]]
        words += [word for name in ("from", "to") if values[name] for word in (f"--{name}", values[name])]
        done = await commanding.run(self.shell, *words)
        said = (done.said or done.out).strip()
        if done.code:
            await self.shell.message("The export failed", said)
        else:
            self.shell.notify(said.rpartition("\n")[2] or f"written to {values['file']}")
