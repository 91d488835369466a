"""The sink through the contract that every sink passes, and its two forms through a real pipe."""

from __future__ import annotations

import json
import os
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from yaat_core.components import Pause, Position
from yaat_core.event import Event, EventBatch
from yaat_core.testing import check_sink, make_context
from yaat_plugin_stdout.config import StdoutConfig
from yaat_plugin_stdout.lines import to_text
from yaat_plugin_stdout.sink import StdoutSink

HOSTILE = "\x1b]52;c;ZXZpbA==\x07red \x9b31m \u202e"


def position(batch: EventBatch) -> Position:
    return Position(queue_id=b"q" * 16, sink="sinks.out", first=1, last=len(batch))


async def test_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as files:

        def make(place: str) -> StdoutSink:
            out = files.enter_context((tmp_path / place).open("a"))
            monkeypatch.setattr(sys, "stdout", out)
            return StdoutSink(StdoutConfig(), make_context(tmp_path, "sinks.check"))

        def read_back(place: str) -> list[str]:
            return [json.loads(line)["event_id"] for line in (tmp_path / place).read_text().splitlines()]

        await check_sink(make, read_back)


async def test_a_closed_reader_pauses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    batch = EventBatch.from_events([Event(message="x")])
    with os.fdopen(writer, "w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        sink = StdoutSink(StdoutConfig(format="json"), make_context(tmp_path, "sinks.out"))
        assert isinstance(await sink.deliver(batch, position(batch)), Pause)


def test_data_is_harmless_on_a_terminal() -> None:
    event = Event(message=HOSTILE, service_name=HOSTILE, level="error", stacktrace=f"a\n{HOSTILE}")
    text = to_text(EventBatch.from_events([event]), colour=False).decode()
    assert not set(text) & set("\x1b\x07\x9b\u202e")
    assert "error" in text
    assert len(text.splitlines()) == 3
