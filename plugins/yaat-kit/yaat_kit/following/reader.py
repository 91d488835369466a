"""One look into a generation: bytes from its offset on to events, and where they end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Final

import attrs
import numpy as np

from yaat_kit.encodings import encoding_of
from yaat_kit.following.checkpoint import Checkpoint
from yaat_kit.following.generation import Generation
from yaat_kit.following.identity import TAIL_BYTES, Mark
from yaat_kit.following.openings import first_bytes, opening
from yaat_kit.lines import Cut, LineCutter, Skipping
from yaat_kit.multiline import Joined, Joiner

#: Bytes of one look, more where a line or an event is larger: some 12,000 lines as servers write them. Every kernel and
#: every pattern downstream is set up once for a batch, so that a quarter of it costs a third more CPU.
WINDOW: Final = 5 << 19
#: Rows of one `Piece` at most.
PIECE_ROWS: Final = 16_384


class ContentChanged(Exception):
    """The bytes before the offset are not those that were read: the file was truncated and written anew."""


@attrs.frozen(eq=False, kw_only=True)
class Piece:
    """Events of one generation, in order, with the checkpoint that covers them.

    ``record`` is how many events of the generation come before the first one (-1: nobody counted). ``opening`` are the
    lines that it began with, when this is the first piece from its middle.
    """

    generation: Generation
    events: Joined
    record: int
    checkpoint: Checkpoint
    opening: str = ""

    def __len__(self) -> int:
        return len(self.events)

    @property
    def message(self) -> Any:
        """Of the events: a string array."""
        return self.events.message

    @property
    def stacktrace(self) -> Any:
        """Of the events: a string array with nulls, or None."""
        return self.events.stacktrace

    @property
    def starts(self) -> Any:
        """Of the events: int64 offsets of their first bytes."""
        return self.events.starts

    @property
    def cut(self) -> Any:
        """How many bytes each event misses (0: whole)."""
        return self.events.cut


@attrs.frozen(eq=False, kw_only=True)
class Look:
    """What one look gave: its pieces, how many ``bytes`` were used up, and how many of those were passed over."""

    pieces: tuple[Piece, ...]
    bytes: int
    dropped: int
    zeros: int


@attrs.frozen(kw_only=True)
class Reader:
    """How files are read: their encoding, the longest line, which lines are one event, and the largest of these."""

    joiner: Joiner
    encoding: str = "utf-8"
    max_line_bytes: int = 1 << 20
    max_event_bytes: int = 1 << 20
    fingerprint_bytes: int = 1024

    @property
    def window(self) -> int:
        """Bytes of one look at most: the largest event and a line of full length always fit, also at four bytes a character."""
        return max(WINDOW, 4 * self.max_event_bytes + self.max_line_bytes + 65_536)

    def look(self, generation: Generation, *, final: bool) -> Look:
        """Read on. Moves the generation's offset behind the events that are complete (``final``: behind all).

        Raises:
            ContentChanged: it is another file's content by now.
            OSError: it can't be read.
        """
        before, back = generation.offset, generation.tail.length
        seen, cut, joined, full = self._taken(generation, WINDOW, final=final)
        if full and not joined.lines and (len(cut.lines) or cut.end == before):
            seen, cut, joined, full = self._taken(generation, self.window, final=final)
            if full and not joined.lines and len(cut.lines):
                joined = self.joiner.join(cut.lines, final=True)
        self._advance(generation, cut, joined, seen)
        if generation.record >= 0:
            generation.record += len(joined)
        if cut.skipping is Skipping.ZEROS and generation.codec is None:
            _leap(generation)
        generation.looked_through = not full
        generation.partial = cut.partial
        pieces = tuple(_pieces(generation, joined, before, seen, back))
        if pieces and generation.unopened:
            generation.unopened = False
            pieces = (attrs.evolve(pieces[0], opening=self._opening(generation, before)), *pieces[1:])
        return Look(
            pieces=pieces,
            bytes=generation.offset - before,
            dropped=cut.dropped,
            zeros=cut.zeros,
        )

    def _taken(self, generation: Generation, window: int, *, final: bool) -> tuple[bytes, Cut, Joined, bool]:
        """The next bytes, at most ``window``, behind those remembered before the offset; the lines and events in them; is
        the window full?"""
        seen, back = self._read(generation, window), generation.tail.length
        body = seen[back:]
        full = len(body) >= window
        final = final or _at_last_end(generation, generation.offset + len(body), full)
        encoding = encoding_of(self.encoding, first_bytes(generation, 4))
        cutter = LineCutter(self.max_line_bytes)
        cut = cutter.cut(body, generation.offset, encoding, skipping=generation.skipping, final=final)
        return seen, cut, self.joiner.join(cut.lines, final=final), full

    def _opening(self, generation: Generation, before: int) -> str:
        return opening(generation, encoding_of(self.encoding, first_bytes(generation, 4)), before)

    def _read(self, generation: Generation, window: int) -> bytes:
        """The bytes remembered before the offset, and those from it on."""
        descriptor, back = _open(generation), generation.tail.length
        data = generation.pread(window + back, generation.offset - back)
        # After the data: a truncation in between is seen here.
        self._verify(generation, os.pread(descriptor, max(self.fingerprint_bytes, generation.head.length), 0))
        if not generation.tail.matches(data):
            raise ContentChanged(generation.path)
        if generation.limit is not None and generation.offset + window > generation.limit:
            data = data[: back + max(0, generation.limit - generation.offset)]
        return data

    def _verify(self, generation: Generation, head: bytes) -> None:
        if not generation.head.matches(head):
            raise ContentChanged(generation.path)
        if len(head) > generation.head.length:
            generation.head = Mark.of(head)

    def _advance(self, generation: Generation, cut: Cut, joined: Joined, seen: bytes) -> None:
        first = generation.offset - generation.tail.length
        if joined.lines == len(cut.lines):
            generation.offset, generation.skipping = cut.end, cut.skipping
        else:
            generation.offset, generation.skipping = int(cut.lines.starts[joined.lines]), Skipping.NOTHING
        generation.tail = _mark_before(seen, generation.offset - first)


def _open(generation: Generation) -> int:
    if generation.descriptor is None:
        raise ValueError(f"not open: {generation.path}")
    return generation.descriptor


def _at_last_end(generation: Generation, end: int, full: bool) -> bool:
    """Does what was read end where nothing more is to come? A compressed file is finished, whatever its last byte."""
    if generation.codec:
        return not full
    return generation.limit is not None and end >= generation.limit


def _mark_before(data: bytes, position: int) -> Mark:
    return Mark.of(data[max(0, position - TAIL_BYTES) : position])


def _leap(generation: Generation) -> None:
    """Past the rest of a hole in one step, where the file system knows holes."""
    try:
        data = os.lseek(_open(generation), generation.offset, os.SEEK_DATA)
    except OSError:
        return
    # Holes are whole blocks: what is before `data` is zeros. The tail's mark needs real bytes.
    if data > generation.offset + TAIL_BYTES:
        generation.offset = data
        generation.tail = Mark.of(bytes(TAIL_BYTES))


def _pieces(generation: Generation, joined: Joined, before: int, seen: bytes, back: int) -> Iterator[Piece]:
    """The events in pieces of bounded size; the last one's checkpoint covers all that was used up."""
    rows = len(joined)
    count = -(-rows // PIECE_ROWS)
    bounds = np.linspace(0, rows, count + 1).astype(int) if count else np.zeros(1, int)
    present = generation.checkpoint()
    first_record = generation.record - rows if generation.record >= 0 else -1
    for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        checkpoint = present
        if stop < rows:
            offset = int(joined.starts[stop])
            tail = _mark_before(seen, offset - before + back)
            checkpoint = attrs.evolve(
                present,
                offset=offset,
                tail=tail,
                skipping=Skipping.NOTHING,
                size=0 if present.packed else present.size,
                record=first_record if first_record < 0 else first_record + stop,
            )
        yield Piece(
            generation=generation,
            events=joined.slice(start, stop),
            record=first_record if first_record < 0 else first_record + start,
            checkpoint=checkpoint,
        )
