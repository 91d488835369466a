"""A sink's place in the queue, and the algebra that keeps its accounting right.

``accepted = delivered + queued + dead + dropped + lost`` holds after every operation here; each
returns a new cursor. Sequences are those of events; ``done`` is the last one of the prefix that
needs nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import attrs

Fate = Literal["delivered", "dead", "dropped", "lost", "replaying"]
#: What the file of a dead letter is to be: of events that are dead, of events that are queued once more, or deleted.
FileState = Literal["dead", "queued", "gone"]


@attrs.frozen(kw_only=True)
class Cursor:
    """Where a sink stands.

    ``ranges`` are pieces beyond ``done`` that are settled already (acknowledged out of order, or
    dropped by `drop_newest`), sorted and apart. ``inflight`` is the piece that was announced before
    its first sending, so that a restart sends the same one, or one whose answer may not have been heard.
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
    replaying: int = 0
    """Events of dead letters that wait to be delivered again: part of what is queued, beyond all sequences."""
    replayed: int = 0
    """How many of ``delivered`` ever came from dead letters: a sink that says it has fewer lost some."""
    files: tuple[tuple[str, FileState], ...] = ()
    """Letters, by id, that are counted so already, while their files may still be as they were."""

    @classmethod
    def attach(cls, after: int, time_us: int) -> Cursor:
        """A new sink's cursor: it gets what comes after ``after``."""
        return cls(attached_at_us=time_us, attached_after=after, done=after)

    def accepted(self, tail: int) -> int:
        """Events that the queue took since the sink was attached."""
        return tail - self.attached_after

    def queued(self, tail: int) -> int:
        """Events that still wait for this sink."""
        return self.unsettled(tail) + self.replaying

    def unsettled(self, tail: int) -> int:
        """Those of them that the queue holds."""
        return tail - self.done - sum(last - first + 1 for first, last in self.ranges)

    def is_settled(self, first: int, last: int) -> bool:
        """Does the queue owe the sink none of these?"""
        return last <= self.done or any(low <= first and last <= high for low, high in self.ranges)

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

    def take_up(self, letters: Sequence[str], events: int) -> Cursor:
        """The ``events`` of these dead letters wait to be delivered again.

        Raises:
            ValueError: so many are not dead.
        """
        if events > self.dead:
            raise ValueError(f"{events} events can't be delivered again: {self.dead} are dead")
        return self.reclassify(events, "dead", "replaying")._file(letters, "queued")

    def put_back(self, letters: Sequence[str], events: int) -> Cursor:
        """The ``events`` of letters that waited to be delivered again are dead as before."""
        return self.reclassify(min(events, self.replaying), "replaying", "dead")._file(letters, "dead")

    def answered(self, letter: str, events: int, *, dead: int) -> Cursor:
        """A letter was delivered again, but for ``dead`` of its events, which are in another letter now."""
        events = min(events, self.replaying)
        dead = min(events, dead)
        changed = self.reclassify(events - dead, "replaying", "delivered").reclassify(
            dead, "replaying", "dead"
        )
        changed = attrs.evolve(changed, replayed=self.replayed + events - dead)
        return changed._file([letter], "gone")

    def let_go(self, letters: Sequence[str], events: int, before: Fate) -> Cursor:
        """The ``events`` of letters, ``before`` dead or queued once more, are dropped."""
        return self.reclassify(min(events, getattr(self, before)), before, "dropped")._file(letters, "gone")

    def lose_replayed(self, events: int) -> Cursor:
        """So many that came from dead letters are not with the sink any more, nor anywhere else."""
        events = min(events, self.replayed)
        changed = self.reclassify(min(events, self.delivered), "delivered", "lost")
        return attrs.evolve(changed, replayed=self.replayed - events)

    def tidied(self, files: Sequence[tuple[str, FileState]]) -> Cursor:
        """These files are as they are to be."""
        return attrs.evolve(self, files=tuple(one for one in self.files if one not in files))

    def rewind(self, sequence: int, *, dead: int = 0) -> Cursor:
        """The sink has only what is up to ``sequence``: the rest, of which so many are known dead, is queued again."""
        if sequence >= min(self.done, self.reached):
            return self
        floor = max(sequence, self.attached_after)
        taken = _taken_back(self, self.done - floor, delivered=self.reached - floor, dead=dead)
        left = {fate: getattr(self, fate) - count for fate, count in taken.items()}
        return attrs.evolve(self, done=floor, reached=floor, inflight=None, **left)

    def _file(self, letters: Sequence[str], state: FileState) -> Cursor:
        kept = tuple(one for one in self.files if one[0] not in letters)
        return attrs.evolve(self, files=(*kept, *((letter, state) for letter in letters)))

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


def _taken_back(cursor: Cursor, again: int, *, delivered: int, dead: int) -> dict[str, Any]:
    """How a rewind by ``again`` events is charged: ``dead`` and at most ``delivered`` of them were, the rest had other fates."""
    taken: dict[str, Any] = {"dead": min(again, dead, cursor.dead)}
    again -= taken["dead"]
    taken["delivered"] = min(again, delivered, cursor.delivered)
    again -= taken["delivered"]
    for fate in ("dropped", "dead", "lost", "replaying"):
        more = min(again, getattr(cursor, fate) - taken.get(fate, 0))
        taken[fate] = taken.get(fate, 0) + more
        again -= more
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
