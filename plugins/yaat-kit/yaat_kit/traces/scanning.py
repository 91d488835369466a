"""Where one trace begins and ends."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Final

import attrs
import pyarrow.compute as pc
import re2

from yaat_kit.multiline import Limits, fits
from yaat_kit.traces.grammar import BLANK, PATIENCE, RECORD, TEXT, Grammar, State

#: A line is told by so many of its first characters.
_LOOKED_AT: Final = 400
_BLOCK: Final = 128
#: The same frames come again and again.
_REMEMBERED: Final = 8192
#: Bytes that the automaton may take, which finds all patterns in one pass.
_MEMORY: Final = 32 << 20

Kinds = frozenset[str]


class Matcher:
    """Which patterns of some grammars a line matches: one pass over it for all of them."""

    def __init__(self, grammars: Sequence[Grammar]) -> None:
        self._patterns = sorted({pattern for grammar in grammars for pattern in grammar.patterns()})
        options = re2.Options()
        options.max_mem = _MEMORY
        self._set = re2.Set.MatchSet(options)
        for pattern in self._patterns:
            self._set.Add(pattern)
        self._set.Compile()
        self._known: dict[tuple[int, ...], Kinds] = {}
        self._recent: dict[str, Kinds] = {}

    def kinds(self, text: str) -> Kinds:
        """The patterns that match; `TEXT` among them when it is neither blank nor a record's first line."""
        kinds = self._recent.get(text)
        if kinds is None:
            if len(self._recent) >= _REMEMBERED:
                self._recent.clear()
            kinds = self._recent[text] = self._matched(text)
        return kinds

    def _matched(self, text: str) -> Kinds:
        found = tuple(self._set.Match(text) or ())
        kinds = self._known.get(found)
        if kinds is None:
            names = {self._patterns[index] for index in found}
            kinds = frozenset(names if names & {BLANK, RECORD} else names | {TEXT})
            self._known[found] = kinds
        return kinds


class Rows:
    """The kinds of each line of a string array, found when they are asked for."""

    def __init__(self, text: Any, matcher: Matcher) -> None:
        self._text = text
        self._matcher = matcher
        self._blocks: dict[int, list[str]] = {}
        self._kinds: dict[int, Kinds] = {}

    def __len__(self) -> int:
        return len(self._text)

    def __getitem__(self, row: int) -> Kinds:
        kinds = self._kinds.get(row)
        if kinds is None:
            number, within = divmod(row, _BLOCK)
            block = self._blocks.get(number)
            if block is None:
                part = self._text.slice(number * _BLOCK, _BLOCK)
                block = self._blocks[number] = pc.utf8_slice_codeunits(part, 0, _LOOKED_AT).to_pylist()
            kinds = self._kinds[row] = self._matcher.kinds(block[within])
        return kinds


@attrs.frozen
class Lead:
    """The event begins with line ``first``, its trace with line ``begin``; ``titled``: that line names the exception."""

    first: int
    begin: int
    titled: bool = False


@attrs.frozen
class Trace:
    """Lines ``first`` to ``end`` (exclusive) are one event, those from ``begin`` on its trace.

    ``title`` are the lines that say what happened. ``open``: it may go on in lines to come; ``divided``: it
    goes on in the next event.
    """

    first: int
    begin: int
    end: int
    title: tuple[int, int]
    open: bool = False
    divided: bool = False

    @property
    def bare(self) -> bool:
        """There is no line before the trace to be its message."""
        return self.first == self.begin


@attrs.frozen(eq=False)
class Bounds:
    """How far an event may reach. ``ends`` is of `line_ends`; ``final``: no line comes after these."""

    ends: Any
    limits: Limits
    final: bool

    def cap(self, first: int) -> int:
        """Where an event that begins at line ``first`` has to end."""
        return fits(self.ends, first, len(self.ends) - 1, self.limits)


def lead_of(grammar: Grammar, rows: Rows, anchor: int, limit: int) -> Lead:
    """Look backwards from an anchor, not before line ``limit``: for a header, and for the record that tells of it."""
    begin, titled = anchor, False
    for row in range(anchor - 1, max(limit, anchor - PATIENCE) - 1, -1):
        kinds = rows[row]
        if RECORD in kinds:
            return Lead(row, begin, titled)
        if BLANK in kinds:
            if grammar.through_blank:
                continue
            break
        if grammar.header in kinds:
            begin, titled = row, True
            if not kinds.isdisjoint(grammar.bare):
                return Lead(begin, begin, titled)
        elif grammar.inner in kinds and row == begin - 1:
            begin = row
        elif grammar.telling in kinds:
            return Lead(row, begin, titled)
    before = begin - 1
    alone = before < limit or BLANK in rows[before]
    return Lead(begin if alone else before, begin, titled)


def traces_at(
    grammars: Sequence[Grammar], rows: Rows, anchor: int, limit: int, bounds: Bounds
) -> Trace | None:
    """The trace that an anchor shows, by the first grammar that knows it; None when it is none.

    The event has no line before ``limit``.
    """
    kinds = rows[anchor]
    for grammar in grammars:
        for pattern, state in grammar.anchors:
            if pattern in kinds:
                lead = (
                    Lead(anchor, anchor) if pattern in grammar.bare else lead_of(grammar, rows, anchor, limit)
                )
                found = _follow(grammar, state, rows, anchor, lead, bounds)
                if found is not None:
                    return found
                break
    return None


def _follow(
    grammar: Grammar, state: str, rows: Rows, anchor: int, lead: Lead, bounds: Bounds
) -> Trace | None:
    """From the anchor on as far as its states lead."""
    cap = bounds.cap(lead.first)
    if cap <= anchor:
        lead = Lead(anchor, anchor)
        cap = bounds.cap(anchor)
    here = grammar.states[state]
    titles = [(lead.begin, anchor)] if lead.titled else []
    if here.title:
        titles.append((anchor, anchor + 1))
    row, patience = anchor + 1, 0
    end = row if here.accepts else -1
    while row < len(rows):
        kinds = rows[row]
        step = _step(here, kinds)
        if step is None:
            break
        here = grammar.states[step]
        if row >= cap:
            if here.accepts:
                return _made(grammar, lead, cap, titles, divided=True)
            break
        patience = 0 if here.accepts else patience + 1
        if patience > PATIENCE:
            break
        if here.title:
            _lengthen(titles, row)
        row += 1
        end = row if here.accepts else end
    else:
        if here.steps and not bounds.final:
            return _made(grammar, lead, max(end, anchor + 1), titles, open=True)
    return _made(grammar, lead, end, titles) if end > 0 else None


@functools.lru_cache(maxsize=4096)
def _step(state: State, kinds: Kinds) -> str | None:
    """Where a line of these kinds leads. The beginning of a record leads nowhere."""
    if RECORD in kinds:
        return None
    return next((to for pattern, to in state.steps if pattern in kinds), None)


def _lengthen(titles: list[tuple[int, int]], row: int) -> None:
    if titles and titles[-1][1] == row:
        titles[-1] = (titles[-1][0], row + 1)
    else:
        titles.append((row, row + 1))


def _made(
    grammar: Grammar,
    lead: Lead,
    end: int,
    titles: list[tuple[int, int]],
    *,
    open: bool = False,
    divided: bool = False,
) -> Trace:
    inside = [(start, min(stop, end)) for start, stop in titles if start < end]
    title = inside[-1 if grammar.last_title else 0] if inside else (lead.begin, lead.begin + 1)
    return Trace(lead.first, lead.begin, end, title, open=open, divided=divided)
