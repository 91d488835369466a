"""One stream of a container: frames to lines to events, and how far of them is delivered."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_kit.lines import Lines
from yaat_kit.multiline import Held, Joined, Joiner
from yaat_plugin_docker.cursor import Checkpoint, Cursor, Skip
from yaat_plugin_docker.frames import Frames


@attrs.frozen(eq=False)
class Piece:
    """Events that are complete. ``times`` are those of their first frames, ``upto`` is the ordinal behind their last."""

    joined: Joined
    times: Any
    upto: int


@attrs.frozen(eq=False)
class _Pending:
    """The beginning of a line: what is kept of it, its ordinal, how many frames it has, how many bytes it misses."""

    text: bytes
    ordinal: int
    frames: int
    cut: int


class LogStream:
    """Synchronous, for one thread at a time. What was fed and not delivered is read again after a restart."""

    def __init__(self, joiner: Joiner, stored: Cursor, max_line_bytes: int) -> None:
        self.read = stored.copy()
        self.delivered = stored.copy()
        self._held = Held(joiner)
        self._pending: _Pending | None = None
        self._times = np.zeros(0, np.int64)
        self._skip: Skip | None = None
        self._max = max_line_bytes

    def begin(self, since: int) -> None:
        """The log is asked for anew, from ``since`` on."""
        self._skip = Skip(self.read.time, self.read.count if since <= self.read.time else 0)

    @property
    def missed(self) -> int:
        """Frames that should have come again and did not: the log lost its beginning meanwhile."""
        skip = self._skip
        return skip.count if skip is not None and not skip.active else 0

    @property
    def unfinished(self) -> bool:
        """A line without its end is there."""
        return self._pending is not None

    @property
    def waiting(self) -> bool:
        """Something was read and is not delivered."""
        return self.read.ordinal > self.delivered.ordinal

    def feed(self, frames: Frames) -> tuple[int, list[Piece]]:
        """How many frames are new, and the events that are complete with them."""
        passed = self._skip.passed(frames.time) if self._skip is not None else 0
        if passed:
            frames = frames.take(np.arange(passed, len(frames)))
        if not len(frames):
            return 0, []
        ordinal = self.read.ordinal
        self.read.advance(frames.time)
        self._times = np.concatenate([self._times, frames.time])
        lines = self._lines(frames, ordinal)
        return len(frames), [] if lines is None else self._pieces(self._held.add(lines))

    def flush(self, *, unfinished: bool) -> list[Piece]:
        """What is held back: events, and with ``unfinished`` a line without its end."""
        pieces = []
        if unfinished and self._pending is not None:
            pending, self._pending = self._pending, None
            pieces += self._pieces(self._held.add(self._as_line(pending)))
        return pieces + self._pieces(self._held.flush())

    def deliver(self, piece: Piece) -> None:
        """It goes out now: the checkpoint passes it."""
        count = piece.upto - self.delivered.ordinal
        self.delivered.advance(self._times[:count])
        self._times = self._times[count:]

    def checkpoint(self, created: int) -> Checkpoint:
        """As it is to be stored with what was delivered last."""
        at = self.delivered
        since = int(self._times.min()) if len(self._times) else 0
        return Checkpoint(created=created, time=at.time, count=at.count, ordinal=at.ordinal, since=since)

    # --- parts ----------------------------------------------------------------------------------

    def _pieces(self, joined: Joined) -> list[Piece]:
        if not joined.lines and not len(joined):
            return []
        first = self._held.first
        if first is None:
            first = self._pending.ordinal if self._pending is not None else self.read.ordinal
        # Pieces of one call may be two, the first of them not delivered yet: times are found from the end.
        base = self.read.ordinal - len(self._times)
        return [Piece(joined, self._times[joined.starts - base], first)]

    def _lines(self, frames: Frames, ordinal: int) -> Lines | None:
        """Whole lines; the beginning of one that is not whole stays."""
        text, whole, counts, missing = frames.text, frames.whole, np.ones(len(frames), np.int64), 0
        if (pending := self._pending) is not None:
            text = pa.concat_arrays([pa.array([pending.text], pa.binary()), text])
            whole = np.concatenate([[False], whole])
            counts = np.concatenate([[pending.frames], counts])
            ordinal, missing = pending.ordinal, pending.cut
        stops = np.flatnonzero(whole).astype(np.int64) + 1
        complete = int(stops[-1]) if len(stops) else 0
        bounds = np.concatenate([np.zeros(1, np.int64), stops])
        ordinals = ordinal + np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        self._pending = None
        if complete < len(whole):
            self._keep(
                text.slice(complete),
                int(ordinals[complete]),
                int(counts[complete:].sum()),
                0 if complete else missing,
            )
        if not complete:
            return None
        lines = text.slice(0, complete)
        if len(stops) < complete:
            lines = pc.binary_join(pa.ListArray.from_arrays(pa.array(bounds, pa.int32()), lines), b"")
        lines, cut = self._shortened(lines)
        cut[0] += missing
        return Lines(_text(lines), ordinals[bounds[:-1]], ordinals[bounds[1:]], cut)

    def _keep(self, parts: Any, ordinal: int, frames: int, cut: int) -> None:
        text = b"".join(parts.to_pylist())
        self._pending = _Pending(text[: self._max], ordinal, frames, cut + max(0, len(text) - self._max))

    def _as_line(self, pending: _Pending) -> Lines:
        return Lines(
            _text(pa.array([pending.text], pa.binary())),
            np.array([pending.ordinal], np.int64),
            np.array([pending.ordinal + pending.frames], np.int64),
            np.array([pending.cut], np.int64),
        )

    def _shortened(self, lines: Any) -> tuple[Any, Any]:
        """No line longer than the limit, and how many bytes each misses."""
        sizes = np.asarray(pc.binary_length(lines)).astype(np.int64)
        cut = np.maximum(sizes - self._max, 0)
        if cut.any():
            lines = pa.array([_cut(one, self._max) for one in lines.to_pylist()], pa.binary())
        return lines, cut


def _cut(line: bytes, size: int) -> bytes:
    """Without half a character at the end."""
    return line if len(line) <= size else line[:size].decode("utf-8", "ignore").encode() or line[:size]


def _text(lines: Any) -> Any:
    """A string array; what is not UTF-8 becomes U+FFFD."""
    try:
        return pc.cast(lines, pa.string())
    except pa.ArrowInvalid:
        return pa.array([one.decode("utf-8", "replace") for one in lines.to_pylist()], pa.string())
