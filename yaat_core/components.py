"""What a plugin provides: `Source`, `Processor`, `Queue`, `Sink`, and the messages between them.

The contract between a component and the core is messages (batches, checkpoints, receipts,
outcomes), so that a component runs in this process or in another one unchanged.

The life of a component, in four phases:

1. **made**: the factory ``(config, context) -> component`` is called. It must be quick and open nothing.
2. **checked**: `Source.check` and `Sink.check` look whether the component could work and report
   findings. `yaat validate` stops here.
3. **running**: `Source.run`, `Sink.open` then `Sink.deliver`. An exception here restarts this
   component alone, made anew, after a jittered backoff.
4. **closed**: ``close``/``aclose``. Safe without phase 3, and safe twice.
"""

from __future__ import annotations

import abc
import hashlib
import logging
from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, Protocol

import attrs

from yaat_core.event import EventBatch
from yaat_core.happenings import Diary
from yaat_core.queries import Ask as Ask
from yaat_core.queries import QueryAnswer as QueryAnswer
from yaat_core.queries import QueryRequest as QueryRequest
from yaat_core.queries import QueryScope as QueryScope
from yaat_core.queries import nobody_to_ask as nobody_to_ask
from yaat_core.queues import Appended as Appended
from yaat_core.queues import Checkpoints as Checkpoints
from yaat_core.queues import Damage as Damage
from yaat_core.queues import LedgerEntry as LedgerEntry
from yaat_core.queues import Queue as Queue
from yaat_core.queues import QueueState as QueueState
from yaat_core.queues import QueueWrite as QueueWrite
from yaat_core.queues import Record as Record
from yaat_core.queues import RecordInfo as RecordInfo
from yaat_core.queues import StoredCheckpoint as StoredCheckpoint
from yaat_core.stats import ComponentStats

Kind = Literal["sources", "processors", "queue", "sinks"]
KINDS: Final[tuple[Kind, ...]] = ("sources", "processors", "queue", "sinks")


@attrs.frozen(order=True)
class ComponentId:
    """``sources.NAME``, ``processors.NAME``, ``sinks.NAME`` or ``queue``: the one name of a component everywhere."""

    kind: Kind
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind}.{self.name}" if self.name else self.kind

    @classmethod
    def parse(cls, text: str) -> ComponentId:
        """The inverse of ``str``.

        Raises:
            ValueError: not such a name.
        """
        kind, _, name = text.partition(".")
        for known in KINDS:
            if kind == known and bool(name) != (known == "queue"):
                return cls(known, name)
        raise ValueError(
            f"not a component: {text!r} (write sources.NAME, processors.NAME, sinks.NAME or queue)"
        )


@attrs.frozen(kw_only=True)
class Finding:
    """What a check found: ``problem`` in one sentence, ``advice`` to mend it."""

    problem: str
    advice: str = ""
    level: Literal["error", "warn"] = "error"


@attrs.frozen(kw_only=True)
class Context:
    """What the core tells a component when it makes it."""

    id: ComponentId
    agent_id: bytes
    """16 random bytes that identify this state directory."""
    host_name: str
    state_dir: Path
    config_dir: Path
    """Folder of the configuration file; the working directory when there is none."""
    stats: ComponentStats
    log: logging.Logger
    once: bool = False
    """`yaat run --once`: a source returns from `Source.run` when it has read what is there now."""
    query: Ask = nobody_to_ask
    """SQL over what the agent's sinks have stored, for components that answer questions; only while the agent runs."""
    diary: Diary = attrs.field(factory=Diary)
    """What happened to the agent itself: empty where none runs."""

    def path(self, text: str) -> Path:
        """A path from the configuration: a source's is relative to the file, others' to `state_dir`."""
        base = self.config_dir if self.id.kind == "sources" else self.state_dir
        return base / Path(text).expanduser()


# --- sources ------------------------------------------------------------------------------------


class Receipt(Protocol):
    """What `Outlet.send` returns."""

    def durable(self) -> Awaitable[None]:
        """Returns after the synced queue write that holds the batch and its checkpoints."""
        ...


@attrs.frozen(kw_only=True)
class Neighbour:
    """Another source, and the checkpoints that it has stored.

    ``options`` are its present ones, of the same config class. None: it is not configured any more, whatever it was.
    """

    options: Any | None
    checkpoints: Mapping[bytes, bytes]


class Outlet(Protocol):
    """A source's way into the pipeline."""

    def checkpoints(self) -> Mapping[bytes, bytes]:
        """This source's checkpoints as they were when it was started: resume from there."""
        ...

    def neighbours(self) -> Sequence[Neighbour]:
        """The other sources of this type, and those that are not configured any more, as they were when it was started.

        Empty for a source that does not say `Source.inherits`.
        """
        ...

    async def send(self, batch: EventBatch, checkpoints: Checkpoints | None = None) -> Receipt:
        """Hand over a batch and the checkpoints that cover it. Returns once the bounded pipeline holds it.

        Blocks under backpressure: a source that can't wait counts what it sheds. Batches of one source keep
        their order. Cancelled in the middle, the batch was either taken whole or not at all.
        The batch is the pipeline's from then on (it is immutable, so nobody notices).
        An empty batch with checkpoints is allowed.
        """
        ...


