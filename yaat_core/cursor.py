"""A sink's place in the queue, and the algebra that keeps its accounting right.

``accepted = delivered + queued + dead + dropped + lost`` holds after every operation here; each
returns a new cursor. Sequences are those of events; ``done`` is the last one of the prefix that
needs nothing more.
"""

from __future__ import annotations

from typing import Any, Literal

import attrs

Fate = Literal["delivered", "dead", "dropped", "lost"]


@attrs.frozen(kw_only=True)
class Cursor:
    """Where a sink stands.

    ``ranges`` are pieces beyond ``done`` that are settled already (acknowledged out of order, or
    dropped by `drop_newest`), sorted and apart. ``inflight`` is the piece that was announced before
    its first sending, so that a restart sends the same one.
    """

    attached_at_us: int
    attached_after: int
    done: int
    ranges: tuple[tuple[int, int], ...] = ()
    inflight: tuple[int, int] | None = None
    delivered: int = 0
    dead: int = 0
    dropped: int = 0
    lost: int = 0
    reached: int = 0
    """The highest sequence that was ever delivered: a sink whose own position is lower lost rows."""
    detached_at_us: int | None = None

    @classmethod
    def attach(cls, after: int, time_us: int) -> Cursor:
        """A new sink's cursor: it gets what comes after ``after``."""
        return cls(attached_at_us=time_us, attached_after=after, done=after)

    def accepted(self, tail: int) -> int:
        """Events that the queue took since the sink was attached."""
        return tail - self.attached_after

    def queued(self, tail: int) -> int:
        """Events that still wait for this sink."""
        return tail - self.done - sum(last - first + 1 for first, last in self.ranges)

    def next_piece(self) -> tuple[int, int | None]:
        """The next sequences to deliver: first, and the last one before a settled range (None: open)."""
        first = self.done + 1
        return first, (self.ranges[0][0] - 1 if self.ranges else None)

    def settle(self, first: int, last: int, fate: Fate) -> Cursor:
        """Events ``first`` to ``last`` met their fate; what was settled before stays as it was."""
        pieces = self._open_pieces(first, last)
        count = sum(end - start + 1 for start, end in pieces)
        if not count:
            return self
        ranges = _joined([*self.ranges, *pieces])
        done = self.done
        if ranges and ranges[0][0] == done + 1:
            done = ranges.pop(0)[1]
        inflight = None if self.inflight and self.inflight[1] <= done else self.inflight
        reached = max(self.reached, last) if fate == "delivered" else self.reached
        changed = attrs.evolve(self, done=done, ranges=tuple(ranges), inflight=inflight, reached=reached)
        return changed._count(fate, count)

    def reclassify(self, count: int, before: Fate, after: Fate) -> Cursor:
        """``count`` events turned out to have another fate (dead letters expired: dead to dropped)."""
        return self._count(before, -count)._count(after, count)

    def rewind(self, sequence: int) -> Cursor:
        """The sink has only what is up to ``sequence``: the rest counts as queued again."""
        if sequence >= min(self.done, self.reached):
            return self
        floor = max(sequence, self.attached_after)
        taken = _taken_back(self, self.done - floor, delivered=self.reached - floor)
        left = {fate: getattr(self, fate) - count for fate, count in taken.items()}
        return attrs.evolve(self, done=floor, reached=floor, inflight=None, **left)

    def _count(self, fate: Fate, count: int) -> Cursor:
        return attrs.evolve(self, **{fate: getattr(self, fate) + count})

    def _open_pieces(self, first: int, last: int) -> list[tuple[int, int]]:
        start = max(first, self.done + 1)
        pieces = []
        for low, high in self.ranges:
            if start < low and start <= last:
                pieces.append((start, min(low - 1, last)))
            start = max(start, high + 1)
        if start <= last:
            pieces.append((start, last))
        return pieces


def _taken_back(cursor: Cursor, again: int, *, delivered: int) -> dict[str, Any]:
    """How a rewind by ``again`` events is charged: ``delivered`` of them were, the rest had other fates."""
    taken: dict[str, Any] = {"delivered": min(again, delivered, cursor.delivered)}
    again -= taken["delivered"]
    for fate in ("dropped", "dead", "lost"):
        taken[fate] = min(again, getattr(cursor, fate))
        again -= taken[fate]
    taken["delivered"] += again
    return taken


def _joined(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined
