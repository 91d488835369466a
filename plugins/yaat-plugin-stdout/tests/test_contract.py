"""The sink through the contract that every sink passes."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from yaat_core.testing import check_sink, make_context
from yaat_plugin_stdout.config import StdoutConfig
from yaat_plugin_stdout.sink import StdoutSink


async def test_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as files:

        def make(place: str) -> StdoutSink:
            out = files.enter_context((tmp_path / place).open("a"))
            monkeypatch.setattr(sys, "stdout", out)
            return StdoutSink(StdoutConfig(), make_context(tmp_path, "sinks.check"))

        def read_back(place: str) -> list[str]:
            return [json.loads(line)["event_id"] for line in (tmp_path / place).read_text().splitlines()]

        await check_sink(make, read_back)
