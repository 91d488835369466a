"""Frames, times, cursors: whatever comes, in whatever pieces."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yaat_kit.multiline import SingleLines
from yaat_plugin_docker import times
from yaat_plugin_docker.cursor import Checkpoint, Cursor, Skip
from yaat_plugin_docker.frames import Frames, NotFrames, Unpacker
from yaat_plugin_docker.stream import LogStream

# --- times ---


@given(st.integers(0, 4_000_000_000 * 10**9))
def test_times_of_both_lengths(moment: int) -> None:
    seconds, rest = divmod(moment, 10**9)
    short = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    long = f"{short[:-1]}.{rest:09}Z"
    assert times.parse(long) == moment
    assert times.parse(short) == seconds * 10**9
    for text, wanted in ((long, moment), (short, seconds * 10**9)):
        letters = np.frombuffer((text * 3).encode(), np.uint8).reshape(3, -1)
        assert times.parse_columns(letters).tolist() == [wanted] * 3


@given(st.integers(0, 4_000_000_000), st.integers(-12 * 60, 14 * 60))
def test_times_of_other_zones(seconds: int, minutes: int) -> None:
    zone = timezone(timedelta(minutes=minutes))
    assert times.parse(datetime.fromtimestamp(seconds, zone).isoformat()) == seconds * 10**9


@pytest.mark.parametrize(
    "text", ["", "yesterday", "0001-01-01T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01"]
)
def test_what_is_no_time(text: str) -> None:
    assert times.parse(text) is None


# --- frames ---

Message = tuple[int, int, bytes, bool]
MESSAGES = st.lists(
    st.tuples(
        st.sampled_from([1, 2]),
        st.integers(10**9, 2 * 10**18),
        st.binary(max_size=40).map(lambda text: text.replace(b"\n", b" ").replace(b"\r", b" ")),
        st.booleans(),
    ),
    max_size=20,
)


def _written(moment: int, *, short: bool) -> bytes:
    seconds, rest = divmod(moment, 10**9)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return (text if short else f"{text}.{rest:09}").encode() + b"Z "


def _framed(messages: list[Message], *, short: bool = False) -> bytes:
    payloads = [
        (stream, _written(moment, short=short) + text + (b"\n" if whole else b""))
        for stream, moment, text, whole in messages
    ]
    return b"".join(struct.pack(">BxxxI", stream, len(payload)) + payload for stream, payload in payloads)


def _rows(frames: Frames) -> list[Message]:
    columns = (frames.stream.tolist(), frames.time.tolist(), frames.text.to_pylist(), frames.whole.tolist())
    return list(zip(*columns, strict=True))


@given(MESSAGES, st.integers(1, 60))
@settings(max_examples=60)
def test_frames_in_any_pieces(messages: list[Message], size: int) -> None:
    data, unpacker, found = _framed(messages), Unpacker(terminal=False), []
    for start in range(0, len(data), size):
        found += _rows(unpacker.feed(data[start : start + size]))
    assert found == messages


def test_times_of_whole_seconds_and_of_other_widths_together() -> None:
    messages: list[Message] = [(1, 5 * 10**9, b"a", True), (2, 6 * 10**9, b"b", True)]
    data = _framed(messages[:1], short=True) + _framed(messages[1:])
    assert _rows(Unpacker(terminal=False).feed(data)) == messages


@pytest.mark.parametrize(
    "data",
    [
        b"\x07\x00\x00\x00\x00\x00\x00\x05hello",
        b"\x01\x00\x00\x00\xff\xff\xff\xff",
        b"\x01\x00\x00\x00\x00\x00\x00\x06hello\n",
    ],
)
def test_what_is_no_log(data: bytes) -> None:
    with pytest.raises(NotFrames):
        Unpacker(terminal=False).feed(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_log_or_refused(data: bytes) -> None:
    for terminal in (False, True):
        unpacker = Unpacker(terminal=terminal)
        try:
            unpacker.feed(data)
            unpacker.finish()
        except NotFrames:
            pass


@pytest.mark.parametrize("division", [16_384, 8_192, 4_095])
def test_a_divided_line_of_a_terminal_is_whole(division: int) -> None:
    time, text = _written(10**9, short=False), b"x" * (2 * division + 100)
    pieces = [text[start : start + division] for start in range(0, len(text), division)]
    data = time + time.join(pieces) + b"\r\n"
    [row] = _rows(Unpacker(terminal=True).feed(data))
    assert row == (1, 10**9, text, True)


# --- cursors: lines that share a time ---


def _frames(rows: list[tuple[int, bool]]) -> Frames:
    return Frames(
        np.ones(len(rows), np.uint8),
        np.array([moment for moment, _ in rows], np.int64),
        pa.array([str(number).encode() for number in range(len(rows))], pa.binary()),
        np.array([whole for _, whole in rows], bool),
    )


def _since(frames: Frames, since: int) -> Frames:
    return frames.take(np.flatnonzero(frames.time >= since))


@given(
    st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=40),
    st.lists(st.integers(0, 40), max_size=6),
)
@settings(max_examples=150)
def test_restarts_anywhere_lose_and_repeat_nothing(steps: list[tuple[int, bool]], cuts: list[int]) -> None:
    """The log grows in time or stands; lines are divided; a restart goes on from the checkpoint alone."""
    moments = np.cumsum([step for step, _ in steps]) + 1
    whole = [whole for _, whole in steps[:-1]] + [True]
    log = _frames(list(zip(moments.tolist(), whole, strict=True)))
    wanted, line = [], ""
    for number, ends in enumerate(whole):
        line += str(number)
        if ends:
            wanted.append(line)
            line = ""
    stored, got = Checkpoint(created=1, time=0, count=0, ordinal=0), []
    for cut in [*cuts, len(log)]:
        stream = LogStream(SingleLines(), stored.cursor, 1 << 20)
        since = min(stored.time, stored.since or stored.time)
        stream.begin(since)
        _, pieces = stream.feed(_since(log.take(np.arange(min(cut, len(log)))), since))
        for piece in pieces:
            got += piece.joined.message.to_pylist()
            stream.deliver(piece)
        # What is stored comes back as it was stored.
        if stream.delivered.ordinal > stored.ordinal:
            stored = Checkpoint.decode(stream.checkpoint(1).encode())
    assert got == wanted


def test_a_log_that_lost_its_beginning_is_noticed() -> None:
    skip = Skip(time=5, count=3)
    assert skip.passed(np.array([5, 6])) == 1
    assert (skip.active, skip.count) == (False, 2)


def test_a_damaged_checkpoint_is_refused() -> None:
    for value in (b"", b"[]", b"{}", b'{"created": "x"}', b"\xff"):
        with pytest.raises(ValueError, match="not a checkpoint"):
            Checkpoint.decode(value)


def test_a_line_without_end_takes_bounded_memory() -> None:
    stream = LogStream(SingleLines(), Cursor(), 1000)
    stream.begin(0)
    for number in range(50):
        part = Frames(
            np.ones(1, np.uint8),
            np.array([number + 1]),
            pa.array([b"x" * 900], pa.binary()),
            np.array([False]),
        )
        assert stream.feed(part) == (1, [])
        assert stream._pending is not None
        assert len(stream._pending.text) <= 1000
    [piece] = stream.flush(unfinished=True)
    assert piece.joined.message.to_pylist() == ["x" * 1000]
    assert piece.joined.cut.tolist() == [50 * 900 - 1000]
