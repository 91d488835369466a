"""Who looks at the events that pass: taps at sources, processors, the queue and sinks.

The pipeline asks `Taps` whether anybody looks, which costs it one look into an empty mapping; when somebody does, it leaves
its immutable batches there, which costs it references. Everything else (choosing, redacting, making JSON) is done by the
one who looks, in a thread of their own, for a tenth of its time at most. What is too much is counted, the newest wins.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import attrs
import trio

from yaat_core import ids
from yaat_core.event import EventBatch

if TYPE_CHECKING:
    from yaat_core.pipeline.chain import Chain, Step

#: The point between the pipeline and the queue: what the queue has taken.
QUEUE: Final = "queue"
#: Seconds between two looks.
PERIOD: Final = 0.25
#: What one tap keeps until its next look.
MAX_ROWS: Final = 65_536
MAX_BYTES: Final = 16 * 2**20
#: Share of a thread's time that one tap takes.
SHARE: Final = 0.1
#: Taps at one time whose work is done side by side.
THREADS: Final = 2


@attrs.frozen(kw_only=True)
class TapBatch:
    """What passed a point since the document before: ``seen = shown + filtered + hidden + skipped``.

    ``events``: as they are stored, or would be; texts that the redaction has still to see are shown as it leaves them.
    ``filtered`` did not match; ``hidden`` are dropped by the redaction itself; ``skipped`` were too many to be looked at, or to
    be shown. ``sequence``: at the queue, that of the last event that passed; else null. ``live`` is false while what waited
    before the looking began is told; a document without events says where it ends.
    """

    at: str
    events: Sequence[Mapping[str, Any]]
    seen: int
    shown: int
    filtered: int
    hidden: int
    skipped: int
    seconds: float
    sequence: int | None = None
    live: bool = True


@attrs.frozen(eq=False)
class Passage:
    """A batch that passed a point. What a tap before the redaction shows needs more of its way:

    ``redaction``: the steps that it had still to pass; none: it is redacted. ``before`` and ``after``: the same events right
    before these steps and behind them, without those that were dropped on the way.
    """

    batch: EventBatch
    redaction: tuple[str, ...] = ()
    before: EventBatch = attrs.field(factory=EventBatch.empty)
    after: EventBatch = attrs.field(factory=EventBatch.empty)
    last: int | None = None
    """At the queue: the sequence of the last event."""

    @property
    def bytes(self) -> int:
        """Of memory, at most: the batches share most of it."""
        return self.batch.nbytes + (self.before.nbytes + self.after.nbytes if self.redaction else 0)


@attrs.frozen(eq=False)
class Taken:
    """What waited for a look, and how many more passed that were let go."""

    passages: Sequence[Passage]
    seen: int


class Tap:
    """One who looks at one point. `put` may be called in any thread."""

    def __init__(self, at: str) -> None:
        self.at = at
        self._lock = threading.Lock()
        self._passages: deque[Passage] = deque()
        self._rows = self._bytes = self._seen = 0
        self._after = 0

    def begin(self, after: int) -> None:
        """At the queue: what is up to this sequence is told otherwise."""
        self._after = after

    def put(self, passage: Passage) -> None:
        """Events pass; the oldest that nobody looked at are let go for them."""
        if passage.last is not None and passage.last <= self._after:
            return
        rows, size = len(passage.batch), passage.bytes
        with self._lock:
            self._seen += rows
            self._passages.append(passage)
            self._rows += rows
            self._bytes += size
            while len(self._passages) > 1 and (self._rows > MAX_ROWS or self._bytes > MAX_BYTES):
                oldest = self._passages.popleft()
                self._rows -= len(oldest.batch)
                self._bytes -= oldest.bytes

    def take(self) -> Taken:
        """All that waits."""
        with self._lock:
            taken = Taken(tuple(self._passages), self._seen)
            self._passages.clear()
            self._rows = self._bytes = self._seen = 0
        return taken


class Trail:
    """One batch on its way through a chain that somebody looks at. In the thread of the chains."""

    def __init__(self, at: Mapping[str, Sequence[Tap]], source: str, steps: Sequence[Step]) -> None:
        self._at = at
        self._source = source
        self._redaction = [step for step in steps if step.processor.fail_closed]
        self._stages: list[tuple[str, EventBatch]] = []
        self._first: int | None = None
        self._last = 0
        """Places of the stages behind the first and the last step of the redaction."""

    def begin(self, batch: EventBatch) -> EventBatch:
        """The batch as the source sent it; returns it with identities, by which its events are known again."""
        batch = batch.with_columns({"event_id": ids.fill_missing(batch.column("event_id"))})
        self._stages.append((self._source, batch))
        return batch

    def passed(self, step: Step, batch: EventBatch) -> None:
        """The batch as it left a step."""
        if any(step is one for one in self._redaction):
            self._last = len(self._stages)
            self._first = self._last if self._first is None else self._first
        self._stages.append((str(step.id), batch))

    def end(self) -> None:
        """Tell those who look."""
        for place, (name, batch) in enumerate(self._stages):
            for tap in self._at.get(name, ()):
                tap.put(self._passage(place, batch))

    def _passage(self, place: int, batch: EventBatch) -> Passage:
        steps = tuple(str(step.id) for step in self._redaction)
        if not steps or (self._first is not None and place >= self._last):
            return Passage(batch)
        if self._first is None:
            return Passage(batch, steps)  # all of them were dropped before the redaction
        return Passage(
            batch, steps, self._stages[max(place, self._first - 1)][1], self._stages[self._last][1]
        )


class Taps:
    """All who look at an agent's pipeline."""

    def __init__(self) -> None:
        self._at: Mapping[str, Sequence[Tap]] = {}
        self.threads = trio.CapacityLimiter(THREADS)

    @property
    def anybody(self) -> bool:
        """Does anybody look anywhere?"""
        return bool(self._at)

    def show(self, point: str, batch: EventBatch, last: int | None = None) -> None:
        """Redacted events pass a point behind the chains; ``last``: the sequence of the last one."""
        for tap in self._at.get(point, ()):
            tap.put(Passage(batch, last=last))

    def trail(self, source: str, chain: Chain) -> Trail | None:
        """For a batch that enters the chain of a source; None: nobody looks at any of its points."""
        at = self._at
        if not at:
            return None
        if source not in at and not any(str(step.id) in at for step in chain.all_steps()):
            return None
        return Trail(at, source, chain.steps)

    @contextmanager
    def watching(self, tap: Tap) -> Iterator[None]:
        """The tap gets what passes."""
        self._at = {**self._at, tap.at: (*self._at.get(tap.at, ()), tap)}
        try:
            yield
        finally:
            left = tuple(one for one in self._at[tap.at] if one is not tap)
            others = {point: taps for point, taps in self._at.items() if point != tap.at}
            self._at = {**others, tap.at: left} if left else others
