"""Named points at which a test can have the process killed: `YAAT_FAULT=queue.append.after:kill@3`.

The third time that the point is reached, the process gets SIGKILL: no handler runs, nothing is flushed. Several plans
are separated by commas. Without the variable a point costs a lookup in an empty table.
"""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Mapping
from typing import Final

from yaat_core.errors import UsageError

VARIABLE: Final = "YAAT_FAULT"

#: Every point, and when it is reached.
POINTS: Final[Mapping[str, str]] = {
    "source.read": "a source hands over a batch that it has read",
    "queue.append.before": "a batch is ready for the queue, nothing is written",
    "queue.append.after": "the synced queue write has returned, nobody knows yet",
    "queue.delete.before": "what every sink has is about to be deleted from the queue",
    "queue.delete.after": "it is deleted",
    "queue.compact.before": "the queue is about to give disk space back",
    "queue.compact.after": "it has given disk space back",
    "duckdb.commit.before": "rows, position and checkpoints are in the transaction, not committed",
    "duckdb.commit.after": "the COMMIT has returned, the core does not know yet",
    "duckdb.checkpoint.before": "DuckDB's log is about to be moved into its file",
    "duckdb.checkpoint.after": "it is moved",
    "duckdb.rotate.before": "the next file of the database is about to begin",
    "duckdb.rotate.after": "it has begun, and takes no rows yet",
    "duckdb.retire.before": "an old file is no longer part of the database, and about to be removed",
    "duckdb.retire.renamed": "it is renamed, and not deleted yet",
    "deadletter.move.before": "a dead-letter file is written and synced under a temporary name",
    "deadletter.move.after": "it has its name, the cursor has not moved",
    "replay.taken": "dead letters are counted as queued, their files still have the names of dead ones",
    "replay.moved": "the files are as they are counted, the cursor does not know",
    "replay.answered": "a letter was delivered again, nothing is noted",
    "reload.sinks": "a reload has exchanged the sinks, sources go on as they were",
    "reload.sources.stopped": "sources that a reload takes away or changes have stopped, what they sent is durable",
    "reload.processors": "the processors are exchanged, and new sources have not started",
    "replay.counted": "the answer is counted, the letter's file is still there",
}

_PLAN: Final = re.compile(r"\s*([\w.]+):kill@([1-9]\d*)\s*")

_lock = threading.Lock()
_left: dict[str, int] = {}


def arm(text: str | None = None) -> None:
    """Take the plans from ``text``, or from the environment.

    Raises:
        UsageError: something that is no plan, or no point.
    """
    text = os.environ.get(VARIABLE, "") if text is None else text
    plans = {}
    for part in filter(str.strip, text.split(",")):
        match = _PLAN.fullmatch(part)
        if match is None or match[1] not in POINTS:
            raise UsageError(
                f"{VARIABLE} has {part.strip()!r}, which is no plan",
                fix=f"write POINT:kill@N; points: {', '.join(POINTS)}",
            )
        plans[match[1]] = int(match[2])
    _left.clear()
    _left.update(plans)


def reached(point: str) -> None:
    """Die here, if that is the plan. Any thread."""
    if point not in _left:
        return
    with _lock:
        _left[point] -= 1
        due = not _left[point]
    if due:
        os.kill(os.getpid(), signal.SIGKILL)
        signal.pause()
