"""Text to read: facts by name, documents, diffs, and a log that keeps its last lines."""

from __future__ import annotations

import collections
import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from yaat_core.tui.keys import Key
from yaat_core.tui.text import Line, cells, clip, fit, plain, safe, wrap
from yaat_core.tui.widgets.scrolling import Offset

Fact = tuple[str, object] | tuple[str, object, str]


class Facts(Offset):
    """Names and values; a value may have a style. Set `facts`; values are wrapped, never cut."""

    name = "facts"

    def __init__(self, facts: Sequence[Fact] = (), *, empty: str = "") -> None:
        super().__init__()
        self.facts: Sequence[Fact] = facts
        self.empty = empty

    def draw(self, width: int, height: int, *, focused: bool) -> Sequence[Line]:
        """The facts, names in a column of their own."""
        if not self.facts:
            return [[("class:dim", f" {line}")] for line in self.empty.split("\n")]
        names = min(max(cells(safe(fact[0])) for fact in self.facts), max(8, width // 3))
        lines: list[Line] = []
        for name, value, *style in self.facts:
            head = fit(safe(name), names)
            for text in wrap(safe(value, lines=True), max(8, width - names - 3)):
                lines.append([("class:dim", f" {head}  "), (style[0] if style else "", text)])
                head = " " * names
        return self.shown(lines, height)

    def copied(self) -> str:
        """All of them, a line each."""
        return "\n".join(f"{safe(fact[0])}: {safe(fact[1])}" for fact in self.facts)

    def dump(self) -> str:
        """As copied."""
        return self.copied()


class Viewer(Offset):
    """A text: wrapped (or not), searched with ``/``, hits walked with n and N."""

    name = "text"

    def __init__(
        self,
        text: str = "",
        *,
        style: Callable[[str], str] | None = None,
        empty: str = "",
        wrapped: bool = True,
    ) -> None:
        super().__init__()
        self._text, self._style, self.empty = safe(text, lines=True), style, empty
        self._wanted = ""
        self._wrap = wrapped
        self._cache: tuple[Any, list[Line], list[int]] | None = None

    @property
    def text(self) -> str:
        """What it shows, made harmless."""
        return self._text

    @text.setter
    def text(self, text: str) -> None:
        self._text, self._cache = safe(text, lines=True), None

    def draw(self, width: int, height: int, *, focused: bool) -> Sequence[Line]:
        """The part that shows."""
        if not self._text:
            return [[("class:dim", f" {line}")] for line in self.empty.split("\n")]
        lines, _ = self._laid(width)
        return self.shown(lines, height)

    def _laid(self, width: int) -> tuple[list[Line], list[int]]:
        """Every line, and which of them are hits."""
        key = (width, self._wanted, self._wrap)
        if self._cache is None or self._cache[0] != key:
            lines: list[Line] = []
            hits: list[int] = []
            for source in self._text.split("\n"):
                style = self._style(source) if self._style else ""
                for text in wrap(source, max(1, width - 2)) if self._wrap else [source.expandtabs(4)]:
                    if self._wanted and self._wanted in text.lower():
                        hits.append(len(lines))
                    lines.append([("", " "), *lit(text, self._wanted, style)])
            self._cache = (key, lines, hits)
        return self._cache[1], self._cache[2]

    def search(self, text: str) -> None:
        """Light up what matches, and go to the first hit."""
        self._wanted = text.lower()
        if self._wanted:
            self._hop(1, self.top)

    def _hop(self, by: int, start: int | None = None) -> None:
        hits = self._cache[2] if self._cache and self._cache[0][1] == self._wanted else None
        if hits is None:
            width = self._cache[0][0] if self._cache else 80
            hits = self._laid(width)[1]
        after = [hit for hit in hits if (hit > self.top if start is None else hit >= start)]
        before = [hit for hit in hits if hit < self.top]
        found = (after[:1] or hits[:1]) if by > 0 else (before[-1:] or hits[-1:])
        if found:
            self.top = found[0]

    def keys(self) -> Sequence[Key]:
        """Moving, hits, wrapping."""
        return (
            *super().keys(),
            Key(name="text.next", keys=("n",), does="next hit", run=lambda: self._hop(1)),
            Key(name="text.previous", keys=("N",), does="previous hit", run=lambda: self._hop(-1)),
            Key(name="text.wrap", keys=("w",), does="wrap long lines, or not", run=self._turn),
        )

    def _turn(self) -> None:
        self._wrap = not self._wrap

    def copied(self) -> str:
        """The whole text."""
        return self._text

    def dump(self) -> str:
        """The whole text."""
        return self._text

    def note(self) -> str:
        """Hits, and how far down it is."""
        hits = len(self._cache[2]) if self._cache and self._wanted else 0
        return f"/{self._wanted} {hits} hits " * bool(self._wanted) + super().note()


class Diff(Viewer):
    """A unified diff, coloured."""

    name = "diff"

    def __init__(self, text: str = "", *, empty: str = "no difference") -> None:
        super().__init__(text, style=_diff_style, empty=empty)

    def between(self, before: str, after: str, name: str = "") -> None:
        """Show what differs."""
        lines = difflib.unified_diff(
            before.splitlines(), after.splitlines(), f"{name} (before)", f"{name} (after)", lineterm=""
        )
        self.text = "\n".join(lines)


def _diff_style(line: str) -> str:
    if line.startswith(("+++", "---")):
        return "class:strong"
    return {"+": "class:diff.add", "-": "class:diff.remove", "@": "class:diff.at"}.get(line[:1], "")


class Log(Offset):
    """The last ``keep`` lines of a stream. Follows its end until somebody scrolls up or pauses it.

    Adding is cheap: a line is made harmless and laid out when it is drawn.
    """

    name = "log"

    def __init__(self, *, keep: int = 10_000, empty: str = "nothing yet") -> None:
        super().__init__()
        self._lines: collections.deque[tuple[int, Line]] = collections.deque(maxlen=keep)
        self._held: collections.deque[tuple[int, Line]] = collections.deque(maxlen=keep)
        self.added = 0
        self.waiting = 0
        """Lines that came while it is paused."""
        self.paused = False
        self.empty = empty
        self._wanted, self._inverted = "", False
        self.marks: Mapping[str, Callable[[Line], bool]] = {}
        """What e and w jump to: `error` and `warning` to a test of a line."""

    def add(self, lines: Iterable[Line]) -> None:
        """Put lines at the end; while paused they wait."""
        for line in lines:
            self.added += 1
            if self.paused:
                self.waiting += 1
                self._held.append((self.added, line))
            else:
                self._lines.append((self.added, line))

    def clear(self) -> None:
        """Forget every line."""
        self._lines.clear()
        self._held.clear()
        self.waiting = 0
        self.top = 0

    def draw(self, width: int, height: int, *, focused: bool) -> Sequence[Line]:
        """The lines at the end, or where it was scrolled to. Long lines are cut."""
        lines = self._matching()
        if not lines:
            text = f"nothing matches “{self._wanted}”" if self._wanted and self._lines else self.empty
            return [[("class:dim", f" {line}")] for line in text.split("\n")]
        follow = self.top + self.page >= self.total
        self.page, self.total = max(1, height), len(lines)
        if follow and not self.paused:
            self.top = max(0, self.total - self.page)
        self.top = max(0, min(self.top, self.total - self.page))
        return [line for _, line in islice(lines, self.top, self.top + height)]

    def _matching(self) -> Sequence[tuple[int, Line]]:
        if not self._wanted:
            return self._lines
        return [one for one in self._lines if (self._wanted in plain(one[1]).lower()) != self._inverted]

    def pause(self) -> None:
        """Stop, or go on with what waits."""
        self.paused = not self.paused
        if not self.paused:
            self._lines.extend(self._held)
            self._held.clear()
            self.waiting = 0
            self.top = len(self._lines)

    def search(self, text: str) -> None:
        """Show the lines that have it."""
        self._wanted = text.lower()

    def hop(self, mark: str, by: int) -> None:
        """To the next or previous line for which the test of ``mark`` holds."""
        test, lines = self.marks.get(mark), list(self._matching())
        if test is None:
            return
        places = range(self.top + 1, len(lines)) if by > 0 else range(min(self.top, len(lines)) - 1, -1, -1)
        for place in places:
            if test(lines[place][1]):
                self.top = min(place, max(0, self.total - self.page)) if by > 0 else place
                return

    def keys(self) -> Sequence[Key]:
        """Moving, pause, jumping."""
        return (
            *super().keys(),
            Key(name="log.pause", keys=("space",), does="pause, or go on", footer="pause", run=self.pause),
            Key(name="log.error", keys=("e",), does="next error", run=lambda: self.hop("error", 1)),
            Key(name="log.error-back", keys=("E",), does="previous error", run=lambda: self.hop("error", -1)),
            Key(name="log.warning", keys=("w",), does="next warning", run=lambda: self.hop("warning", 1)),
            Key(name="log.warning-back", keys=("W",), does="previous warning", run=lambda: self.hop("warning", -1)),
            Key(name="log.invert", keys=("!",), does="show what the filter does not match", run=self._invert),
        )  # fmt: skip

    def _invert(self) -> None:
        self._inverted = not self._inverted

    def copied(self) -> str:
        """What shows."""
        return "\n".join(plain(line) for _, line in islice(self._matching(), self.top, self.top + self.page))

    def dump(self) -> str:
        """Every line that is kept and matches."""
        return "\n".join(safe(plain(line)) for _, line in self._matching())

    def note(self) -> str:
        """Whether it is paused, with how many lines waiting, and the filter."""
        filtered = f"{'not ' * self._inverted}/{self._wanted}  " if self._wanted else ""
        if self.paused:
            return f"{filtered}paused, +{self.waiting:,} waiting"
        return filtered + super().note()


def lit(text: str, wanted: str, style: str = "") -> Line:
    """The text with every hit of ``wanted`` (lower case) lit up."""
    if not wanted:
        return [(style, text)]
    line: Line = []
    lower, at = text.lower(), 0
    while (found := lower.find(wanted, at)) >= 0:
        line += [(style, text[at:found]), ("class:match", text[found : found + len(wanted)])]
        at = found + len(wanted)
    return [*line, (style, text[at:])]


def one_line(text: str, width: int) -> str:
    """Data as one line of at most ``width`` columns."""
    return clip(safe(text), width)
