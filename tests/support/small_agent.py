"""A small agent behind the real control API: real sockets, answers made up here, no components."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import pyarrow as pa
import trio

from yaat_core.checks.base import Check
from yaat_core.components import Damage, QueryRequest, Record, RecordInfo
from yaat_core.control import server
from yaat_core.control.lock import StateLock
from yaat_core.deadletters import DeadEvent, Letter
from yaat_core.diagnosis import Diagnosis, diagnose
from yaat_core.errors import QueryFailed, QueryRefused, StoreUnavailable, UsageError
from yaat_core.event import Event, EventBatch
from yaat_core.exporting import Exported
from yaat_core.flare.model import Flare, FlareFile
from yaat_core.happenings import Happening
from yaat_core.live import Live
from yaat_core.registry import Registry
from yaat_core.reloading.results import Change, Reloaded
from yaat_core.replaying import Refused, Replayed
from yaat_core.stats import Stats
from yaat_core.status import (
    Accounting,
    ComponentStatus,
    Health,
    QueueFigures,
    SinkAccount,
    Status,
)


class Numbers:
    """The answer to ``numbers N``: batches of 1000 rows; remembers what was done to it."""

    schema = pa.schema([("n", pa.int64()), ("text", pa.string())])

    def __init__(self, rows: int, limit: int, fail_at: int | None = None) -> None:
        self.rows, self.limit, self.fail_at = rows, limit, fail_at
        self.truncated = False
        self.given = 0
        self.threads: set[int] = set()
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[Any]:
        for start in range(0, min(self.rows, self.limit), 1000):
            self.threads.add(threading.get_ident())
            if self.fail_at is not None and start >= self.fail_at:
                raise QueryFailed("the disk went away")
            numbers = range(start, min(start + 1000, self.rows, self.limit))
            self.given += len(numbers)
            texts = ["x" * 100] * len(numbers)
            yield pa.RecordBatch.from_arrays(
                [pa.array(numbers, pa.int64()), pa.array(texts)], schema=self.schema
            )
        self.truncated = self.rows > self.limit

    def close(self) -> None:
        self.threads.add(threading.get_ident())
        self.closed.set()


class Hanging(Numbers):
    """The answer to ``hang 0``: a batch that never comes, unless somebody interrupts."""

    def __init__(self) -> None:
        super().__init__(1, 1)
        self.entered, self.interrupted = threading.Event(), threading.Event()

    def __iter__(self) -> Iterator[Any]:
        self.entered.set()
        if not self.interrupted.wait(60):
            return
        raise QueryFailed("interrupted")
        yield

    def interrupt(self) -> None:
        self.interrupted.set()


@attrs.frozen
class Nothing:
    """No rooms, and a configuration of nothing."""

    lanes: dict[str, Any] = attrs.field(factory=dict)
    workers: dict[str, Any] = attrs.field(factory=dict)
    sources: dict[str, Any] = attrs.field(factory=dict)
    processors: tuple[Any, ...] = ()
    sinks: dict[str, Any] = attrs.field(factory=dict)

    @property
    def door(self) -> Any:
        """A queue of nothing."""
        return SimpleNamespace(queue=SimpleNamespace(state=lambda: SimpleNamespace(tail=0)))


class SmallAgent:
    """Implements `Operations` over a few events held in memory."""

    def __init__(self) -> None:
        self.stats = Stats()
        self.stats.counter("yaat_test_total", "Counted.", component="sources.app").add(3)
        self.stats.histogram("yaat_test_seconds", "Timed.").observe(0.2)
        self.batch = EventBatch.from_events([Event(message=f"m{n}", service_name="web") for n in range(5)])
        self.waiting = 5
        self.answers: list[Numbers] = []
        self.stops = 0
        self.broken = False
        self.loss_accepted = False
        self.problems: tuple[Any, ...] = ()
        self.live = Live(self.stats, Registry(), lambda: Nothing(), lambda: Nothing())
        self.letter = Letter(
            id="5f0c2a",
            sink="sinks.local",
            events=2,
            first=1,
            last=5,
            time="2026-01-01T00:00:00+00:00",
            bytes=300,
            reasons={"too long": 1, "no name\x1b[2J": 1},
            attempts=3,
            answer="422 no such field\x1b]0;owned\x07 " + "x" * 5_000,
        )

    @property
    def inspector(self) -> SmallAgent:
        return self

    async def diagnosis(self, *, reach: bool) -> Diagnosis:
        checks = [
            Check(name=one.component, level=one.level, what=one.what, advice=one.advice, group="agent")
            for one in self.problems
        ]
        return diagnose(await self.status(), checks)

    async def flare(self) -> Flare:
        return Flare(
            files=[FlareFile(name="a.txt", why="to see", bytes=3, redacted={"email": 1}, text="abc")]
        )

    async def status(self) -> Status:
        if self.broken:
            raise StoreUnavailable("the disk went away", fix="mend it")
        account = SinkAccount(
            attached_at="2026-01-01T00:00:00+00:00",
            accepted=5,
            delivered=5 - self.waiting,
            queued=self.waiting,
            dead=0,
            dropped=0,
            lost=0,
        )
        return Status(
            version="0.1.0",
            pid=1,
            state="running",
            uptime_seconds=5.0,
            config_file=None,
            state_dir="/",
            components=(
                ComponentStatus(id="sources.app", type="file", state="ok", since="2026-01-01T00:00:00+00:00"),
            ),
            health=Health(ok=not self.problems, problems=self.problems),
            accounting=Accounting(
                read=5, accepted=5, dropped_before_queue={}, balanced=True, by_sink={"local": account}
            ),
            queue=QueueFigures(events=self.waiting, bytes=100, oldest_seconds=1.0),
        )

    async def query(self, request: QueryRequest, sink: str | None = None) -> Numbers:
        word, _, number = request.sql.partition(" ")
        if word == "crash":
            raise RuntimeError("a secret inside")
        if word == "hang":
            self.answers.append(Hanging())
            return self.answers[-1]
        if word not in ("numbers", "broken"):
            raise QueryRefused(f"not a number: {request.sql}", fix="write: numbers 10")
        answer = Numbers(int(number), request.rows, fail_at=2000 if word == "broken" else None)
        self.answers.append(answer)
        return answer

    async def queue_infos(self, after: int, limit: int) -> list[RecordInfo]:
        infos = [RecordInfo(first=1, last=5, time_us=1_700_000_000_000_000, bytes=100, total_bytes=100)]
        return [info for info in infos if info.last > after][:limit]

    async def queue_record(self, sequence: int) -> Record | None:
        if not 1 <= sequence <= 5:
            return None
        return Record(
            first=1,
            last=5,
            batch=self.batch,
            checkpoints={"sources.app": {b"gen\xff": b"12"}},
            time_us=1_700_000_000_000_000,
            bytes=100,
        )

    async def queue_verify(self) -> list[Damage]:
        return [Damage("a record does not check out", 3, 4)]

    async def queue_purge(self, sink: str) -> int:
        if sink != "sinks.local":
            raise UsageError(f"no sink `{sink}`", fix="known: sinks.local")
        purged, self.waiting = self.waiting, 0
        return purged

    async def queue_repair(self) -> tuple[list[Damage], dict[str, int]]:
        return [Damage("a record does not check out", 3, 4)], {"sinks.local": 2}

    async def queue_export(self, first: int, last: int | None) -> Exported:
        record = await self.queue_record(1)
        assert record is not None
        return Exported(
            lambda after, rows, size: [_cut(record, after)] if after < 5 else [], first, last or 5
        )

    async def dead_letters(self, sink: str | None, limit: int) -> tuple[list[Letter], dict[str, int]]:
        return [self.letter][:limit], {"sinks.local": 2}

    async def dead_letter(self, id: str, limit: int) -> tuple[Letter, list[DeadEvent]]:
        if id != self.letter.id:
            raise UsageError(f"there is no dead letter {id}", fix="`yaat dead list` shows their ids")
        return self.letter, [DeadEvent(sequence=3, reason="too long", event={"message": "m2\x1b[2J"})][:limit]

    async def dead_purge(self, sink: str, id: str | None) -> tuple[int, int]:
        return 1, 2

    async def dead_replay(self, sink: str | None, id: str | None, after: str | None, limit: int) -> Replayed:
        """Three letters, one at a time; the last one is damaged."""
        if sink not in (None, "sinks.local"):
            raise UsageError(f"no sink `{sink}`", fix="known: sinks.local")
        number = int(after or 0)
        bad = [Refused(id="77aa", sink="sinks.local", problem="is damaged\x1b[2J")] if number == 2 else []
        left = 0 if id else 2 - number
        following = str(number + 1) if left else None
        return Replayed(letters=1 - len(bad), events=2 - 2 * len(bad), refused=bad, left=left, next=following)

    async def accept_loss(self) -> None:
        self.loss_accepted = True

    async def reload(self, by: str) -> Reloaded:
        changes = [
            Change(component="sources.app", what="restarted"),
            Change(component="tags", what="changed"),
        ]
        return Reloaded(changes=changes, unchanged=3, restart_needed=["state_dir"])

    def happenings(self, after: int | None, limit: int) -> list[Happening]:
        found = [
            Happening(
                number=1_700_000_000_000_000 + place,
                at="2026-01-01T00:00:00.000+00:00",
                level="error" if place else "info",
                component="sinks.local",
                kind="problem",
                what=f"no answer {place}\x1b[2J",
                advice="wait",
            )
            for place in range(2)
        ]
        return [one for one in found if one.number > (after or 0)][:limit]

    def stop(self) -> None:
        self.stops += 1

    def configuration(self) -> dict[str, Any]:
        return {"service_name": "web", "sinks": {"cloud": {"api_key": "***"}}}


def _cut(record: Record, after: int) -> Record:
    skip = max(0, after + 1 - record.first)
    return attrs.evolve(record, first=record.first + skip, batch=record.batch.slice(skip))


@contextlib.contextmanager
def serving(agent: SmallAgent, state_dir: Path) -> Iterator[SmallAgent]:
    """The agent's API, served from another thread, so that synchronous code can call it."""
    started, ended = threading.Event(), threading.Event()
    scopes: list[tuple[trio.lowlevel.TrioToken, trio.CancelScope]] = []

    async def main() -> None:
        with StateLock(state_dir), trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                await nursery.start(partial(server.serve, agent, state_dir))
                scopes.append((trio.lowlevel.current_trio_token(), scope))
                started.set()

    def run() -> None:
        try:
            trio.run(main)
        finally:
            ended.set()
            started.set()

    thread = threading.Thread(target=run)
    thread.start()
    started.wait(10)
    try:
        yield agent
    finally:
        for token, scope in scopes:
            token.run_sync_soon(scope.cancel)
        thread.join(10)
    assert ended.is_set(), "the server did not stop"
