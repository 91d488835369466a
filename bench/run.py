#!/usr/bin/env python3
"""The agent's whole durable path against its ceiling and a peer: the same file, alternately, in one run.

    make bench
    make bench BENCH_ARGS="--lines 50000 --rounds 5"

How to read the table: bench/README.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import data
import report
from contenders import Agent, Ceiling, Contender, Rsyslog
from measure import Run

HERE = Path(__file__).resolve().parent


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--lines", type=int, default=1_000_000, help="lines in the file (1000000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each runs (3)")
    parser.add_argument("--seed", type=int, default=1, help="of the lines (1)")
    parser.add_argument("--only", nargs="*", help="names of contenders to run")
    parser.add_argument("--results", type=Path, default=HERE / "results", help="where the JSON goes")
    parser.add_argument("--scratch", type=Path, help="folder for data and databases (a temporary one)")
    return parser.parse_args()


def rounds(
    contenders: list[Contender], source: Path, lines: int, count: int, scratch: Path
) -> dict[str, list[Run]]:
    """Each contender ``count`` times, the order turned from round to round; what each wrote is checked."""
    runs: dict[str, list[Run]] = {contender.name: [] for contender in contenders}
    for number in range(count):
        turn = number % len(contenders)
        for contender in contenders[turn:] + contenders[:turn]:
            with tempfile.TemporaryDirectory(dir=scratch) as name:
                folder = Path(name)
                runs[contender.name].append(contender.run(source, folder))
                contender.check(folder, lines)
            say(".")
    return runs


def say(text: str) -> None:
    """Progress, on stderr."""
    print(text, end="", file=sys.stderr, flush=True)


def main() -> None:
    arguments = parse_arguments()
    everyone: list[Contender] = [Agent(), Ceiling(), Rsyslog()]
    chosen = [one for one in everyone if not arguments.only or one.name in arguments.only]
    for absent in [one for one in chosen if not one.available()]:
        print(f"{absent.name} is not installed: left out", file=sys.stderr)
        chosen.remove(absent)
    with tempfile.TemporaryDirectory(dir=arguments.scratch, prefix="yaat-bench-") as name:
        scratch = Path(name)
        full, single = scratch / "lines.json", scratch / "single.json"
        size = data.write(full, arguments.lines, arguments.seed)
        data.write(single, 1, arguments.seed)
        say(f"{arguments.lines} lines of {size / arguments.lines:.0f} bytes ")
        runs = rounds(chosen, full, arguments.lines, arguments.rounds, scratch)
        idle = rounds(chosen, single, 1, arguments.rounds, scratch)
    say("\n")
    results = [
        report.Result(
            name=one.name, what=one.what, lines=arguments.lines, runs=runs[one.name], idle=idle[one.name]
        )
        for one in chosen
    ]
    print(report.table(results))
    options = {name: getattr(arguments, name) for name in ("lines", "rounds", "seed")}
    print(f"\nsaved to {report.save(report.document(results, options), arguments.results)}")


if __name__ == "__main__":
    main()
