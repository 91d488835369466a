#!/usr/bin/env python3
"""The agent's whole durable path against its ceiling and its peers: the same file, alternately, in one run.

    make bench
    make bench BENCH_ARGS="--lines 50000 --rounds 5"
    make bench BENCH_ARGS="--only rsyslog otelcol yaat"
    make bench BENCH_ARGS="--volumes"

How to read the table: bench/README.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import data
import report
import volumes
from contenders import Contender, everyone
from measure import Run

HERE = Path(__file__).resolve().parent
LINES, LINES_OF_SMALLEST = 1_000_000, 50_000


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--lines", type=int, help=f"lines in the file ({LINES}; {LINES_OF_SMALLEST} with --volumes)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often each runs (3)")
    parser.add_argument("--seed", type=int, default=1, help="of the lines (1)")
    parser.add_argument(
        "--only", nargs="+", choices=[one.name for one in everyone()], help="who runs (everyone)"
    )
    parser.add_argument(
        "--volumes", action="store_true", help="yaat, or --only, on 1, 10 and 100 times the lines"
    )
    parser.add_argument("--results", type=Path, default=HERE / "results", help="where the JSON goes")
    parser.add_argument("--scratch", type=Path, help="folder for data and databases (a temporary one)")
    arguments = parser.parse_args()
    if arguments.lines is None:
        arguments.lines = LINES_OF_SMALLEST if arguments.volumes else LINES
    return arguments


def chosen(names: list[str] | None) -> list[Contender]:
    """Those of ``names`` (None: all but those on request) that are installed; says what is left out."""
    found = []
    for one in everyone():
        if one.name in names if names else not one.on_request:
            if (missing := one.missing()) is None:
                found.append(one)
            else:
                print(f"{one.name} is left out; to have it: {missing}", file=sys.stderr)
    if not found:
        raise SystemExit("error: none of those is installed")
    return found


def rounds(
    contenders: list[Contender], source: Path, lines: int, count: int, scratch: Path
) -> dict[str, list[Run]]:
    """Each contender ``count`` times, the order turned from round to round; what each wrote is checked."""
    runs: dict[str, list[Run]] = {contender.name: [] for contender in contenders}
    for number in range(count):
        turn = number % len(contenders)
        for contender in contenders[turn:] + contenders[:turn]:
            runs[contender.name].append(once(contender, source, lines, scratch))
            say(".")
    return runs


def once(contender: Contender, source: Path, lines: int, scratch: Path) -> Run:
    """One run in a folder of its own, checked."""
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        run = contender.run(source, Path(name))
        contender.check(Path(name), lines)
    return run


def say(text: str) -> None:
    """Progress, on stderr."""
    print(text, end="", file=sys.stderr, flush=True)


def compare(arguments: argparse.Namespace, scratch: Path) -> list[report.Result]:
    """All contenders on one file, and on a file of one line."""
    contenders = chosen(arguments.only)
    full, single = scratch / "lines.json", scratch / "single.json"
    size = data.write(full, arguments.lines, arguments.seed)
    data.write(single, 1, arguments.seed)
    say(f"{arguments.lines} lines of {size / arguments.lines:.0f} bytes ")
    runs = rounds(contenders, full, arguments.lines, arguments.rounds, scratch)
    idle = rounds(contenders, single, 1, arguments.rounds, scratch)
    say("\n")
    return [
        report.Result(
            name=one.name, what=one.what, lines=arguments.lines, runs=runs[one.name], idle=idle[one.name]
        )
        for one in contenders
    ]


def grow(arguments: argparse.Namespace, scratch: Path) -> list[volumes.Growth]:
    """Each contender on 1, 10 and 100 times the lines, and on a file of one line."""
    contenders = chosen(arguments.only or ["yaat"])
    runs: dict[str, dict[int, list[Run]]] = {one.name: {} for one in contenders}
    for lines in (1, *(arguments.lines * times for times in volumes.TIMES)):
        say(f"{lines} lines ")
        source = scratch / "lines.json"
        data.write(source, lines, arguments.seed)
        for name, these in rounds(contenders, source, lines, arguments.rounds, scratch).items():
            runs[name][lines] = these
        source.unlink()
    say("\n")
    return [volumes.Growth(name=one.name, lines=arguments.lines, runs=runs[one.name]) for one in contenders]


def main() -> None:
    arguments = parse_arguments()
    options = {name: getattr(arguments, name) for name in ("lines", "rounds", "seed")}
    with tempfile.TemporaryDirectory(dir=arguments.scratch, prefix="yaat-bench-") as name:
        if arguments.volumes:
            grown = grow(arguments, Path(name))
            table, document = volumes.table(grown), volumes.document(grown, options)
        else:
            results = compare(arguments, Path(name))
            table, document = report.table(results), report.document(results, options)
    print(table)
    print(f"\nsaved to {report.save(document, arguments.results)}")


if __name__ == "__main__":
    main()
