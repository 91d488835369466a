"""The contract of sources, against real files."""

from __future__ import annotations

import attrs
import pytest

from yaat_core.config.options import Duration
from yaat_core.testing import check_source, make_context
from yaat_plugin_file.config import FileConfig
from yaat_plugin_file.source import FileSource

LINES = [f"{name} line {number} " + "x" * 9000 for name in ("a", "b") for number in range(300)]


@pytest.mark.parametrize("multiline", [None, "python"])
async def test_source_contract(tmp_path, multiline):
    context = make_context(tmp_path, "sources.app")
    config = FileConfig(paths=("logs/*.log",), multiline=multiline, join_timeout=Duration(0.1))

    async def feed():
        (tmp_path / "logs").mkdir()
        for name in ("a", "b"):
            text = "".join(line + "\n" for line in LINES if line.startswith(name))
            (tmp_path / "logs" / f"{name}.log").write_text(text)

    await check_source(
        lambda: FileSource(config, context),
        feed,
        LINES,
        make_once=lambda: FileSource(config, attrs.evolve(context, once=True)),
        settle=0.7,
    )
