"""Lines to events: which lines are one event.

A `Joiner` is a pure function of the lines from the first unfinished event on. What it does not
consume is joined again when more is there, so that it keeps no state and any division of the same lines
gives the same events. `Limits` bound an event: one that is larger is divided, and its rest is joined as
if the stream began there.
"""

from __future__ import annotations

import abc
from collections.abc import Iterator
from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_kit.lines import NO_LINES, Lines


@attrs.frozen(kw_only=True)
class Limits:
    """The largest event: ``lines``, and ``bytes`` of UTF-8 with newlines (a longer line is an event of its own)."""

    lines: int = 1000
    bytes: int = 1 << 20


#: What holds when nothing else is said.
DEFAULT_LIMITS: Final = Limits()


@attrs.frozen(eq=False)
class Joined:
    """Events as columns of equal length.

    ``message`` is a string array, ``stacktrace`` one with nulls, or None when no event has one;
    ``starts`` are int64 offsets of the events' first bytes; ``cut`` is how many bytes they miss because a line was too long;
    ``divided`` tells which go on in the next event because they reached a limit. ``bare`` tells which stacktraces hold
    the message's lines, too (None: no event has a stacktrace). ``lines`` is how many of the lines are used up.
    """

    message: Any
    stacktrace: Any
    starts: Any
    cut: Any
    lines: int
    divided: Any
    bare: Any = None

    def __len__(self) -> int:
        return len(self.starts)

    def slice(self, start: int, stop: int) -> Joined:
        """Some of the events; ``lines`` stays that of all."""
        return attrs.evolve(
            self,
            message=self.message.slice(start, stop - start),
            stacktrace=None if self.stacktrace is None else self.stacktrace.slice(start, stop - start),
            starts=self.starts[start:stop],
            cut=self.cut[start:stop],
            divided=self.divided[start:stop],
            bare=None if self.bare is None else self.bare[start:stop],
        )

    def original(self) -> Any:
        """The lines of each event as they were, joined by newlines: a string array."""
        if self.stacktrace is None:
            return self.message
        whole = pc.binary_join_element_wise(self.message, self.stacktrace, "\n")
        whole = pc.if_else(pa.array(self.bare), self.stacktrace, whole)
        return pc.coalesce(whole, self.message)


class Joiner(abc.ABC):
    """Decides which lines are one event."""

    @abc.abstractmethod
    def join(self, lines: Lines, *, final: bool = False) -> Joined:
        """Events of the first ``lines``; an event that may still go on is left out, unless ``final``."""


class SingleLines(Joiner):
    """Every line is an event."""

    def join(self, lines: Lines, *, final: bool = False) -> Joined:
        """All lines, always."""
        return Joined(lines.text, None, lines.starts, lines.cut, len(lines), np.zeros(len(lines), bool))


