"""What became of each part of a delivery.

A part is a contiguous range of sequences that travels in one request. Its boundaries decide its ``Batch-Id``, so they
stay as they are once a request may have arrived; only a request that was surely not taken is cut anew.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import attrs
import msgspec

from yaat_core.components import Position


@attrs.define(kw_only=True, eq=False)
class Part:
    """Sequences ``first`` to ``last``."""

    first: int
    last: int
    settled: bool = False
    """Nothing more is to be done: what is not in ``dead`` was acknowledged."""
    dead: dict[int, str] = attrs.field(factory=dict)
    """Refused for good: sequence to reason."""
    edition: int = 0
    """How often its content changed since it was first sent: `Position.part` of its ``Batch-Id``."""
    shrunk: int = 0
    """How often its one event was cut."""
    maybe: bool = False
    """A request may have been taken, nobody knows."""
    tries: int = 0
    """Attempts that failed."""
    since: float = 0.0
    """Wall time of the first of them."""
    answer: str = ""
    """What the last one said."""

    @property
    def alive(self) -> list[int]:
        """The sequences that are still to be delivered, as rows counted from ``first``."""
        if not self.dead:
            return list(range(self.size))
        return [n - self.first for n in range(self.first, self.last + 1) if n not in self.dead]

    @property
    def size(self) -> int:
        """How many events are not dead."""
        return self.last - self.first + 1 - len(self.dead)

    def bury(self, reasons: dict[int, str]) -> None:
        """These rows (counted from ``first``) are refused; the rest is another request."""
        self.dead.update({self.first + row: reason for row, reason in reasons.items()})
        self.edition += 1
        self.maybe = False
        self.settled = not self.size

    def bury_all(self, reason: str) -> None:
        """Everything that is left is refused."""
        self.bury(dict.fromkeys(self.alive, reason))

    def halves(self) -> tuple[Part, Part]:
        """Two parts in its place, of as many live events."""
        alive = self.alive
        return self.cut(self.first + alive[len(alive) // 2])

    def cut(self, at: int) -> tuple[Part, Part]:
        """Two parts in its place, the second from the sequence ``at`` on."""
        return self._piece(self.first, at - 1), self._piece(at, self.last)

    def _piece(self, first: int, last: int) -> Part:
        dead = {n: why for n, why in self.dead.items() if first <= n <= last}
        part = Part(
            first=first, last=last, dead=dead, edition=self.edition, tries=self.tries, since=self.since,
            answer=self.answer,
        )  # fmt: skip
        part.settled = not part.size
        return part


@attrs.define(eq=False)
class Plan:
    """The parts of one delivery, in order, without a gap."""

    of: str
    """What the sequences belong to: a queue, or a dead letter that is delivered again."""
    parts: list[Part]

    @classmethod
    def fresh(cls, position: Position, rows: int) -> Plan:
        """Parts of at most ``rows`` events."""
        return cls(_of(position), list(_parts(position.first, position.last, rows)))

    @property
    def first(self) -> int:
        """The first sequence."""
        return self.parts[0].first

    @property
    def last(self) -> int:
        """The last sequence."""
        return self.parts[-1].last

    @property
    def open(self) -> list[Part]:
        """What is still to be sent."""
        return [part for part in self.parts if not part.settled]

    @property
    def accepted(self) -> bool:
        """The server took something of it."""
        return any(part.settled and part.size for part in self.parts)

    @property
    def dead(self) -> dict[int, str]:
        """Everything refused: sequence to reason."""
        return {n: why for part in self.parts for n, why in part.dead.items()}

    def replace(self, part: Part, pieces: Iterable[Part]) -> None:
        """These stand in the place of a part."""
        at = next(n for n, one in enumerate(self.parts) if one is part)
        self.parts[at : at + 1] = list(pieces)

    def fitted(self, position: Position, rows: int) -> Plan | None:
        """What this plan says of a delivery; None when it says nothing.

        The range may have lost its beginning (dropped by the queue's bound): whole parts stay, a part that is cut
        becomes another request.
        """
        if self.of != _of(position) or self.last != position.last:
            return None
        if not self.first <= position.first <= self.last:
            return None
        kept = [part for part in self.parts if part.first >= position.first]
        begins = kept[0].first if kept else position.last + 1
        straddling = [part for part in self.parts if part.first < position.first <= part.last]
        if straddling and straddling[0].settled:
            head: list[Part] = [straddling[0].cut(position.first)[1]]
            head[0].settled = True
        else:
            head = list(_parts(position.first, begins - 1, rows))
        return Plan(self.of, [*head, *kept])

    @classmethod
    def read(cls, document: Any) -> Plan:
        """A plan as msgspec writes it into a file, and what comes out of that.

        Raises:
            msgspec.ValidationError: it is none.
        """
        plan = msgspec.convert(document, cls, str_keys=True)
        parts = plan.parts
        joined = all(one.last + 1 == two.first for one, two in itertools.pairwise(parts))
        if not parts or not joined or any(part.last < part.first for part in parts):
            raise msgspec.ValidationError("parts that do not follow each other")
        return plan


def _of(position: Position) -> str:
    return f"{position.queue_id.hex()}/{position.replay}" if position.replay else position.queue_id.hex()


def _parts(first: int, last: int, rows: int) -> Iterator[Part]:
    for start in range(first, last + 1, rows):
        yield Part(first=start, last=min(start + rows - 1, last))
