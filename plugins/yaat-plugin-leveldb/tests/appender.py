"""A process that appends numbered events and prints a line for each acknowledged write: the child of fault tests.

    appender.py FOLDER [--writes N] [--rows N] [--payload N] [--reserve N] [--buffer N]

It goes on from its checkpoint. Lines: `open N` (events so far), `ack N`, `full`, `landed N`, `damage TEXT`.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from yaat_core.components import Appended, QueueWrite
from yaat_core.config.options import Size
from yaat_core.errors import StoreUnavailable
from yaat_core.event import EventBatch
from yaat_core.testing import make_context
from yaat_plugin_leveldb.config import LevelDBConfig
from yaat_plugin_leveldb.queue import LevelDBQueue

SOURCE = "sources.app"


def main() -> None:
    options = parse()
    config = LevelDBConfig(write_buffer=Size(options.buffer), reserve=Size(options.reserve))
    queue = LevelDBQueue(config, make_context(options.folder, "queue"))
    for damage in queue.open():
        tell(f"damage {damage.what}")
    stored = queue.checkpoints(SOURCE).get(b"next")
    done = int(stored.value) if stored else 0
    tell(f"open {done}")
    for _ in range(options.writes):
        write = numbered(done, options.rows, options.payload)
        append(queue, write)
        done += options.rows
        tell(f"ack {done}")
        if done % (5 * options.rows) == 0:
            queue.delete_upto(0)
    queue.close()


def append(queue: LevelDBQueue, write: QueueWrite) -> Appended:
    """Append through whatever happens, as the core does."""
    while True:
        try:
            return queue.append(write)
        except StoreUnavailable:
            tell("full")
        landed = recover(queue)
        if landed is not None:
            tell(f"landed {landed.last}")
            return landed


def recover(queue: LevelDBQueue) -> Appended | None:
    while True:
        try:
            return queue.recover()
        except StoreUnavailable:
            tell("full")
            time.sleep(0.02)


def numbered(first: int, rows: int, payload: int) -> QueueWrite:
    numbers = np.zeros((rows, 2), ">u8")
    numbers[:, 1] = np.arange(first, first + rows)
    ids = pa.Array.from_buffers(pa.binary(16), rows, [None, pa.py_buffer(numbers.tobytes())])
    message = pa.array([random.randbytes(payload).hex() for _ in range(rows)])
    batch = EventBatch.build(rows, {"event_id": ids, "message": message})
    checkpoints = {SOURCE: {b"next": str(first + rows).encode()}}
    return QueueWrite(batch=batch, checkpoints=checkpoints, read=rows, time_us=time.time_ns() // 1000)


def tell(line: str) -> None:
    print(line, flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--writes", type=int, default=1_000_000)
    for name, default in (("rows", 10), ("payload", 200), ("reserve", 2**18), ("buffer", 2**20)):
        parser.add_argument(f"--{name}", type=int, default=default)
    return parser.parse_args()


main()
