"""Both streams of one container: bytes to batches with their checkpoints. Synchronous."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa

from yaat_core import Context, EventBatch, Labels, ids
from yaat_core.event import now
from yaat_core.tags import TRUNCATED, from_columns
from yaat_kit.multiline import Joined, Joiner
from yaat_plugin_docker import adlogs
from yaat_plugin_docker.container import Container
from yaat_plugin_docker.cursor import NAMES, Checkpoint, Cursor, key_of
from yaat_plugin_docker.desk import Tally
from yaat_plugin_docker.frames import NO_FRAMES, STDERR, STDOUT, Frames, Unpacker
from yaat_plugin_docker.labels import Wishes
from yaat_plugin_docker.stream import LogStream, Piece

#: Nanoseconds by which Docker's two streams may be out of order in one log: each is stamped by a reader of its own.
_DISORDER: Final = 10_000_000_000

Outgoing = tuple[EventBatch, dict[bytes, bytes | None]]


@attrs.frozen(kw_only=True)
class Making:
    """What all logs of a source share."""

    context: Context
    joiner: Joiner
    max_line_bytes: int
    tally: Tally


class Log:
    """What is read, what is delivered, and what of it is stored."""

    def __init__(
        self,
        container: Container,
        wishes: Wishes,
        tags: Mapping[str, str],
        stored: Mapping[int, Checkpoint],
        begin_at: int,
        making: Making,
    ) -> None:
        self._container = container
        self._wishes = wishes
        self._tags = {**wishes.tags, **tags}
        self._context = making.context
        self._tally = making.tally
        self._since = _since_stored(stored) if stored else begin_at
        self._stored_upto = max((one.time for one in stored.values()), default=begin_at)
        self._streams = {
            number: LogStream(
                making.joiner,
                stored[number].cursor if number in stored else Cursor(time=begin_at),
                making.max_line_bytes,
            )
            for number in NAMES
        }
        self._written: dict[int, Checkpoint] = dict(stored)
        self._labels = {number: self._label(number) for number in NAMES}

    @property
    def began(self) -> bool:
        """Something of it was read."""
        return any(one.read.ordinal for one in self._streams.values())

    @property
    def waiting(self) -> bool:
        """Something was read and is held back."""
        return any(one.waiting for one in self._streams.values())

    @property
    def unfinished(self) -> bool:
        """A line without its end is held back."""
        return any(one.unfinished for one in self._streams.values())

    def begin(self, *, in_order: bool) -> int:
        """The log is asked for again: from which time on, in nanoseconds (0: all of it).

        What one stream does not know the other does: the log is in the order of time, but for a little (``in_order``: wholly).
        """
        latest = max(one.read.time for one in self._streams.values())
        if latest > self._stored_upto:
            self._since = 0  # what waited when it was stored has been read again
        since = self._since or (latest if in_order else max(0, latest - _DISORDER))
        for one in self._streams.values():
            one.begin(since)
        return since

    def missed(self) -> int:
        """Frames that were to come again and did not."""
        return sum(one.missed for one in self._streams.values())

    def take(self, unpacker: Unpacker, data: bytes | None) -> tuple[int, list[Outgoing]]:
        """How many frames of ``data`` are new, and what goes out; None: the answer is at its end.

        Raises:
            NotFrames: not such a log.
        """
        frames = unpacker.finish() if data is None else unpacker.feed(data)
        fed = (
            [(number, *self._streams[number].feed(_of(frames, number))) for number in NAMES]
            if len(frames)
            else []
        )
        pieces = [(number, piece) for number, _, found in fed for piece in found]
        return sum(new for _, new, _ in fed), self._outgoing(pieces)

    def flush(self, *, unfinished: bool) -> list[Outgoing]:
        """What is held back."""
        pieces = [
            (number, piece)
            for number, one in self._streams.items()
            for piece in one.flush(unfinished=unfinished)
        ]
        return self._outgoing(pieces)

    # --- parts ----------------------------------------------------------------------------------

    def _outgoing(self, pieces: Sequence[tuple[int, Piece]]) -> list[Outgoing]:
        made = []
        for number, piece in pieces:
            batch = self._batch(number, piece)
            self._streams[number].deliver(piece)
            made.append((batch, self._changed()))
        return made

    def _changed(self) -> dict[bytes, bytes | None]:
        """Checkpoints of both streams: one that waits has to say so before the other is further."""
        changed: dict[bytes, bytes | None] = {}
        present = int(now().timestamp())
        for number, one in self._streams.items():
            checkpoint = one.checkpoint(self._container.created)
            if self._written.get(number) != checkpoint:
                self._written[number] = checkpoint
                changed[key_of(self._container.id, number)] = attrs.evolve(checkpoint, at=present).encode()
        return changed

    def _batch(self, number: int, piece: Piece) -> EventBatch:
        joined, present = piece.joined, now()
        truncated = (joined.cut > 0) | joined.divided
        tags = {}
        if truncated.any():
            tags[TRUNCATED] = pa.array(np.where(truncated, "true", ""), pa.string(), mask=~truncated)
            self._tally.cut(int(np.count_nonzero(joined.cut)), int(joined.cut.sum()))
        columns: dict[str, Any] = {
            "message": adlogs.masked(self._wishes.rules, joined.message),
            "stacktrace": None
            if joined.stacktrace is None
            else adlogs.masked(self._wishes.rules, joined.stacktrace),
            "level": "error" if number == STDERR else None,
            "timestamp": pa.array(piece.times // 1000).cast(pa.timestamp("us", "UTC")),
            "received_at": present,
            "event_id": ids.positional(
                self._container.created // 1_000_000,
                self._context.agent_id,
                str(self._context.id),
                key_of(self._container.id, number),
                joined.starts,
            ),
        }
        if tags:
            columns["tags"] = from_columns(len(joined), tags)
        return self._chosen(EventBatch.build(len(joined), columns, self._labels[number]), joined)

    def _chosen(self, batch: EventBatch, joined: Joined) -> EventBatch:
        """Without what the container's own rules leave out."""
        if not self._wishes.rules or not len(batch):
            return batch
        mask = adlogs.wanted(self._wishes.rules, joined.original())
        if mask is None:
            return batch
        kept = batch.filter(mask)
        self._tally.left_out(len(batch) - len(kept))
        return kept

    def _label(self, number: int) -> Labels:
        wishes = self._wishes
        return Labels(
            format=wishes.format,
            stream=f"{self._container.id[:12]}/{NAMES[number]}",
            service_name=wishes.service_name,
            environment=wishes.environment,
            tags={**self._tags, "log.iostream": NAMES[number]},
        )


def _of(frames: Frames, number: int) -> Frames:
    rows = frames.stream == number
    if rows.all():
        return frames
    return frames.take(np.flatnonzero(rows)) if rows.any() else NO_FRAMES


def _since_stored(stored: Mapping[int, Checkpoint]) -> int:
    """From where on to ask after a restart, so that nothing that waits is missed."""
    latest = max(one.time for one in stored.values())
    waiting = [one.since for one in stored.values() if one.since]
    return max(1, min([latest - _DISORDER, *waiting]))


assert {STDOUT, STDERR} == set(NAMES)
