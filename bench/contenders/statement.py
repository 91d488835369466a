"""The ceiling: one DuckDB statement."""

from __future__ import annotations

import sys
from pathlib import Path

from contenders.base import BENCH, Contender, check_database
from measure import Run, run


class Statement(Contender):
    """One DuckDB statement: no queue, no position, nothing but the work itself."""

    name = "duckdb"
    what = "one INSERT ... SELECT FROM read_json with five regexp_replace, checkpoint"

    def run(self, source: Path, folder: Path) -> Run:
        command = [sys.executable, str(BENCH / "ceiling.py"), str(source), str(folder / "out.duckdb")]
        return run(command, folder / "log")

    def check(self, folder: Path, lines: int) -> None:
        check_database([folder / "out.duckdb"], lines)