class Source(abc.ABC):
    """Reads from outside. Subclass, and write `run`."""

    supports_once: ClassVar[bool] = True
    """False for listeners: `yaat run --once` skips them with a note."""

    reads_lines: ClassVar[bool] = False
    """True when its messages are lines that a ``format`` may take apart, and it names none itself. A factory that
    imports its class late says it itself, or its config class does (a class variable of the same name)."""

    default_format: ClassVar[str] = ""
    """The ``format`` of a source that is given none (`raw` says that none is meant), where a processor of that name is
    installed. Said by the factory or the config class, as `reads_lines`."""

    inherits: ClassVar[bool] = False
    """True when it goes on where another source of its type stopped: it looks at `Outlet.neighbours`."""

    single: ClassVar[bool] = False
    """True when an agent may have one source of the type, not several. Said by the factory or the config class, as
    `reads_lines`."""

    @abc.abstractmethod
    async def run(self, out: Outlet) -> None:
        """Read and send until cancelled; return only when there can be nothing more to read.

        A checkpoint never passes the first byte of an unfinished event. What is read but not yet
        sent when the source is cancelled is read again after the next start.
        """

    async def check(self) -> Sequence[Finding]:
        """Can it read what it is told to? Opens and changes nothing that stays."""
        return ()

    def passed(self) -> Sequence[str]:
        """As `Sink.passed`."""
        return ()

    def problems(self) -> Sequence[Finding]:
        """What is wrong while it goes on working. Asked about once a second, in the event loop: quick, without I/O.

        Shown in health until it is no longer returned; keep the order stable.
        """
        return ()


# --- processors ---------------------------------------------------------------------------------


@attrs.frozen
class Drop:
    """``count`` rows that a processor took out: a stable ``reason``, and the ``rule`` if one decided."""

    reason: str
    count: int
    rule: str = ""


class Processor(abc.ABC):
    """Changes or drops events, on whole batches. Subclass, and write `process`."""

    is_format: ClassVar[bool] = False
    """True when it takes lines apart, so that its name may be a source's ``format`` and a label's. A factory that
    imports its class late says it itself, or its config class does (a class variable of the same name)."""

    fail_closed: ClassVar[bool] = False
    """What becomes of rows on which `process` raises: True drops and counts them (a redaction that
    fails must let nothing through), False lets them pass unchanged."""

    @abc.abstractmethod
    def process(self, batch: EventBatch) -> tuple[EventBatch, Sequence[Drop]]:
        """The batch as it goes on, and what was taken out of it.

        Synchronous, called in a worker thread, never twice at the same time. It holds no event
        back and makes none: ``len(batch) == len(result) + sum(drop.count)``. The core recounts.
        """

    def flush(self, *, final: bool) -> EventBatch | None:
        """Events of its own about what it dropped, such as how often a line was repeated; None: nothing to say.

        Asked like `process`, not at the same time, once a second, and with ``final`` when no more will come. They are new,
        without `event_id`, counted as read, and go on behind this processor, by the source that their `yaat.source` names.
        """
        return None

    def problems(self) -> Sequence[Finding]:
        """As `Source.problems`; called while `process` may run in its thread."""
        return ()

    def detail(self) -> str:
        """How it goes, in a few words: of a source's ``format`` shown in that source's status. Called like `problems`."""
        return ""

    def close(self) -> None:
        """Give resources back."""


# --- sinks --------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Position:
    """Where in the queue a delivered batch lies. Row ``i`` has sequence ``first + i``."""

    queue_id: bytes
    sink: str
    first: int
    last: int
    checkpoints: Mapping[str, Checkpoints] = attrs.field(factory=dict)
    """What the sources had checkpointed in these writes; a transactional sink stores them with the rows."""
    part: int = 0
    waiting: int = 0
    """Events that follow this piece in the queue without a gap, as far as is known now."""
    accepted_us: int = 0
    """When the queue took the newest of these events, microseconds since the epoch; 0 when there is none."""
    replay: str = ""
    """Id of the dead letter that is delivered again. Then the events come from its file: ``first`` is the sequence of the
    first one, the others need not follow it, and the sink's own position has nothing to do with them."""

    @property
    def batch_id(self) -> str:
        """A stable name for this piece, 32 hex digits: the same after a retry or a restart.

        A dead letter that is delivered again has another one than the delivery that it comes from, since that one was answered.
        """
        digest = hashlib.blake2b(self.queue_id, digest_size=16)
        digest.update(f"\0{self.sink}\0{self.first}\0{self.last}\0{self.part}".encode())
        if self.replay:
            digest.update(f"\0{self.replay}".encode())
        return digest.hexdigest()


