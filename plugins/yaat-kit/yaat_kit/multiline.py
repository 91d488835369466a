"""Lines to events: each line by itself, joined from a start pattern on, or Python traces joined to their message.

A `Joiner` is a pure function of the lines from the first unfinished event on. What it does not
consume is read and joined again when more is there, so that no state is kept and memory is
bounded by the chunk.
"""

from __future__ import annotations

import abc
from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_kit.lines import Lines


@attrs.frozen(eq=False)
class Joined:
    """Events as columns of equal length.

    ``message`` is a string array, ``stacktrace`` one with nulls, or None when no event has one;
    ``starts`` are int64 offsets of the events' first bytes; ``cut`` is how many bytes they miss because a line was too long.
    ``lines`` is how many of the lines are used up.
    """

    message: Any
    stacktrace: Any
    starts: Any
    cut: Any
    lines: int

    def __len__(self) -> int:
        return len(self.starts)


class Joiner(abc.ABC):
    """Decides which lines are one event."""

    @abc.abstractmethod
    def join(self, lines: Lines, *, final: bool = False) -> Joined:
        """Events of the first ``lines``; an event that may still go on is left out, unless ``final``."""


class SingleLines(Joiner):
    """Every line is an event."""

    def join(self, lines: Lines, *, final: bool = False) -> Joined:
        """All lines, always."""
        return Joined(lines.text, None, lines.starts, lines.cut, len(lines))


class StartPattern(Joiner):
    """An event begins at each line that matches; the other lines are added to the one before."""

    def __init__(self, pattern: str) -> None:
        """``pattern`` is searched in the line, RE2 syntax.

        Raises:
            ValueError: not a regular expression that RE2 knows.
        """
        try:
            pc.match_substring_regex(pa.array([""]), pattern)
        except pa.ArrowInvalid as error:
            raise ValueError(f"not a regular expression (RE2 syntax): {error}") from error
        self._pattern = pattern

    def join(self, lines: Lines, *, final: bool = False) -> Joined:
        """Events from start to start."""
        begins = np.asarray(pc.match_substring_regex(lines.text, self._pattern)).astype(bool)
        begins[:1] = True
        first = np.flatnonzero(begins)
        used = len(lines) if final or not len(first) else int(first[-1])
        first = first[first < used]
        bounds = np.append(first, used)
        message = _concat(lines.text.slice(0, used), bounds)
        cut = np.add.reduceat(lines.cut, first) if len(first) else lines.cut[:0]
        return Joined(message, None, lines.starts[first], cut, used)


_TRACE: Final = b"Traceback (most recent call last):"
_HEADER: Final = r"^[ |+]*(?:Exception Group )?" + r"Traceback \(most recent call last\):\s*$"
_EXCEPTION: Final = r"^[A-Za-z_\x{80}-\x{10FFFF}][\w.<>\x{80}-\x{10FFFF}]*(?:\s*$|:)"
_CHAINS: Final = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)
#: Lines that may stand between two traces of one chain: blank, text, blank.
_LINK: Final = 3


class PythonTraces(Joiner):
    """Python's traces, chained and grouped ones too, become the `stacktrace` of the line before them.

    A trace without such a line has its last line, the exception, as message.
    """

    def join(self, lines: Lines, *, final: bool = False) -> Joined:
        """Events with their traces; the last line waits, as a trace may follow it."""
        headers = self._headers(lines)
        if not len(headers):
            used = len(lines) if final else max(len(lines) - 1, 0)
            return Joined(lines.text.slice(0, used), None, lines.starts[:used], lines.cut[:used], used)
        traces = _Traces.find(lines, headers)
        used = len(lines) if final else traces.finished(len(lines))
        return traces.upto(used).events()

    def _headers(self, lines: Lines) -> Any:
        """The lines that begin a trace. One search through the whole text: it seldom finds any."""
        offsets, raw = _storage(lines.text)
        text, hits = raw.tobytes(), []
        at = text.find(_TRACE)
        while at >= 0:
            hits.append(at)
            at = text.find(_TRACE, at + len(_TRACE))
        rows = np.unique(np.searchsorted(offsets, hits, side="right") - 1).astype(np.int64)
        texts = lines.text.take(pa.array(rows))
        return rows[np.asarray(pc.match_substring_regex(texts, _HEADER)).astype(bool)]