class Pattern(Joiner):
    """Events by a pattern, RE2, found in each line.

    ``joins`` tells what a line that matches (``inverted``: one that does not) does: with ``after`` it is
    joined by the line behind it, otherwise it joins the line before it. With ``start``, only from a line on that matches
    ``start``; other lines are events by themselves.
    """

    def __init__(
        self,
        joins: str,
        *,
        inverted: bool = False,
        after: bool = False,
        start: str | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._joins = joins
        self._inverted = inverted
        self._after = after
        self._start = start
        self._limits = limits

    def join(self, lines: Lines, *, final: bool = False) -> Joined:
        """Events from their first line to the last that joins."""
        count = len(lines)
        joins, goes_on = self._links(lines.text)
        starts = None if self._start is None else np.flatnonzero(_found(lines.text, self._start))
        if starts is not None:
            joins &= np.arange(count) > _first_start(joins, starts, count)
        bounds = np.append(np.flatnonzero(~joins), count).astype(np.int64)
        bounds, divided = self._divide(lines.text, bounds, starts)
        used = count
        if not final and count and goes_on and (starts is None or _in_group(joins, starts, count)):
            used = int(bounds[-2])
            bounds, divided = bounds[:-1], divided[:-1]
        first = bounds[:-1]
        return Joined(
            message=concat(lines.text.slice(0, used), bounds),
            stacktrace=None,
            starts=lines.starts[first],
            cut=added(lines.cut, first, used),
            lines=used,
            divided=divided,
        )

    def _links(self, text: Any) -> tuple[Any, bool]:
        """Which lines join the one before, and whether the line that comes next may."""
        found = _found(text, self._joins) ^ self._inverted
        if not len(found):
            return found, True
        following = bool(found[-1]) if self._after else True
        if self._after:
            found = np.append(False, found[:-1])
        found[0] = False
        return found, following

    def _divide(self, text: Any, bounds: Any, starts: Any) -> tuple[Any, Any]:
        """The bounds with those that limits make, and which events go on in the next."""
        ends = line_ends(text)
        sizes = ends[bounds[1:]] - ends[bounds[:-1]]
        large = (sizes > self._limits.bytes) | (np.diff(bounds) > self._limits.lines)
        if not large.any():
            return bounds, np.zeros(len(bounds) - 1, bool)
        pieces, marks, done = [], [], 0
        for event in np.flatnonzero(large).tolist():
            parts = list(_parts(ends, int(bounds[event]), int(bounds[event + 1]), starts, self._limits))
            pieces += [bounds[done:event], np.array([first for first, _ in parts], np.int64)]
            marks += [np.zeros(event - done, bool), np.array([divided for _, divided in parts], bool)]
            done = event + 1
        pieces.append(bounds[done:])
        marks.append(np.zeros(len(bounds) - 1 - done, bool))
        return np.concatenate(pieces), np.concatenate(marks)


@attrs.define(eq=False)
class Held:
    """The unfinished end of one stream, for sources that can't read it again. Bounded by the joiner's limits."""

    _joiner: Joiner
    _lines: Lines = NO_LINES

    def add(self, lines: Lines) -> Joined:
        """The events that are complete now."""
        return self._join(lines, final=False)

    def flush(self) -> Joined:
        """What is held, as it is: after quiet, at the stream's end, when the source stops."""
        return self._join(NO_LINES, final=True)

    @property
    def first(self) -> int | None:
        """The start of the first line that is held: no checkpoint may pass it. None: nothing is held."""
        return int(self._lines.starts[0]) if len(self._lines) else None

    def _join(self, lines: Lines, *, final: bool) -> Joined:
        known = _together(self._lines, lines) if len(self._lines) else lines
        joined = self._joiner.join(known, final=final)
        self._lines = known.slice(joined.lines, len(known))
        return joined


def _together(first: Lines, second: Lines) -> Lines:
    return Lines(
        pa.concat_arrays([first.text, second.text]),
        np.concatenate([first.starts, second.starts]),
        np.concatenate([first.ends, second.ends]),
        np.concatenate([first.cut, second.cut]),
    )


def start_pattern(pattern: str, limits: Limits = DEFAULT_LIMITS) -> Pattern:
    """An event begins at each line that matches; the other lines are added to the one before."""
    return Pattern(pattern, inverted=True, limits=limits)


def indented(limits: Limits = DEFAULT_LIMITS) -> Pattern:
    """Lines that begin with a blank or a tab are added to the one before."""
    return Pattern(r"^[ \t]+\S", limits=limits)


def fits(ends: Any, first: int, stop: int, limits: Limits) -> int:
    """Where an event that begins at line ``first`` has to end, ``stop`` at most. ``ends`` is of `line_ends`."""
    by_bytes = int(np.searchsorted(ends, ends[first] + limits.bytes, side="right")) - 1
    return min(stop, first + limits.lines, max(by_bytes, first + 1))


def line_ends(text: Any) -> Any:
    """Bytes (UTF-8, with newlines) before each line and before the end: int64, one more than lines."""
    sizes = np.asarray(pc.binary_length(text)).astype(np.int64) + 1
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])


def concat(text: Any, bounds: Any) -> Any:
    """The strings from each of ``bounds`` to the next, joined by newlines."""
    if len(bounds) == len(text) + 1 and (not len(text) or bounds[0] == 0):
        return text
    lists = pa.ListArray.from_arrays(pa.array(bounds, pa.int32()), text)
    return pc.binary_join(lists, "\n")


def added(values: Any, first: Any, used: int) -> Any:
    """Sums of ``values`` from each of ``first`` to the next, the last to ``used``."""
    return np.add.reduceat(values[:used], first) if len(first) else values[:0]


def _found(text: Any, pattern: str) -> Any:
    return np.array(pc.match_substring_regex(text, pattern)).astype(bool)


def _first_start(joins: Any, starts: Any, count: int) -> Any:
    """For each line the first start in its run of lines that join; ``count`` when there is none."""
    run = np.cumsum(~joins) - 1
    runs, where = np.unique(run[starts], return_index=True)
    first = np.full(int(run[-1]) + 1 if count else 0, count, np.int64)
    first[runs] = starts[where]
    return first[run] if count else first


def _in_group(joins: Any, starts: Any, count: int) -> bool:
    """Is the last line a start, or one that a start leads to?"""
    return bool(joins[-1]) or (len(starts) > 0 and int(starts[-1]) == count - 1)


def _parts(ends: Any, first: int, stop: int, starts: Any, limits: Limits) -> Iterator[tuple[int, bool]]:
    """The events that one too large becomes: where each begins, and whether it goes on in the next."""
    while first < stop:
        last = fits(ends, first, stop, limits)
        yield first, last < stop
        first = last
        if starts is not None and first < stop:
            at = int(np.searchsorted(starts, first))
            again = min(stop, int(starts[at])) if at < len(starts) else stop
            yield from ((single, False) for single in range(first, again))
            first = again
