"""Events that a sink refused for good: one plain file a batch, with the reason of each event."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import attrs
import msgspec

from yaat_core.components import Partial, Position
from yaat_core.durable import private, sync_folder
from yaat_core.event import EventBatch
from yaat_core.faults import reached
from yaat_core.wire import rows_to_json

SUFFIX = ".jsonl"


@attrs.frozen
class DeadLetters:
    """The directory. A file is named by the batch's id, so that writing it again changes nothing.

    First line: ``{"sink", "batch_id", "first", "last", "events", "time"}``; then one line an event:
    ``{"sequence", "reason", "event"}``.
    """

    folder: Path

    def write(self, batch: EventBatch, position: Position, partial: Partial) -> Path:
        """Store the dead rows of a batch, synced, before the cursor passes them."""
        folder = self.folder / position.sink
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{position.batch_id}{SUFFIX}"
        fresh = path.with_suffix(".new")
        with open(fresh, "wb", opener=private) as file:
            file.writelines(line + b"\n" for line in _lines(batch, position, partial))
            file.flush()
            os.fsync(file.fileno())
        reached("deadletter.move.before")
        os.replace(fresh, path)
        sync_folder(folder)
        reached("deadletter.move.after")
        return path

    def expired(self, sink: str, older_than_seconds: float) -> list[tuple[Path, int]]:
        """Files past their time, and how many events each holds."""
        horizon = time.time() - older_than_seconds
        found = sorted((self.folder / sink).glob(f"*{SUFFIX}"))
        return [(path, _events(path)) for path in found if path.stat().st_mtime < horizon]


def _lines(batch: EventBatch, position: Position, partial: Partial) -> list[bytes]:
    rows = rows_to_json(batch)
    head: dict[str, Any] = {
        "sink": position.sink,
        "batch_id": position.batch_id,
        "first": position.first,
        "last": position.last,
        "events": len(partial.dead),
        "time": time.time(),
    }
    return [
        msgspec.json.encode(head),
        *(
            msgspec.json.encode(
                {"sequence": position.first + row, "reason": reason, "event": msgspec.Raw(rows[row])}
            )
            for row, reason in partial.dead
        ),
    ]


def _events(path: Path) -> int:
    with open(path, "rb") as file:
        return int(msgspec.json.decode(file.readline())["events"])
