"""What `yaat validate` hears of the sink, and its options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from yaat_plugin_duckdb.config import DuckDBConfig
from yaat_plugin_duckdb.sink import DuckDBSink


async def findings(bench: Any) -> list[Any]:
    return list(await DuckDBSink(bench.config, bench.context).check())


async def test_all_is_well(make_bench: Any, tmp_path: Path) -> None:
    bench = make_bench(tmp_path, {"path": "new/folder/events.duckdb", "max_bytes": 2**24})
    assert await findings(bench) == []
    assert not (tmp_path / "state" / "new").exists(), "check() leaves nothing behind"


async def test_more_than_the_disk_has(make_bench: Any, tmp_path: Path) -> None:
    (found,) = await findings(make_bench(tmp_path, {"max_bytes": 2**60}))
    assert found.level == "warn"
    assert "max_bytes" in found.advice


async def test_path_is_a_folder(make_bench: Any, tmp_path: Path) -> None:
    bench = make_bench(tmp_path, {"max_bytes": 2**24})
    bench.path.mkdir()
    (found,) = await findings(bench)
    assert found.level == "error"


async def test_damaged_files_are_remembered(make_bench: Any, tmp_path: Path) -> None:
    bench = make_bench(tmp_path, {"max_bytes": 2**24})
    bench.open()
    bench.close()
    bench.path.write_bytes(b"\0" * 8192)
    bench.open()
    bench.close()
    (found,) = await findings(bench)
    assert "set aside" in found.problem
    assert found.level == "warn"


async def test_no_right_to_write(make_bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root everything may be written, so the question is answered by a file system that can't be."""
    bench = make_bench(tmp_path, {"path": "/proc/events.duckdb"})
    found = await findings(bench)
    assert any("can't write" in one.problem or "free beside" in one.problem for one in found)


@pytest.mark.parametrize(
    "options",
    [
        {"path": " "},
        {"threads": 0},
        {"memory_limit": 2**20},
        {"query_memory": 2**20},
        {"max_bytes": 1},
        {"retention": 0.0},
        {"checkpoint_interval": 0.0},
        {"checkpoint_bytes": 0},
    ],
)
def test_options_that_can_not_be(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))}|more than 0"):
        DuckDBConfig(**options)
