"""The source through the contract that every source passes."""

from __future__ import annotations

from pathlib import Path

import attrs

from yaat_core.happenings import Diary
from yaat_core.testing import check_source, make_context
from yaat_plugin_self.config import AgentConfig
from yaat_plugin_self.source import AgentSource


async def test_contract(tmp_path: Path) -> None:
    """Each run is that of an agent of its own, whose diary is empty at first."""
    diaries: list[Diary] = []
    expected = [f"agent: number {number}" for number in range(20)]

    async def feed() -> None:
        for number in range(20):
            diaries[-1].add("reload", "agent", f"number {number}")

    def make() -> AgentSource:
        diaries.append(Diary())
        context = make_context(tmp_path, "sources.self")
        return AgentSource(AgentConfig(), attrs.evolve(context, diary=diaries[-1]))

    def make_once() -> AgentSource:
        context = make_context(tmp_path, "sources.self", once=True)
        return AgentSource(AgentConfig(), attrs.evolve(context, diary=diaries[-1]))

    await check_source(make, feed, expected, rereadable=False, make_once=make_once, settle=0.7)
