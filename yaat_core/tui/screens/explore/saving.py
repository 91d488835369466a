"""Rows into a file, as `yaat query --format` writes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from yaat_core.actions.agent import Query
from yaat_core.cli import rows
from yaat_core.cli.answering import answered
from yaat_core.cli.counted import Counted
from yaat_core.cli.output import written_to

if TYPE_CHECKING:
    from yaat_core.cli.setup import Setup

#: Formats that a file may have.
FORMATS: Final = ("csv", "json", "parquet", "arrow")
#: Rows and seconds of a question that is asked again for all that it has.
_ROWS: Final = 10_000_000
_SECONDS: Final = 3600.0


def save(answer: Any, path: Path, form: str, *, csv_safe: bool) -> int:
    """Write an answer; how many rows it had. What is not completed does not stay.

    Raises:
        UsageError: the file can't be written.
    """
    counted = Counted(answer)
    with written_to(path) as file:
        rows.WRITERS[form](file, rows.Style(csv_safe=csv_safe)).write(counted)
    return counted.rows


def save_all(setup: Setup, sql: str, path: Path, form: str, *, csv_safe: bool) -> int:
    """Ask again, for every row, straight into the file. In a thread.

    Raises:
        YaatError: as `yaat query` does.
    """
    asked = Query(sql=sql, limit=_ROWS, timeout=_SECONDS)
    with answered(setup, asked) as answer:
        return save(answer, path, form, csv_safe=csv_safe)
