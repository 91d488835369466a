"""`yaat query`."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from yaat_core.cli import completing
from yaat_core.cli.door import Door, DoorCommand, command
from yaat_core.cli.output import written_to
from yaat_core.cli.paging import paged
from yaat_core.errors import UsageError

if TYPE_CHECKING:
    from yaat_core.actions.agent import Query

PLOTS: Final = ("line", "bars")
FORMATS: Final = ("table", "json", "csv", "parquet", "arrow")
#: Formats that are no text.
_BINARY: Final = ("parquet", "arrow")
#: Bytes of an answer that are kept in memory until it is known to be whole; beyond, a nameless file holds it.
_SPOOL: Final = 32 << 20


class QueryCommand(DoorCommand):
    """`--plot` may stand alone."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click's; what follows a `--plot` without `=` is no value of it."""
        end = args.index("--") if "--" in args else len(args)
        return super().parse_args(
            ctx, [*("--plot=line" if word == "--plot" else word for word in args[:end]), *args[end:]]
        )


@command(
    kind=QueryCommand,
    example="""
    yaat query
    yaat query "SELECT level, count(*) FROM logs GROUP BY level"
    yaat query "SELECT * FROM logs WHERE level = 'error'" --limit 20 --json
    yaat query "FROM events" --format parquet -o events.parquet
    yaat query --plot "SELECT time_bucket(INTERVAL '1 minute', timestamp), count(*) FROM logs GROUP BY 1 ORDER BY 1"
    echo "SELECT 1" | yaat query -
    """,
)
@click.argument("sql", required=False)
@click.option(
    "--plot",
    type=click.Choice(PLOTS),
    metavar="",
    help="Draw a chart: a time, then numbers (or a text: a line for each); --plot=bars: a name and a number.",
)
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
@click.option(
    "--sink",
    shell_complete=completing.components("sinks"),
    help="Which sink's database, when several can answer.",
)
@click.option(
    "--csv-safe", is_flag=True, help="csv: put ' before cells that a spreadsheet would take for a formula."
)
@click.pass_obj
def query(
    door: Door,
    *,
    sql: str | None,
    plot: str | None,
    form: str | None,
    output: Path | None,
    limit: int,
    timeout: float,
    sink: str | None,
    csv_safe: bool,
) -> None:
    """SQL over stored events; without SQL, on a terminal, an interactive prompt (\\? there helps).

    The tables are events, logs, spans and metrics; `-` as SQL reads it from stdin. Asks the running agent;
    without one the database is opened here, read-only. Times are UTC. With --json: a list of row objects.
    """
    from yaat_core.actions.agent import Query
    from yaat_core.cli import rows
    from yaat_core.cli.answering import answering
    from yaat_core.cli.shell.limits import Limits

    limits = Limits(sink=sink, limit=limit, timeout=timeout)
    if sql is None and sys.stdin.isatty() and door.on_terminal and not door.as_json:
        if output is not None or form is not None or plot is not None:
            raise UsageError(
                "--format, --output and --plot need SQL", fix="\\o, \\x and \\plot do it at the prompt"
            )
        from yaat_core.cli.shell.prompt import converse

        converse(door, limits)
        return
    asked = Query(sql=_text(sql), sink=sink, limit=limit, timeout=timeout)
    if plot is not None:
        _plot(door, asked, plot, form, output)
        return
    form = _form(door, form, output)
    with answering(door, asked) as answer, _opened(door, form, output) as file:
        writer = rows.WRITERS[form](
            file, rows.Style(terminal=output is None and door.on_terminal, csv_safe=csv_safe)
        )
        writer.write(answer)
    if answer.truncated:
        door.note(f"only the first {limit:,} rows: there are more (--limit)")


def _plot(door: Door, asked: Query, kind: str, form: str | None, output: Path | None) -> None:
    from yaat_core.cli.answering import answering
    from yaat_core.cli.plotting import plot

    if door.as_json or form is not None or output is not None:
        raise UsageError("a chart is for people", fix="leave out --plot, or --json, --format and -o")
    with answering(door, asked) as answer:
        for line in plot(answer, kind, color=door.colored(sys.stdout)):
            door.line(line)
    if answer.truncated:
        door.note(f"only the first {asked.limit:,} rows are drawn: there are more (--limit)")


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


def _text(sql: str | None) -> str:
    text = (sys.stdin.read() if sql == "-" else sql or "").strip()
    if not text:
        raise UsageError("no SQL was given", fix='e.g. yaat query "SELECT count(*) FROM events"')
    return text


@contextlib.contextmanager
def _opened(door: Door, form: str, output: Path | None) -> Iterator[Any]:
    """A binary file. What is not completed does not stay: with --json stdout holds an answer or an error, never both."""
    if door.as_json:
        with tempfile.SpooledTemporaryFile(_SPOOL) as file:
            yield file
            file.seek(0)
            shutil.copyfileobj(file, sys.stdout.buffer)
    elif output is None and door.on_terminal and form not in _BINARY:
        with paged(enabled=door.pager) as file:
            yield file
    else:
        with written_to(output) as file:
            yield file
