"""`Traces`: traces become the `stacktrace` of the line that they belong to, on whole columns of lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_kit.lines import Lines
from yaat_kit.multiline import DEFAULT_LIMITS, Joined, Joiner, Limits, added, concat, line_ends
from yaat_kit.traces.grammar import Grammar
from yaat_kit.traces.scanning import Bounds, Matcher, Rows, Trace, lead_of, traces_at

#: The margin of a Python exception group, and indentation, are no part of a message.
_MARGIN: Final = " \t|+"


class Traces(Joiner):
    """A trace is the `stacktrace` of the record that tells of it (a few lines at most before), or else of the line before it.

    A trace that belongs to no line (a crash, or a blank line before it) is an event by itself: its `stacktrace` is whole,
    and its message the lines of it that say what happened. All other lines are events by themselves.
    """

    def __init__(self, grammars: Sequence[Grammar], limits: Limits = DEFAULT_LIMITS) -> None:
        self._grammars = grammars
        self._limits = limits
        self._matcher = Matcher(grammars)
        anchors = [pattern for grammar in grammars for pattern, _ in grammar.anchors]
        self._anchor = f"^(?:{'|'.join(anchors)})"

    def join(self, lines: Lines, *, final: bool = False) -> Joined:
        """Events with their traces. The last line waits, as a trace may follow it, and so do those that may be its lead."""
        traces, used = self._find(lines.text, final)
        if not traces:
            text = lines.text.slice(0, used)
            return Joined(text, None, lines.starts[:used], lines.cut[:used], used, np.zeros(used, bool))
        return _events(lines, traces, used)

    def _find(self, text: Any, final: bool) -> tuple[list[Trace], int]:
        """The traces that are complete, and how many lines form events that can't go on."""
        rows, done = Rows(text, self._matcher), 0
        found: list[Trace] = []
        anchors = np.flatnonzero(np.asarray(pc.match_substring_regex(text, self._anchor))).tolist()
        bounds = Bounds(line_ends(text) if anchors else None, self._limits, final)
        for anchor in anchors:
            if anchor < done:
                continue
            trace = traces_at(self._grammars, rows, anchor, done, bounds)
            if trace is None:
                continue
            if trace.open:
                return found, min(trace.first, self._settled(rows, done))
            found.append(trace)
            done = trace.end
        return found, len(text) if final else self._settled(rows, done)

    def _settled(self, rows: Rows, done: int) -> int:
        """What can't become the lead of a trace that comes next."""
        return min(lead_of(grammar, rows, len(rows), done).first for grammar in self._grammars)


def _events(lines: Lines, traces: Sequence[Trace], used: int) -> Joined:
    """One row for each line outside of traces, and one for each trace with its lead."""
    first, begin, end = (
        np.array(column, np.int64)
        for column in zip(*((one.first, one.begin, one.end) for one in traces), strict=True)
    )
    begins = np.ones(used, bool)
    begins[_ranges(first + 1, end)] = False
    rows = np.flatnonzero(begins)
    traced = np.searchsorted(rows, first)
    bare = np.zeros(len(rows), bool)
    bare[traced] = [one.bare for one in traces]
    divided = np.zeros(len(rows), bool)
    divided[traced] = [one.divided for one in traces]
    picks = np.full(len(rows), -1, np.int64)
    picks[traced] = np.arange(len(traces))
    return Joined(
        message=_messages(lines.text, rows, traced, traces),
        stacktrace=_concat_ranges(lines.text, begin, end).take(pa.array(picks, mask=picks < 0)),
        starts=lines.starts[rows],
        cut=added(lines.cut, rows, used),
        lines=used,
        divided=divided,
        bare=bare,
    )


def _messages(text: Any, rows: Any, traced: Any, traces: Sequence[Trace]) -> Any:
    starts, stops = rows.copy(), rows + 1
    starts[traced] = [one.title[0] if one.bare else one.first for one in traces]
    stops[traced] = [one.title[1] if one.bare else one.begin for one in traces]
    messages = _concat_ranges(text, starts, stops)
    bare = np.zeros(len(rows), bool)
    bare[traced] = [one.bare for one in traces]
    if not bare.any():
        return messages
    return pc.if_else(pa.array(bare), pc.utf8_ltrim(messages, _MARGIN), messages)


def _ranges(starts: Any, stops: Any) -> Any:
    """All integers of several ranges, in order."""
    sizes = stops - starts
    shifts = np.repeat(starts - np.append(0, np.cumsum(sizes)[:-1]), sizes)
    return shifts + np.arange(int(sizes.sum()))


def _concat_ranges(text: Any, starts: Any, stops: Any) -> Any:
    bounds = np.append(0, np.cumsum(stops - starts))
    return concat(text.take(pa.array(_ranges(starts, stops))), bounds)
