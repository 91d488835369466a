"""What the tests share: batches, positions, and an open writer."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import duckdb
import numpy as np
import pyarrow as pa
import pytest

from yaat_core import ids
from yaat_core.components import Checkpoints, Context, Outcome, Position, QueryRequest
from yaat_core.event import SCHEMA, EventBatch
from yaat_core.testing import make_context
from yaat_plugin_duckdb.config import DuckDBConfig
from yaat_plugin_duckdb.places import Places
from yaat_plugin_duckdb.writer import Writer

QUEUE = b"queue-0000000001"
SINK = "sinks.local"
#: Of each file that `Bench.fill` makes.
FILE_ROWS = 500
DAY = 24 * 3600.0
DAY_US = 24 * 3600 * 1_000_000


def batch(first: int, rows: int, **columns: Any) -> EventBatch:
    """Rows numbered from ``first`` on: in the message, in the tag `n` and in the id."""
    numbers = np.arange(first, first + rows)
    given = {
        "event_id": ids.positional(1_767_225_600_000, b"agent", "sources.app", b"", numbers),
        "service_name": "shop",
        "environment": "test",
        "organization_id": "local",
        "level": "info",
        "message": [f"event {number}" for number in numbers],
        "tags": [[("n", str(number)), ("host.name", "h")] for number in numbers],
    }
    given |= columns
    arrays = {name: _array(name, value) for name, value in given.items()}
    return EventBatch.build(rows, arrays)


def _array(name: str, value: Any) -> Any:
    return pa.array(value, SCHEMA.field(name).type) if isinstance(value, list) else value


@attrs.define
class Bench:
    """A writer on a folder of its own, and what a test does with it."""

    folder: Path
    options: Mapping[str, Any] = attrs.field(factory=dict)
    writer: Writer | None = None

    @property
    def context(self) -> Context:
        return make_context(self.folder, SINK)

    @property
    def config(self) -> DuckDBConfig:
        return DuckDBConfig(**self.options)

    @property
    def path(self) -> Path:
        return self.context.path(self.config.path)

    @property
    def places(self) -> Places:
        return Places(self.path)

    @property
    def wal(self) -> Path:
        """Of the file that takes the rows; of the first one when there is none."""
        return (self.places.present() or [self.places.at(1)])[-1].wal

    def open(self, **options: Any) -> Writer:
        self.options = {**self.options, **options}
        self.writer = Writer(self.config, self.context)
        self.writer.start()
        self.writer.position()
        self.writer.bind(QUEUE)
        return self.writer

    def fill(self, files: int, *, rows: int = FILE_ROWS, settle: bool = True) -> int:
        """So many files of so many rows; returns the last sequence. The newest's are in its log unless ``settle``."""
        writer = self.open(retention=DAY, checkpoint_interval=3600.0)
        step = DAY_US // 8
        start = time.time_ns() // 1_000 - step * (files - 1)
        for number in range(files):
            first = 1 + number * rows
            offset = {b"offset": b"%d" % (first + rows - 1), b"only %d" % number: b"x"}
            self.deliver(first, rows, {"sources.app": offset}, accepted_us=start + step * number)
        # Only now, since the first of many are too old already.
        writer.upkeep.retention._keep = None
        if settle:
            self.close()
            assert self.open(retention=None).settled == files * rows
        assert len(self.files()) == files
        return files * rows

    def told(self) -> str:
        """What the writer says is wrong."""
        assert self.writer is not None
        return "\n".join(finding.problem for finding in self.writer.problems())

    def count(self) -> int:
        """How many events a query finds."""
        return int(self.ask("SELECT count(*) AS n FROM events")[0]["n"])

    def close(self) -> None:
        if self.writer is not None:
            self.writer.stop()
            self.writer = None

    def deliver(
        self,
        first: int,
        rows: int,
        checkpoints: Mapping[str, Checkpoints] | None = None,
        waiting: int = 0,
        accepted_us: int = 0,
        **columns: Any,
    ) -> Outcome:
        assert self.writer is not None
        position = Position(
            queue_id=QUEUE,
            sink=SINK,
            first=first,
            last=first + rows - 1,
            waiting=waiting,
            accepted_us=accepted_us,
            checkpoints=checkpoints or {},
        )
        return self.writer.deliver(batch(first, rows, **columns), position)

    def tidy(self) -> None:
        """Housekeeping, all of it, now."""
        assert self.writer is not None
        self.writer.upkeep._tidied = -math.inf
        self.writer.tidy()

    def ask(self, sql: str, **limits: Any) -> list[dict[str, Any]]:
        """Rows of a query, through the door of queries."""
        assert self.writer is not None
        answer = self.writer.answers.ask(self.writer.cursor, QueryRequest(sql=sql, **limits))
        try:
            return [row for piece in answer for row in piece.to_pylist()]
        finally:
            answer.close()

    def sequences(self) -> Sequence[int]:
        """What is stored, read from the closed files."""
        self.close()
        return sorted(sequence for file in self.files() for sequence in self.stored(file))

    @staticmethod
    def stored(file: Path) -> list[int]:
        """The sequences in a file that no writer has open."""
        with duckdb.connect(str(file), read_only=True) as connection:
            rows = connection.execute("SELECT sequence FROM yaat_events ORDER BY sequence").fetchall()
        return [sequence for (sequence,) in rows]

    def files(self) -> list[Path]:
        """The files of the database, the oldest first."""
        return [partition.path for partition in self.places.present()]


@pytest.fixture(scope="session")
def make_bench() -> type[Bench]:
    """`Bench`, for tests that share one or make several."""
    return Bench


@pytest.fixture(scope="session")
def make_batch() -> Callable[..., EventBatch]:
    """`batch`: rows numbered from a number on."""
    return batch


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()
