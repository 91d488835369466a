"""A plugin as a loose file: every kind of component, as small as can be."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import trio

from yaat_core import Done, EventBatch, Processor, Sink, Source, configuration, hookimpl, option
from yaat_core.components import Context, Damage, Finding, QueryRequest, QueueWrite
from yaat_core.cursor import Cursor
from yaat_core.errors import QueryFailed, QueryTimeout
from yaat_core.event import Event
from yaat_core.testing._memory_queue import MemoryQueue


@configuration
class WordsConfig:
    """Words that are in the configuration."""

    words: tuple[str, ...] = option(("one",), help="What to send.")
    unreadable: bool = option(False, help="The check fails.")
    unmakeable: bool = option(False, help="The factory fails.")
    hangs: bool = option(False, help="The check raises.")


class Words(Source):
    def __init__(self, config: WordsConfig, context: Context) -> None:
        if config.unmakeable:
            raise ValueError("no words \x1b[31m today")
        self.config = config

    async def run(self, out: Any) -> None:
        receipt = await out.send(
            EventBatch.from_events([Event(message=word) for word in self.config.words]), {b"k": b"1"}
        )
        await receipt.durable()

    async def check(self) -> Sequence[Finding]:
        if self.config.hangs:
            raise RuntimeError("boom")
        if self.config.unreadable:
            return [Finding(problem="can't read the words", advice="chmod +r words")]
        return [Finding(problem="few words", level="warn")]


@configuration
class ShoutConfig:
    """Upper case."""


class Shout(Processor):
    def process(self, batch: EventBatch) -> tuple[EventBatch, Sequence[Any]]:
        return batch, ()


@configuration
class KeptConfig:
    """Five events; remembers cursors."""

    damaged: bool = option(False, help="Opening and verifying find damage.")


class Kept(MemoryQueue):
    def __init__(self, config: KeptConfig, context: Context) -> None:
        super().__init__()
        self.config, self.file = config, context.state_dir / "cursors"

    def open(self) -> Sequence[Damage]:
        super().open()
        self.append(
            QueueWrite(
                batch=EventBatch.from_events([Event(message=f"m{n}\x1b[2J") for n in range(5)]),
                checkpoints={"sources.app": {b"k": b"1"}},
                read=5,
                time_us=1_700_000_000_000_000,
            )
        )
        cursors = (
            pickle.loads(self.file.read_bytes())
            if self.file.exists()
            else {"sinks.local": Cursor.attach(0, 0)}
        )
        super().put_cursors(cursors)
        return [Damage("a bad block", 2, 3)] if self.config.damaged else []

    def put_cursors(self, cursors: Any, *, sync: bool = False) -> None:
        super().put_cursors(cursors, sync=sync)
        self.file.write_bytes(pickle.dumps(dict(self.state().cursors)))


@configuration
class NumbersConfig:
    """Answers ``numbers N``."""

    unreachable: bool = option(False, help="The check fails.")


class NumbersSink(Sink):
    remote = False

    def __init__(self, config: NumbersConfig, context: Context) -> None:
        self.config = config

    async def deliver(self, batch: EventBatch, position: Any) -> Done:
        await trio.lowlevel.checkpoint()
        return Done()

    async def check(self) -> Sequence[Finding]:
        if self.config.unreachable:
            return [Finding(problem="nobody answers at 192.0.2.1", advice="plug it in")]
        return ()


class Answer:
    schema = pa.schema([("n", pa.int64()), ("text", pa.string())])
    truncated = False

    def __init__(self, rows: int, limit: int, *, breaks: bool) -> None:
        self.rows, self.limit, self.breaks = rows, limit, breaks

    def __iter__(self) -> Iterator[Any]:
        for start in range(0, min(self.rows, self.limit), 1000):
            numbers = range(start, min(start + 1000, self.rows, self.limit))
            texts = pa.array([f"=t{n}\x1b" if n else None for n in numbers], pa.string())
            yield pa.RecordBatch.from_arrays([pa.array(numbers, pa.int64()), texts], schema=self.schema)
            if self.breaks:
                raise QueryFailed("the disk went away")
        self.truncated = self.rows > self.limit

    def close(self) -> None:
        pass


@hookimpl
def register_components(register: Any) -> None:
    register.source("words", WordsConfig, Words)
    register.processor("shout", ShoutConfig, lambda config, context: Shout())
    register.queue("kept", KeptConfig, Kept)
    register.sink("numbers", NumbersConfig, NumbersSink)


@hookimpl
def query(sink: Any, context: Context, request: QueryRequest) -> Any:
    if not isinstance(sink, NumbersSink | NumbersConfig):
        return None
    word, _, number = request.sql.partition(" ")
    if word == "slow":
        raise QueryTimeout("too slow")
    if word == "crash":
        raise RuntimeError("nobody foresaw")
    return Answer(int(number), request.rows, breaks=word == "broken")