@attrs.frozen
class Done:
    """Every row is delivered."""


@attrs.frozen
class Partial:
    """Every row is delivered but for ``dead``: (row index, reason). Those go to the dead-letter directory.

    ``attempts``: how often the batch was sent until this was certain; 0: the sink does not count.
    ``answer``: the last answer of the other end, as it came; no secret may be in it. It is cut where it is long.
    """

    dead: Sequence[tuple[int, str]]
    attempts: int = 0
    answer: str = ""


@attrs.frozen
class Held:
    """The rows are taken but not certain yet: they are delivered when a later piece is answered `Done` or `Partial`.

    For transactions that span several pieces, while more is ``waiting``; one that nothing follows can't be held.
    After any other answer, or an exception, everything that was held comes again. When what was to follow is
    gone, a piece without rows asks for the decision.
    """


@attrs.frozen
class Retry:
    """Nothing is known to be delivered; the same batch again after ``after`` seconds (None: by backoff)."""

    why: str
    after: float | None = None


@attrs.frozen
class Pause:
    """Nothing was delivered, and trying again is of no use until something changes. Health turns red."""

    why: str
    advice: str = ""


Outcome = Done | Partial | Held | Retry | Pause


class Sink(abc.ABC):
    """Delivers batches. Subclass, and write `deliver`."""

    remote: ClassVar[bool] = True
    """Decides the default of ``queue.when_full``: `drop_oldest` for a remote sink, `block` for a local one."""

    stable_batches: ClassVar[bool] = True
    """True: a batch in flight keeps its boundaries through a restart (its `batch_id` is a key for
    deduplication). False: boundaries don't matter and batches grow freely when behind."""

    batch_bytes: ClassVar[int] = 2 * 2**20
    """How many bytes a delivery holds at most, stored or in memory, beyond its first record."""

    @property
    def batch_rows(self) -> int:
        """How many rows the next delivery holds at most. A class attribute will do where that never changes."""
        return 8_192

    async def open(self) -> None:
        """Connect. Raising means: try again later, by restart."""

    @abc.abstractmethod
    async def deliver(self, batch: EventBatch, position: Position) -> Outcome:
        """Deliver a batch. Returns when that is certain; an exception counts as `Retry` and restarts the sink.

        Cancelled at any moment, it leaves nothing half-done that a second delivery can't mend.
        """

    async def check(self) -> Sequence[Finding]:
        """Can it be reached? Changes nothing that stays."""
        return ()

    def passed(self) -> Sequence[str]:
        """Steps of the last `check` that went well, in order ("DNS: api.example is 192.0.2.1"); for checks that go by steps."""
        return ()

    def problems(self) -> Sequence[Finding]:
        """As `Source.problems`."""
        return ()

    async def idle(self) -> None:
        """Called about once a second while nothing waits: the time for housekeeping."""

    def settled(self) -> int | None:
        """The sequence up to which rows are safe without the queue; None: all that was delivered.

        The queue deletes nothing beyond (DuckDB: what its last CHECKPOINT covers).
        """
        return None

    async def aclose(self) -> None:
        """Disconnect. Safe twice."""


@attrs.frozen(kw_only=True)
class SinkPosition:
    """What a transactional sink has stored: its last sequence, and the checkpoints that came with the rows."""

    queue_id: bytes
    sequence: int
    checkpoints: Mapping[str, Mapping[bytes, StoredCheckpoint]]
    replayed: int = 0
    """Events of dead letters that were delivered again and are stored, ever."""
    refused: tuple[int, int] | None = None
    """First and last sequence of the last piece of which rows were refused, until rows behind it are stored."""


class TransactionalSink(Sink):
    """A sink that stores the queue position in the same transaction as the rows: exactly once.

    One that answers `Partial` stores in that transaction, too, which rows it refuses and why, and tells the piece in
    `SinkPosition.refused`: a kill may come before the dead letter is written. The same piece again gets the same answer. It
    may forget them when it stores rows behind the piece.
    """

    remote = False
    stable_batches = False

    takes_replays: ClassVar[bool] = False
    """True: a delivery with `Position.replay` is stored together with that id, and answered `Done`, or the same
    `Partial`, when it is there already. One letter comes at a time: the id of the last one is enough. When the answer is
    given the rows are as safe as `settled` means it. The position stays. False: no letter can be delivered again."""

    @abc.abstractmethod
    async def position(self) -> SinkPosition | None:
        """What is stored; None for a new store. Called after `open`, before the first `deliver`."""

    @abc.abstractmethod
    async def bind(self, queue_id: bytes) -> None:
        """Tie a new store to this queue.

        Raises:
            StoreForeign: it belongs to another one.
        """
