"""From entries to events: divided lines whole, and with `multiline` lines of one writer joined.

What may still go on waits here as entries. It is put together anew with what comes, so that there is no other state; and the
position that is stored never passes it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core.event import EventBatch
from yaat_core.tags import TRUNCATED, from_columns, merge
from yaat_kit.lines import Lines
from yaat_kit.multiline import Joined, Joiner
from yaat_plugin_journald import parts
from yaat_plugin_journald.cursors import Places
from yaat_plugin_journald.entries import NO_ENTRIES, Entries
from yaat_plugin_journald.groups import codes_of, name_of
from yaat_plugin_journald.replay import Replay
from yaat_plugin_journald.since import AtCursor, Start

#: Seconds after which a line's next part is not waited for any more. It is written at once after the one before.
_PART: Final = 5.0
#: Writers whose lines wait at a time, and bytes of those; beyond, those that wait longest are taken as they are.
_WRITERS: Final = 256
_BYTES: Final = 16 * 2**20

Make = Callable[[Entries, Places], EventBatch]
Rows = npt.NDArray[np.int64]


@attrs.frozen(eq=False)
class _Held:
    """What waits: entries, the position before each, when each came (monotonic seconds)."""

    entries: Entries = NO_ENTRIES
    before: Sequence[Start] = ()
    heard: Sequence[float] = ()


@attrs.define(eq=False)
class _Picked:
    """Rows of events, with what replaces message and stacktrace of some."""

    rows: list[Rows] = attrs.field(factory=list)
    messages: list[Any] = attrs.field(factory=list)
    stacktraces: list[Any] = attrs.field(factory=list)
    divided: list[Any] = attrs.field(factory=list)

    def take(self, joined: Joined) -> None:
        self.rows.append(np.asarray(joined.starts, np.int64))
        self.messages.append(joined.message)
        self.stacktraces.append(
            pa.nulls(len(joined), pa.string()) if joined.stacktrace is None else joined.stacktrace
        )
        self.divided.append(joined.divided)

    def plain(self, batch: EventBatch, rows: Rows) -> None:
        self.rows.append(rows)
        self.messages.append(batch.column("message").take(pa.array(rows)))
        self.stacktraces.append(pa.nulls(len(rows), pa.string()))
        self.divided.append(np.zeros(len(rows), bool))

    def batch(self, whole: EventBatch) -> EventBatch:
        """In the order of their first rows."""
        rows = np.concatenate(self.rows)
        order = np.argsort(rows)
        picked = EventBatch(whole.columns.take(pa.array(rows[order])), whole.labels)
        at = pa.array(order)
        columns = {
            "message": pa.concat_arrays(self.messages).take(at),
            "stacktrace": pa.concat_arrays(self.stacktraces).take(at),
        }
        divided = np.concatenate(self.divided)[order]
        if divided.any():
            more = pa.array(np.where(divided, "true", ""), pa.string(), mask=~divided)
            columns["tags"] = merge(picked.column("tags"), from_columns(len(rows), {TRUNCATED: more}))
        return picked.with_columns(columns)


class Joining:
    """Synchronous, for one thread at a time. ``joiner`` None: only divided lines are put together.

    ``start`` is where reading begins, ``patience`` how many seconds a writer is quiet before its last event is complete.
    """

    def __init__(
        self,
        joiner: Joiner | None,
        start: Start,
        *,
        patience: float,
        most: int,
        replay: Replay | None = None,
    ) -> None:
        self._joiner = joiner
        self._last = start
        self._patience = patience
        self._most = most
        self._replay = replay
        self._held = _Held()
        self._due = math.inf

    @property
    def replaying(self) -> bool:
        """What comes was read before: nothing is sent, and no position stored, until that is over."""
        return self._replay is not None and not self._replay.over

    @property
    def first(self) -> Start | None:
        """The position before the first entry that waits; None: nothing does."""
        return self._held.before[0] if self._held.before else None

    def due(self) -> float:
        """Seconds until something that waits has waited long enough."""
        return max(0.0, self._due - time.monotonic())

    def names(self) -> Mapping[str, str]:
        """The cursor of the first entry that waits, by its writer's name."""
        entries = self._held.entries
        places = entries.places()
        found: dict[str, str] = {}
        for row in range(len(entries)):
            found.setdefault(name_of(entries, places, row), _text(entries.cursors[row]))
        return found

    def missing(self) -> int:
        """How many events that waited before a restart are not there any more: told once, when that is known."""
        if self._replay is None or not self._replay.over:
            return 0
        missing, self._replay = self._replay.missing, None
        return missing

    def events(
        self, entries: Entries, places: Places, kept: Any, make: Make, *, ended: bool = False
    ) -> EventBatch:
        """Those that are complete with these entries (of them those that are ``kept``), or with time; ``ended``: all."""
        if self._replay is not None:
            wanted = self._replay.wanted(entries, places)
            self._replay.over |= ended or not len(entries)
            kept = wanted if kept is None else kept & wanted
        elif not self._held.before and self._joiner is None and not parts.has_parts(entries):
            batch = make(entries, places)
            self._passed(entries)
            return batch if kept is None else batch.filter(kept)
        pool = self._pool(entries, kept)
        self._passed(entries)
        if self.replaying:
            self._keep(pool, np.ones(len(pool.before), bool))
            self._due = time.monotonic() + _PART
            return EventBatch.empty()
        return self._joined(pool, make, ended=ended)

    # --- parts of it ----------------------------------------------------------------------------

    def _passed(self, entries: Entries) -> None:
        if len(entries):
            self._last = AtCursor(_text(entries.cursors[-1]))

    def _pool(self, entries: Entries, kept: Any) -> _Held:
        """What waits, and what is new of it."""
        held, now = self._held, time.monotonic()
        before = [self._last, *(AtCursor(_text(cursor)) for cursor in entries.cursors)]
        rows = list(range(len(entries)) if kept is None else np.flatnonzero(kept).tolist())
        chosen = entries if len(rows) == len(entries) else entries.take(rows)
        return _Held(
            held.entries.followed_by(chosen),
            [*held.before, *(before[row] for row in rows)],
            [*held.heard, *[now] * len(rows)],
        )

    def _keep(self, pool: _Held, rows: Any) -> None:
        chosen = np.flatnonzero(rows).tolist()
        self._held = _Held(
            pool.entries.take(chosen),
            [pool.before[row] for row in chosen],
            [pool.heard[row] for row in chosen],
        )

    def _joined(self, pool: _Held, make: Make, *, ended: bool) -> EventBatch:
        new, self._due = len(self._held.before), math.inf
        now = time.monotonic()

        def over(line: Sequence[int]) -> bool:
            return ended or now - pool.heard[line[-1]] >= _PART

        places = pool.entries.places()
        put = parts.whole(pool.entries, places, self._most, over)
        batch, picked, waits = make(put.entries, places), _Picked(), np.zeros(len(pool.before), bool)
        there = put.firsts()
        if self._joiner is not None:
            lines = there & _single(batch.column("message"))
            there &= ~lines
            waits = put.with_parts(self._lines(picked, batch, pool, np.flatnonzero(lines), new, ended=ended))
        picked.plain(batch, np.flatnonzero(there))
        for line in put.open:
            waits[line] = True
            self._due = min(self._due, pool.heard[line[-1]] + _PART)
        self._keep(pool, waits)
        return picked.batch(batch)

    def _lines(
        self, picked: _Picked, batch: EventBatch, pool: _Held, rows: Rows, new: int, *, ended: bool
    ) -> Any:
        """Lines to events, writer by writer; which lines wait. Those from ``new`` on are new."""
        assert self._joiner is not None
        places, heard, now = pool.entries.places(), np.array(pool.heard), time.monotonic()
        text, latest = batch.column("message"), _latest(places)
        waiting: list[Rows] = []
        for group in _groups(codes_of(pool.entries, places)[rows], rows):
            last = group[-1]
            quiet = max(now - heard[last], (latest[last] - places.times[last]) / 1e6)
            final = ended or bool(quiet >= self._patience)
            if last < new and not final:
                waiting.append(group)
                continue
            joined = self._join(text, group, final=final)
            picked.take(joined)
            if joined.lines < len(group):
                waiting.append(group[joined.lines :])
        for group in self._too_many(text, waiting):
            picked.take(self._join(text, group, final=True))
        waits = np.zeros(len(heard), bool)
        for group in waiting:
            waits[group] = True
            self._due = min(self._due, float(heard[group[-1]]) + self._patience)
        return waits

    def _join(self, text: Any, rows: Rows, *, final: bool) -> Joined:
        assert self._joiner is not None
        lines = Lines(text.take(pa.array(rows)), rows, rows + 1, np.zeros(len(rows), np.int64))
        return self._joiner.join(lines, final=final)

    def _too_many(self, text: Any, waiting: list[Rows]) -> list[Rows]:
        """Taken out of ``waiting``: those that wait longest, when there are too many, or too large ones."""
        sizes = np.asarray(pc.fill_null(pc.binary_length(text), 0))
        waiting.sort(key=lambda group: int(group[-1]), reverse=True)
        bytes_ = sum(int(sizes[group].sum()) for group in waiting)
        taken: list[Rows] = []
        while len(waiting) > _WRITERS or bytes_ > _BYTES:
            taken.append(waiting.pop())
            bytes_ -= int(sizes[taken[-1]].sum())
        return taken


def _groups(codes: Any, rows: Rows) -> list[Rows]:
    """The rows of each writer, in order."""
    if not len(rows):
        return []
    order = np.argsort(codes, kind="stable")
    return np.split(rows[order], np.flatnonzero(np.diff(codes[order])) + 1)


def _latest(places: Places) -> Any:
    """For each entry the latest time of its boot, as far as entries are here: other machines have other clocks."""
    _, boots = np.unique(np.array([stream[32:] for stream in places.streams], "S32"), return_inverse=True)
    latest = np.zeros(int(boots.max()) + 1 if len(boots) else 0, np.int64)
    np.maximum.at(latest, boots, places.times)
    return latest[boots]


def _single(messages: Any) -> Any:
    """Which are one line."""
    return np.array(pc.fill_null(pc.invert(pc.match_substring(messages, "\n")), False)).astype(bool)


def _text(cursor: bytes) -> str:
    return bytes(cursor).decode("ascii", "replace")