@attrs.frozen(eq=False)
class _Traces:
    """Where traces are: ``first``..``last`` (exclusive) are the lines of each whole chain.

    ``lead`` is the line that its event begins with (``first`` when it has none before it),
    ``header`` is where the last trace of the chain begins, ``exception`` the line that names its
    exception (-1: none, as in a group or a broken trace).
    """

    lines: Lines
    first: Any
    last: Any
    lead: Any
    header: Any
    exception: Any

    @classmethod
    def find(cls, lines: Lines, headers: Any) -> _Traces:
        """Each header with its body, then those that are linked by chain text as one."""
        count = len(lines)
        text = lines.text
        inner = _indented(text)
        outer = np.append(np.flatnonzero(~inner), count)
        body_end = outer[np.searchsorted(outer, headers, side="right")]
        # A header inside of another trace's body (a sub-exception of a group) starts nothing.
        keep = np.ones(len(headers), bool)
        keep[1:] = headers[1:] >= np.maximum.accumulate(body_end)[:-1]
        headers, body_end = headers[keep], body_end[keep]
        exception = _exception_lines(text, body_end, inner[headers], count)
        after = np.where(exception >= 0, outer[np.searchsorted(outer, exception, side="right")], body_end)
        linked = _linked(text, after[:-1], headers[1:])
        opens = np.append(True, ~linked)
        closes = np.append(~linked, True)
        first, last = headers[opens], after[closes]
        before = np.append(0, last[:-1])
        blank = np.asarray(pc.equal(pc.binary_length(text.take(pa.array(np.maximum(first - 1, 0)))), 0))
        has_lead = (first > before) & ~blank
        lead = np.where(has_lead, first - 1, first)
        return cls(lines, first, last, lead, headers[closes], exception[closes])

    def finished(self, count: int) -> int:
        """How many lines form events that can't go on: all but the last event's, when it may."""
        last = int(self.last[-1])
        rest = self.lines.text.slice(last, _LINK + 1).to_pylist()
        if len(rest) <= _LINK and _may_link(rest):
            return int(self.lead[-1])
        return count - 1

    def upto(self, used: int) -> _Traces:
        """Only what lies in the first ``used`` lines."""
        keep = int(np.searchsorted(self.last, used, side="right"))
        lines = Lines(
            self.lines.text.slice(0, used),
            self.lines.starts[:used],
            self.lines.ends[:used],
            self.lines.cut[:used],
        )
        columns = (self.first, self.last, self.lead, self.header, self.exception)
        return _Traces(lines, *(column[:keep] for column in columns))

    def events(self) -> Joined:
        """One row for each line outside of traces, and one for each trace with its lead."""
        count = len(self.lines)
        begins = np.ones(count + 1, bool)
        begins[_ranges(self.lead + 1, self.last)] = False
        begins[count] = True
        bounds = np.flatnonzero(begins)
        first = bounds[:-1]
        traced = np.searchsorted(first, self.lead)
        picks = np.full(len(first), -1, np.int64)
        picks[traced] = np.arange(len(traced))
        stacks = _concat_ranges(self.lines.text, self.first, self.last)
        stacktrace = stacks.take(pa.array(picks, mask=picks < 0))
        cut = np.add.reduceat(self.lines.cut, first) if len(first) else self.lines.cut[:0]
        return Joined(self._messages(first, traced), stacktrace, self.lines.starts[first], cut, count)

    def _messages(self, first: Any, traced: Any) -> Any:
        bare = np.flatnonzero(self.lead == self.first)
        if not len(bare):
            return self.lines.text.take(pa.array(first))
        source = first.copy()
        source[traced[bare]] = self.exception[bare]
        for index in bare[self.exception[bare] < 0]:
            source[traced[index]] = self._naming_line(int(index))
        message = self.lines.text.take(pa.array(source))
        return pc.if_else(pa.array(source == first), message, pc.utf8_ltrim(message, " |+"))

    def _naming_line(self, index: int) -> int:
        """The line of a group's trace that names the group, else the trace's last line."""
        start, stop = int(self.header[index]), int(self.last[index])
        names = pc.match_substring_regex(
            self.lines.text.slice(start, stop - start), r"^[ |+]*[A-Za-z_][\w.]*: "
        )
        found = np.flatnonzero(np.asarray(names))
        return start + int(found[0]) if len(found) else stop - 1


def _storage(text: Any) -> tuple[Any, Any]:
    """The offsets (int32, one more than rows, from 0) and the bytes (uint8) of a string array."""
    if not len(text):
        return np.zeros(1, np.int32), np.zeros(0, np.uint8)
    _, offsets, values = text.buffers()
    bounds = np.frombuffer(offsets, np.int32)[text.offset : text.offset + len(text) + 1]
    raw = np.frombuffer(values, np.uint8) if values is not None else np.zeros(0, np.uint8)
    return bounds - bounds[0], raw[bounds[0] : bounds[-1]]


def _indented(text: Any) -> Any:
    """Which lines begin with a blank, or with the margin of an exception group."""
    offsets, raw = _storage(text)
    filled = np.diff(offsets) > 0
    indented = np.zeros(len(text), bool)
    indented[filled] = np.isin(raw[offsets[:-1][filled]], np.frombuffer(b" \t|+", np.uint8))
    return indented


def _exception_lines(text: Any, ends: Any, grouped: Any, count: int) -> Any:
    """For each trace body the index of the line behind it, when that is an exception's, else -1.

    A group's trace is indented as a whole, the line behind it is another record.
    """
    behind = text.take(pa.array(np.minimum(ends, count - 1)))
    named = np.asarray(pc.match_substring_regex(behind, _EXCEPTION)) & (ends < count) & ~grouped
    return np.where(named, ends, -1)


def _linked(text: Any, ends: Any, headers: Any) -> Any:
    """Which pairs of neighbouring traces are one chain."""
    linked = headers == ends + _LINK
    for index in np.flatnonzero(linked):
        linked[index] = _may_link(text.slice(int(ends[index]), _LINK).to_pylist())
    return linked


def _may_link(lines: list[str]) -> bool:
    """Could these lines behind a trace, up to four, belong to a chain?"""
    wanted = (("",), _CHAINS, ("",))
    return all(line.strip(" |") in texts for line, texts in zip(lines, wanted, strict=False))


def _ranges(starts: Any, stops: Any) -> Any:
    """All integers of several ranges, in order."""
    sizes = stops - starts
    shifts = np.repeat(starts - np.append(0, np.cumsum(sizes)[:-1]), sizes)
    return shifts + np.arange(int(sizes.sum()))


def _concat_ranges(text: Any, starts: Any, stops: Any) -> Any:
    bounds = np.append(0, np.cumsum(stops - starts))
    return _concat(text.take(pa.array(_ranges(starts, stops))), bounds)


def _concat(text: Any, bounds: Any) -> Any:
    """The strings from each of ``bounds`` to the next, joined by newlines."""
    lists = pa.ListArray.from_arrays(pa.array(bounds, pa.int32()), text)
    return pc.binary_join(lists, "\n")
