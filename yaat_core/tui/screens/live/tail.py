"""The tail: the last events of a stream, with one selected, pins above, and what waits while it is paused."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from yaat_core.tui.keys import Key
from yaat_core.tui.screens.live.showing import BAD, Entry, in_full, line_of
from yaat_core.tui.text import Line, plain, width_of
from yaat_core.tui.widgets.scrolling import Moving

#: Events that are kept, and so many more before the oldest are let go.
KEPT: Final = 10_000
_SLACK: Final = 1_000
#: Pinned events that show.
_PINS: Final = 5
#: Columns from which the service is shown.
_WITH_SERVICE: Final = 66


class Tail(Moving):
    """Follows its end until somebody moves up or pauses it. Adding is cheap: lines are made when they are drawn."""

    name = "tail"
    help = (
        "Space pauses: what comes meanwhile waits and is counted. Moving up stops following, G follows again."
    )

    def __init__(self, *, open: Callable[[Entry], Any]) -> None:
        self.empty = "waiting for events ..."
        self.paused = False
        self.waiting = 0
        """Events that came while it is paused."""
        self.below = 0
        """Events that came since somebody moved up."""
        self.following = True
        self.on_select: Callable[[Entry], None] | None = None
        self._open = open
        self._entries: list[Entry] = []
        self._shown: list[Entry] = self._entries
        self._held: collections.deque[Entry] = collections.deque(maxlen=KEPT)
        self._pins: list[Entry] = []
        self._at = self._top = 0
        self._count = 0
        self._wanted, self._inverted = "", False

    # --- events

    def add(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Put events at the end; while paused they wait, the newest of them."""
        entries = []
        for event in events:
            self._count += 1
            entries.append(Entry(event, self._count))
        if self.paused:
            self.waiting += len(entries)
            self._held.extend(entries)
        else:
            self._take(entries)

    def _take(self, entries: Sequence[Entry]) -> None:
        before = len(self._shown)
        self._entries.extend(entries)
        if self._shown is not self._entries:
            self._shown.extend(one for one in entries if self._matches(one))
        if not self.following:
            self.below += len(self._shown) - before
        self._let_go()
        if self.following:
            self._at = max(0, len(self._shown) - 1)
            self._told()

    def _let_go(self) -> None:
        """The oldest, when there are too many; the selected one stays selected as long as it is there."""
        over = len(self._entries) - KEPT
        if over < _SLACK:
            return
        first = self._entries[over].number
        del self._entries[:over]
        gone = over
        if self._shown is not self._entries:
            gone = next((n for n, one in enumerate(self._shown) if one.number >= first), len(self._shown))
            del self._shown[:gone]
        self._at, self._top = max(0, self._at - gone), max(0, self._top - gone)

    def clear(self) -> None:
        """Forget every event but the pinned ones."""
        self._entries = []
        self._shown = self._entries
        self._held.clear()
        self.waiting = self.below = self._at = self._top = 0
        self.following = True
        self._arrange()

    def pause(self) -> None:
        """Stop, or go on with what waits."""
        self.paused = not self.paused
        if not self.paused:
            held = list(self._held)
            self._held.clear()
            self.waiting = 0
            self._take(held)

    @property
    def selected(self) -> Entry | None:
        """The event that keys act on."""
        return self._shown[self._at] if 0 <= self._at < len(self._shown) else None

    @property
    def known(self) -> set[Any]:
        """Identities of the newest events."""
        return {one.event.get("event_id") for one in self._entries[-KEPT // 10 :]}

    # --- filter

    def search(self, text: str) -> None:
        """Show the events that have it."""
        self._wanted = text.lower()
        self._arrange()

    def _invert(self) -> None:
        self._inverted = not self._inverted
        self._arrange()

    def _matches(self, entry: Entry) -> bool:
        return entry.matches(self._wanted) != self._inverted

    def _arrange(self) -> None:
        keep = self.selected
        if self._wanted:
            self._shown = [one for one in self._entries if self._matches(one)]
        else:
            self._shown = self._entries
        self._at = max(0, len(self._shown) - 1)
        if keep is not None and not self.following:
            self._at = next((n for n, one in enumerate(self._shown) if one.number >= keep.number), self._at)

    # --- moving

    def move(self, by: int) -> None:
        """The selection, so many events; at the last one it follows again."""
        last = len(self._shown) - 1
        self._go(max(0, min(self._at + by, last)))

    def move_to(self, *, end: bool) -> None:
        """To an end."""
        self._go(len(self._shown) - 1 if end else 0)

    def _go(self, at: int) -> None:
        self._at = max(0, at)
        self.following = self._at >= len(self._shown) - 1
        if self.following:
            self.below = 0
        self._told()

    def _told(self) -> None:
        if self.on_select is not None and self.selected is not None:
            self.on_select(self.selected)

    def hop(self, levels: Sequence[str], by: int) -> bool:
        """To the next or previous event of one of these levels; False: there is none."""
        shown = self._shown
        places = range(self._at + 1, len(shown)) if by > 0 else range(self._at - 1, -1, -1)
        for place in places:
            if shown[place].level in levels:
                self._go(place)
                return True
        return False

    def pin(self) -> None:
        """The selected event stays above, or no more."""
        one = self.selected
        if one is None:
            return
        if one in self._pins:
            self._pins.remove(one)
        else:
            self._pins = [*self._pins, one][-_PINS:]

    def unpin(self) -> None:
        """No event stays above."""
        self._pins.clear()

    # --- drawing

    def draw(self, width: int, height: int, *, focused: bool) -> Sequence[Line]:
        """Pins, then the events around the selected one."""
        lines = [self._row(one, width, "class:marked", self.shell.glyphs.mark) for one in self._pins]
        lines = lines[: max(0, height - 3)]
        if lines:
            lines.append([("class:rule", self.shell.glyphs.rule * width)])
        self.page = max(1, height - len(lines))
        if not self._shown:
            said = f"nothing matches “{self._wanted}”" if self._wanted and self._entries else self.empty
            return [*lines, *([("class:dim", f" {line}")] for line in said.split("\n"))]
        self._top = max(min(self._top, self._at), self._at - self.page + 1, 0)
        if self.following:
            self._top = max(0, len(self._shown) - self.page)
        for index in range(self._top, min(len(self._shown), self._top + self.page)):
            here = index == self._at
            style = ("class:selected" if focused else "class:selected.blur") if here else ""
            one = self._shown[index]
            sign = self.shell.glyphs.mark if one in self._pins else self.shell.glyphs.here if here else " "
            lines.append(self._row(one, width, style, sign))
        return lines

    def _row(self, one: Entry, width: int, style: str, sign: str) -> Line:
        service = width >= _WITH_SERVICE
        line = line_of(
            one, width=width, wanted=self._wanted, style=style, service=service, utc=self.shell.settings.utc
        )
        line.insert(0, (style, sign))
        return [*line, (style, " " * max(0, width - width_of(line)))] if style else line

    def keys(self) -> Sequence[Key]:
        """Moving, pause, jumping, pins, filter."""
        return (
            *super().keys(),
            Key(name="live.pause", keys=("space",), does="pause, or go on with what waits", footer="pause", run=self.pause),
            Key(name="live.open", keys=("enter",), does="every field of the event", footer="open", run=self._opening),
            Key(name="live.error", keys=("e",), does="next error", footer="next error", run=lambda: self._hop(BAD, 1)),
            Key(name="live.error-back", keys=("E",), does="previous error", run=lambda: self._hop(BAD, -1)),
            Key(name="live.warning", keys=("w",), does="next warning", run=lambda: self._hop(("warning",), 1)),
            Key(name="live.warning-back", keys=("W",), does="previous warning", run=lambda: self._hop(("warning",), -1)),
            Key(name="live.pin", keys=("m",), does="pin the event above, or unpin it", footer="pin", run=self.pin),
            Key(name="live.unpin", keys=("M",), does="unpin every event", run=self.unpin),
            Key(name="live.invert", keys=("!",), does="show what the filter does not match", run=self._invert),
        )  # fmt: skip

    @property
    def _opening(self) -> Callable[[], Any]:
        async def opening() -> None:
            if self.selected is not None:
                await self._open(self.selected)

        return opening

    def _hop(self, levels: Sequence[str], by: int) -> None:
        if not self.hop(levels, by):
            what = "error" if levels is BAD else "warning"
            self.shell.notify(f"no {'further' if by > 0 else 'earlier'} {what} among these events")

    def click(self, column: int, row: int) -> None:
        """Select the event."""
        pins = min(len(self._pins), _PINS)
        self._go(min(self._top + row - (pins + 1 if pins else 0), len(self._shown) - 1))

    # --- telling

    def note(self) -> str:
        """Paused, how much waits, where it is."""
        filtered = f"{'not ' * self._inverted}/{self._wanted}  " if self._wanted else ""
        if self.paused:
            lost = self.waiting - len(self._held)
            return f"{filtered}paused, +{self.waiting:,} waiting" + (f", {lost:,} let go" if lost else "")
        if not self.following:
            return f"{filtered}{self._at + 1:,} of {len(self._shown):,}, +{self.below:,} new (G)"
        return f"{filtered}{len(self._shown):,} events" if self._shown else filtered

    def copied(self) -> str:
        """The selected event in full."""
        return in_full(self.selected.event) if self.selected else ""

    def dump(self) -> str:
        """Every event that shows, a line each."""
        return "\n".join(
            plain(line_of(one, width=4000, wanted="", style="", service=True, utc=self.shell.settings.utc))
            for one in self._shown
        )
