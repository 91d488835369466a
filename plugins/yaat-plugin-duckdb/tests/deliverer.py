"""A child that delivers batches as fast as it can until it is killed: `deliverer.py FOLDER [RETENTION]`.

With a retention, in seconds, files begin and go all the time. After each delivery it writes the last sequence to
stdout: what it said is delivered must be there.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from yaat_core import faults, ids
from yaat_core.components import Done, Held, Position
from yaat_core.event import EventBatch
from yaat_core.testing import make_context
from yaat_plugin_duckdb.config import DuckDBConfig
from yaat_plugin_duckdb.writer import Writer

QUEUE = b"queue-0000000001"
#: Events after which the backlog comes or goes.
STRETCH = 20_000


def main(folder: Path, retention: float | None) -> None:
    """Resume where the database says, overlapping by some rows, as a queue does whose cursor is behind."""
    config = DuckDBConfig(retention=retention, checkpoint_interval=0.05, checkpoint_bytes=2**20)  # type: ignore[arg-type]
    writer = Writer(config, make_context(folder, "sinks.local"))
    writer.start()
    writer.bind(QUEUE)
    found = writer.position()
    assert found is not None
    known = found.checkpoints.get("sources.app", {})
    if found.sequence:
        assert int(known[b"offset"].value) == found.sequence, "position and checkpoint disagree"
    print(f"start {found.sequence}", flush=True)
    first = max(1, found.sequence - 150)
    while True:
        last = first + 499
        numbers = np.arange(first, last + 1)
        batch = EventBatch.build(
            500,
            {
                "event_id": ids.positional(1, b"a", "sources.app", b"", numbers),
                "message": "x",
                "tags": {"a": "b"},
            },
        )
        position = Position(
            queue_id=QUEUE,
            sink="sinks.local",
            first=first,
            last=last,
            # Half of the time as in a backlog: many deliveries to a transaction.
            waiting=1_000_000 if first // STRETCH % 2 else 0,
            checkpoints={"sources.app": {b"offset": b"%d" % last}},
        )
        outcome = writer.deliver(batch, position)
        if outcome == Done():
            print(f"done {last} {writer.settled}", flush=True)
        else:
            assert outcome == Held()
        first = last + 1


if __name__ == "__main__":
    faults.arm()
    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else None)
