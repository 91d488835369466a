"""The sink on real pipes and terminals: every form, slow readers, readers that go away."""

from __future__ import annotations

import json
import os
import pty
import re
import sys
import termios
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trio

from yaat_core.components import Done, Pause, Position, Retry
from yaat_core.event import Event, EventBatch
from yaat_core.testing import make_context
from yaat_plugin_stdout.config import StdoutConfig
from yaat_plugin_stdout.lines import to_text
from yaat_plugin_stdout.sink import StdoutSink

HOSTILE = "\x1b]52;c;ZXZpbA==\x07red \x9b31m \u202e\r\n\x00 \u2066x"
WHEN = datetime(2026, 1, 5, 10, 0, 0, 123456, tzinfo=UTC)

Make = Callable[..., StdoutSink]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Sinks that write to a descriptor; it is closed in the end."""
    files: list[Any] = []

    def made(descriptor: int, format: Any = "auto") -> StdoutSink:
        files.append(os.fdopen(descriptor, "w"))
        monkeypatch.setattr(sys, "stdout", files[-1])
        return StdoutSink(StdoutConfig(format=format), make_context(tmp_path, "sinks.out"))

    yield made
    for file in files:
        file.close()


async def deliver(sink: StdoutSink, batch: EventBatch) -> Any:
    return await sink.deliver(batch, Position(queue_id=b"q" * 16, sink="sinks.out", first=1, last=len(batch)))


def batch_of(count: int, size: int = 100) -> EventBatch:
    """Events whose messages are numbers, padded."""
    return EventBatch.from_events([Event(message=str(n).ljust(size, "x")) for n in range(count)])


def numbers(data: bytes) -> list[int]:
    """The numbers of `batch_of` in JSON lines."""
    return [int(json.loads(line)["message"].rstrip("x")) for line in data.splitlines()]


async def read_all(reader: int, until: int) -> bytes:
    """Read until ``until`` bytes were read, or the other end is closed."""
    data = b""
    while len(data) < until and (more := await trio.to_thread.run_sync(os.read, reader, 65536)):
        data += more
    return data


async def test_json_through_a_pipe_to_a_reader_that_is_slow(make: Make) -> None:
    reader, writer = os.pipe()
    sink, data = make(writer), b""
    async with trio.open_nursery() as nursery:
        done: list[Any] = []

        async def run() -> None:
            done.append(await deliver(sink, batch_of(2000)))

        nursery.start_soon(run)
        while not done:
            data += await trio.to_thread.run_sync(os.read, reader, 1000)
    os.set_blocking(reader, False)
    while len(data) < 10**7:
        try:
            data += os.read(reader, 65536)
        except BlockingIOError:
            break
    assert done == [Done()]
    assert numbers(data) == list(range(2000))
    os.close(reader)


async def test_a_descriptor_that_does_not_block_loses_nothing(make: Make) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    sink = make(writer)
    expected = batch_of(50, 10_000)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(deliver, sink, expected)
        data = await read_all(reader, 50 * 10_000)
        while data.count(b"\n") < 50:
            data += await trio.to_thread.run_sync(os.read, reader, 65536)
    assert numbers(data) == list(range(50))
    os.close(reader)


async def test_a_stuck_reader_does_not_hold_up_a_cancellation_nor_see_half_a_line(make: Make) -> None:
    reader, writer = os.pipe()
    sink = make(writer)
    with trio.move_on_after(0.2) as scope:
        await deliver(sink, batch_of(10_000))
    assert scope.cancelled_caught
    async with trio.open_nursery() as nursery:
        nursery.start_soon(deliver, sink, batch_of(3))
        data = await trio.to_thread.run_sync(os.read, reader, 10**7)
        await trio.sleep(0.1)
        data += os.read(reader, 10**7)
    seen = numbers(data)
    assert seen == [*range(len(seen) - 3), 0, 1, 2]
    os.close(reader)


async def test_a_long_line_given_up_in_the_middle_is_a_line_of_its_own(make: Make) -> None:
    reader, writer = os.pipe()
    sink = make(writer)
    with trio.move_on_after(0.2):
        await deliver(sink, batch_of(1, 200_000))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(deliver, sink, batch_of(3))
        data = await trio.to_thread.run_sync(os.read, reader, 10**7)
        await trio.sleep(0.1)
        data += os.read(reader, 10**7)
    first, rest = data.split(b"\n", 1)
    assert 0 < len(first) < 200_000
    assert numbers(rest) == [0, 1, 2]
    os.close(reader)


async def test_a_reader_that_goes_away_pauses_the_sink(make: Make) -> None:
    reader, writer = os.pipe()
    sink = make(writer)
    os.close(reader)
    outcome = await deliver(sink, batch_of(1))
    assert isinstance(outcome, Pause)
    assert outcome.why == "stdout is closed"


async def test_no_standard_output_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    sink = StdoutSink(StdoutConfig(), make_context(tmp_path, "sinks.out"))
    (finding,) = await sink.check()
    assert finding.problem == "stdout is closed"
    assert isinstance(await deliver(sink, batch_of(1)), Pause)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
async def test_a_full_disk_is_tried_again(make: Make) -> None:
    sink = make(os.open("/dev/full", os.O_WRONLY))
    assert await sink.check() == ()
    outcome = await deliver(sink, batch_of(1))
    assert isinstance(outcome, Retry)
    assert "No space left" in outcome.why


async def on_a_terminal(make: Make, format: str) -> str:
    """What a terminal gets."""
    leader, follower = pty.openpty()
    attributes = termios.tcgetattr(follower)
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(follower, termios.TCSANOW, attributes)
    sink = make(follower, format)
    event = Event(message="hello", level="error", service_name="web", timestamp=WHEN, tags={"a": "b"})
    assert await deliver(sink, EventBatch.from_events([event])) == Done()
    text = os.read(leader, 10_000).decode()
    os.close(leader)
    return text


async def test_text_with_colours_on_a_terminal(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert await on_a_terminal(make, "auto") == (
        "2026-01-05T10:00:00.123Z \x1b[31merror   \x1b[0m web: hello\x1b[2m a=b\x1b[0m\n"
    )


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
async def test_colours_can_be_refused(
    make: Make, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert await on_a_terminal(make, "auto") == "2026-01-05T10:00:00.123Z error    web: hello a=b\n"


async def test_json_on_a_terminal_on_request(make: Make) -> None:
    assert json.loads(await on_a_terminal(make, "json"))["message"] == "hello"


async def test_text_through_a_pipe_on_request_has_no_colours(make: Make) -> None:
    reader, writer = os.pipe()
    event = Event(message="x", level="info", timestamp=WHEN)
    await deliver(make(writer, "text"), EventBatch.from_events([event]))
    assert os.read(reader, 1000) == b"2026-01-05T10:00:00.123Z info     : x\n"
    os.close(reader)


@pytest.mark.parametrize("colour", [True, False])
def test_data_is_harmless_on_a_terminal(colour: bool) -> None:
    fields: Any = dict.fromkeys(["message", "service_name", "level", "operation", "metric_name"], HOSTILE)
    events = [
        Event(**fields, event_type=kind, stacktrace=f"a\n{HOSTILE}", tags={HOSTILE: HOSTILE})
        for kind in ("log", "span", "metric", HOSTILE)
    ]
    text = re.sub(r"\x1b\[[0-9;]*m", "", to_text(EventBatch.from_events(events), colour=colour).decode())
    assert not set(text) & set("\x1b\x07\x9b\u202e\r\x00\u2066")
    assert text.count("\n") == len(events) * (1 + len(f"a\n{HOSTILE}".splitlines()))


def test_what_each_kind_of_event_shows() -> None:
    events = [
        Event(event_type="span", operation="GET /x", status_code=200, duration_ms=1.5, timestamp=WHEN),
        Event(event_type="span", operation="GET /y", timestamp=WHEN),
        Event(event_type="metric", metric_name="cpu", metric_value=0.5, timestamp=WHEN),
        Event(
            message="a", stacktrace="one\n  two", timestamp=WHEN, tags={"yaat.source": "s", "host.name": "h"}
        ),
    ]
    lines = to_text(EventBatch.from_events(events), colour=False).decode().splitlines()
    assert [line[25:] for line in lines[:4]] == [
        "span     : GET /x 200 1.5 ms",
        "span     : GET /y",
        "metric   : cpu = 0.5",
        "log      : a",
    ]
    assert lines[4:] == ["    one", "      two"]
