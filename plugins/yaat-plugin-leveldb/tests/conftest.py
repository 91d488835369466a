"""A queue in a folder, and the oracle that knows what was accepted."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import attrs
import numpy as np
import pyarrow as pa
import pytest

from yaat_core.components import Appended, Damage, LedgerEntry, Queue, QueueWrite
from yaat_core.config.options import Size
from yaat_core.event import EventBatch
from yaat_core.testing import make_context
from yaat_plugin_leveldb.config import LevelDBConfig
from yaat_plugin_leveldb.queue import LevelDBQueue

SOURCE = "sources.app"
APPENDER = Path(__file__).with_name("appender.py")


def numbered(first: int, rows: int, payload: int = 0) -> EventBatch:
    """Events whose ids count from ``first``; ``payload`` random bytes (as hex) in each message."""
    numbers = np.zeros((rows, 2), ">u8")
    numbers[:, 1] = np.arange(first, first + rows)
    columns = {
        "event_id": pa.Array.from_buffers(pa.binary(16), rows, [None, pa.py_buffer(numbers.tobytes())])
    }
    if payload:
        columns["message"] = pa.array([random.randbytes(payload).hex() for _ in range(rows)])
    return EventBatch.build(rows, columns)


@attrs.define
class Rig:
    """One queue folder. ``accepted`` counts the events that were acknowledged: their ids are 0, 1, 2 and so on."""

    folder: Path
    config: LevelDBConfig
    queue: Queue = attrs.field(init=False)
    accepted: int = 0

    @property
    def home(self) -> Path:
        return self.folder / "state" / "queue"

    @property
    def store(self) -> Path:
        return self.home / "store"

    def make(self) -> LevelDBQueue:
        return LevelDBQueue(self.config, make_context(self.folder, "queue"))

    def open(self) -> Sequence[Damage]:
        self.queue = self.make()
        return self.queue.open()

    def append(self, rows: int = 10, payload: int = 20, dropped: int = 0) -> Appended:
        """Append the next events with a checkpoint that says how many there are."""
        appended = self.queue.append(self.write(rows, payload, dropped))
        self.accepted += rows
        return appended

    def write(self, rows: int = 10, payload: int = 20, dropped: int = 0) -> QueueWrite:
        drops = [LedgerEntry(component="scrub", reason="test", count=dropped)] if dropped else []
        return QueueWrite(
            batch=numbered(self.accepted, rows, payload),
            checkpoints={SOURCE: {b"next": str(self.accepted + rows).encode()}},
            drops=drops,
            read=rows + dropped,
            time_us=1_000_000 + self.accepted,
        )

    def numbers(self) -> list[int]:
        """The ids of all events that can be read, in order of their sequences."""
        found: list[int] = []
        after = 0
        while records := self.queue.read(after, max_rows=100_000, max_bytes=2**40):
            for record in records:
                assert record.first > after
                found += [int.from_bytes(one) for one in record.batch.column("event_id").to_pylist()]
                after = record.last
        return found

    def holds_all(self) -> None:
        """What was acknowledged is there once, in order, with its checkpoint and the right counts."""
        assert self.numbers() == list(range(self.accepted))
        self.balances()
        assert self.queue.state().tail == self.accepted
        stored = self.queue.checkpoints(SOURCE)
        assert int(stored[b"next"].value) == self.accepted
        assert list(self.queue.verify()) == []

    def balances(self) -> None:
        state = self.queue.state()
        assert state.read == state.accepted + sum(state.dropped.values())
        assert state.accepted == state.tail

    def reopen(self) -> Sequence[Damage]:
        self.queue.close()
        return self.open()

    def image(self, name: str) -> Rig:
        """The folder as a kill at this moment leaves it."""
        other = Rig(self.folder / name, self.config)
        shutil.copytree(self.folder / "state", other.folder / "state")
        other.accepted = self.accepted
        return other

    def settled(self) -> None:
        """Close and open, so that LevelDB moves its log into tables; then close."""
        self.reopen()
        self.queue.close()

    def files(self, suffix: str) -> list[Path]:
        return sorted(self.store.glob(f"*{suffix}"))

    def quarantined(self) -> list[str]:
        folder = self.home / "quarantine"
        return sorted(os.listdir(folder)) if folder.exists() else []


@pytest.fixture
def make_rig() -> Iterator[Callable[..., Rig]]:
    """Makes rigs with a small reserve and closes their queues."""
    made: list[Rig] = []

    def make(folder: Path, *, reserve: int = 2**18, write_buffer: int = 2**20) -> Rig:
        config = LevelDBConfig(write_buffer=Size(write_buffer), reserve=Size(reserve))
        made.append(Rig(folder, config))
        return made[-1]

    yield make
    for rig in made:
        queue = getattr(rig, "queue", None)
        if queue is not None:
            queue.close()


@pytest.fixture
def rig(make_rig: Callable[..., Rig], tmp_path: Path) -> Rig:
    """An open, empty queue."""
    made = make_rig(tmp_path)
    assert list(made.open()) == []
    return made


@pytest.fixture
def start_appender() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a process that appends and prints what was acknowledged; see `appender.py`."""
    started: list[subprocess.Popen[str]] = []

    def start(folder: Path, *options: str, before: Sequence[str] = ()) -> subprocess.Popen[str]:
        command = [*before, sys.executable, str(APPENDER), str(folder), *options]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
