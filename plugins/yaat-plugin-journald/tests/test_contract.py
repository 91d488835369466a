"""The contract of sources, against real journal files and both readers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import trio
from support.journals import need_journals, write_journal

from yaat_core.testing import check_source, make_context
from yaat_plugin_journald.config import JournaldConfig
from yaat_plugin_journald.source import JournaldSource


async def test_source_contract(tmp_path: Path, reader: str, made: Any) -> None:
    need_journals()
    journals = tmp_path / "journals"
    journals.mkdir()
    context = make_context(tmp_path, "sources.journal")
    entries = [{**fields, "MESSAGE": fields["MESSAGE"] + " " + "x" * 30_000} for fields in made(300)]
    config = JournaldConfig(journal_directory="journals", since="beginning", reader=reader)

    async def feed() -> None:
        await trio.to_thread.run_sync(write_journal, journals / "a.journal", entries)

    await check_source(
        lambda: JournaldSource(config, context),
        feed,
        [fields["MESSAGE"] for fields in entries],
        make_once=lambda: JournaldSource(config, attrs.evolve(context, once=True)),
        seconds=60,
    )
