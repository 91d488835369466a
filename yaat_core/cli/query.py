"""`yaat query`."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

from yaat_core.cli.door import Door, command
from yaat_core.cli.output import written_to
from yaat_core.errors import UsageError

FORMATS: Final = ("table", "json", "csv", "parquet", "arrow")
#: Formats that are no text.
_BINARY: Final = ("parquet", "arrow")
#: Bytes of an answer that are kept in memory until it is known to be whole; beyond, a nameless file holds it.
_SPOOL: Final = 32 << 20


@command(
    example="""
    yaat query "SELECT level, count(*) FROM logs GROUP BY level"
    yaat query "SELECT * FROM logs WHERE level = 'error'" --limit 20 --json
    yaat query "FROM events" --format parquet -o events.parquet
    echo "SELECT 1" | yaat query -
    """
)
@click.argument("sql")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default=None, help="How rows are written; default: table."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to a file instead of stdout.",
)
@click.option(
    "--limit", type=click.IntRange(1, 10_000_000), default=100_000, show_default=True, help="Rows at most."
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, 3600, min_open=True),
    default=30.0,
    show_default=True,
    help="Seconds that the query may take; exit code 124 when it takes longer.",
)
@click.option("--sink", help="Which sink's database, when several can answer.")
@click.option(
    "--csv-safe", is_flag=True, help="csv: put ' before cells that a spreadsheet would take for a formula."
)
@click.pass_obj
def query(
    door: Door,
    *,
    sql: str,
    form: str | None,
    output: Path | None,
    limit: int,
    timeout: float,
    sink: str | None,
    csv_safe: bool,
) -> None:
    """SQL over stored events.

    The tables are events, logs, spans and metrics; `-` as SQL reads it from stdin. Asks the running agent;
    without one the database is opened here, read-only. Times are UTC. With --json: a list of row objects.
    """
    from yaat_core.actions.agent import Query
    from yaat_core.cli import rows
    from yaat_core.cli.answering import answering

    form = _form(door, form, output)
    asked = Query(sql=_text(sql), sink=sink, limit=limit, timeout=timeout)
    with answering(door, asked) as answer, _opened(output, spooled=door.as_json) as file:
        writer = rows.WRITERS[form](
            file, rows.Style(terminal=output is None and door.on_terminal, csv_safe=csv_safe)
        )
        writer.write(answer)
    if answer.truncated:
        door.note(f"only the first {limit:,} rows: there are more (--limit)")


def _form(door: Door, form: str | None, output: Path | None) -> str:
    if door.as_json:
        if form not in (None, "json"):
            raise UsageError(f"--json and --format {form} contradict each other", fix="leave one of them out")
        if output is not None:
            raise UsageError("--json writes to stdout, -o to a file", fix="use --format json -o FILE")
        return "json"
    if form in _BINARY and output is None and door.on_terminal:
        raise UsageError(f"{form} is no text for a terminal", fix="-o FILE, or a pipe")
    return form or "table"


def _text(sql: str) -> str:
    text = (sys.stdin.read() if sql == "-" else sql).strip()
    if not text:
        raise UsageError("no SQL was given", fix='e.g. yaat query "SELECT count(*) FROM events"')
    return text


@contextlib.contextmanager
def _opened(output: Path | None, *, spooled: bool) -> Iterator[Any]:
    """A binary file. What is not completed does not stay: with --json stdout holds an answer or an error, never both."""
    if spooled:
        with tempfile.SpooledTemporaryFile(_SPOOL) as file:
            yield file
            file.seek(0)
            shutil.copyfileobj(file, sys.stdout.buffer)
        return
    with written_to(output) as file:
        yield file
