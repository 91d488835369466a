"""The public contract test, on real files."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from yaat_core.event import TAGS_TYPE, EventBatch
from yaat_core.testing import check_sink, make_context
from yaat_plugin_duckdb.config import DuckDBConfig
from yaat_plugin_duckdb.sink import DuckDBSink


def spoil(batch: EventBatch) -> EventBatch:
    """A key is twice in the tags of every hundredth row."""
    tags = [[("a", "1"), ("a", "2")] if row % 100 == 7 else [("a", "1")] for row in range(len(batch))]
    return batch.with_columns({"tags": pa.array(tags, TAGS_TYPE)})


async def test_contract(tmp_path: Path) -> None:
    context = make_context(tmp_path, "sinks.check")

    def make(place: str) -> DuckDBSink:
        return DuckDBSink(DuckDBConfig(path=f"{place}.duckdb"), context)

    def read_back(place: str) -> list[str]:
        file = context.path(f"{place}.duckdb")
        if not file.exists():
            raise FileNotFoundError(file)
        with duckdb.connect(str(file), read_only=True) as connection:
            rows = connection.execute("SELECT event_id FROM yaat_events ORDER BY sequence").fetchall()
        return [str(event_id) for (event_id,) in rows]

    await check_sink(make, read_back, spoil=spoil)
