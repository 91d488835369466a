#!/usr/bin/env python3
"""The journal: the agent's whole durable path, with each of its readers, against `journalctl -o json` writing to a file.

    make bench-journald
    make bench-journald BENCH_ARGS="--lines 20000 --rounds 1"

Needs Debian's systemd-journal-remote, which makes the journal. How to read the table: bench/README.md.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb

import report
from contenders import Contender
from measure import Run, run
from run import rounds, say

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))
from support.journals import write_journal  # noqa: E402  (tests' helpers are not installed)

CONFIG = """\
version: 1
service_name: host
state_dir: state
health: {{listen: "off"}}
sources:
  journal: {{type: journald, files: ["{source}"], since: beginning, reader: {reader}}}
queue: {{type: leveldb}}
sinks:
  local: {{type: duckdb, path: events.duckdb}}
"""


class Agent(Contender):
    """`yaat run --once` over a journal file."""

    def __init__(self, reader: str) -> None:
        self.name = reader[:10]
        self.reader = reader
        self.what = f"the agent through {reader}: synced LevelDB queue, DuckDB, checkpoint"

    def run(self, source: Path, folder: Path) -> Run:
        config = folder / "yaat.yaml"
        config.write_text(CONFIG.format(source=source, reader=self.reader), encoding="utf-8")
        yaat = Path(sys.executable).with_name("yaat")
        return run([str(yaat), "run", "--once", "-c", str(config)], folder / "log")

    def check(self, folder: Path, lines: int) -> None:
        with duckdb.connect(str(folder / "state" / "events.duckdb"), read_only=True) as connection:
            sql = "SELECT count(*), count(DISTINCT message), count(DISTINCT event_id) FROM events"
            counted = connection.execute(sql).fetchall()
        assert counted == [(lines, lines, lines)], f"rows, messages, ids: {counted[0]}, expected {lines} each"


class Journalctl(Contender):
    """`journalctl -o json` itself: reads and prints, nothing else."""

    name = "json"
    what = "journalctl -o json to a file: no queue, no database"

    def run(self, source: Path, folder: Path) -> Run:
        return run(["journalctl", f"--file={source}", "--output=json", "--all", "--no-pager"], folder / "out")

    def check(self, folder: Path, lines: int) -> None:
        with (folder / "out").open("rb") as file:
            written = sum(1 for line in file if line.startswith(b"{"))
        assert written == lines, f"journalctl wrote {written} of {lines} entries"


def entries(count: int, seed: int) -> Iterator[dict[str, str]]:
    """As a service of a web host logs: 22 fields, of which most repeat."""
    rng = random.Random(seed)
    for number in range(count):
        unit = f"app{rng.randrange(12)}"
        yield {
            "MESSAGE": f"request {number} of user{rng.randrange(5000)} to /api/orders/{number} took {rng.randrange(900)} ms",
            "PRIORITY": str(rng.choice((3, 4, 6, 6, 6, 6, 7))),
            "SYSLOG_FACILITY": "3",
            "SYSLOG_IDENTIFIER": unit,
            "_TRANSPORT": "stdout",
            "_STREAM_ID": f"{unit:0>32}",
            "_PID": str(1000 + rng.randrange(50)),
            "_UID": "1000",
            "_GID": "1000",
            "_COMM": unit,
            "_EXE": f"/usr/bin/{unit}",
            "_CMDLINE": f"/usr/bin/{unit} --serve",
            "_CAP_EFFECTIVE": "0",
            "_SYSTEMD_CGROUP": f"/system.slice/{unit}.service",
            "_SYSTEMD_UNIT": f"{unit}.service",
            "_SYSTEMD_SLICE": "system.slice",
            "_SYSTEMD_INVOCATION_ID": f"{unit:0>32}",
            "_HOSTNAME": "web1",
            "_RUNTIME_SCOPE": "system",
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--lines", type=int, default=300_000, help="entries in the journal (300000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each runs (3)")
    parser.add_argument("--seed", type=int, default=1, help="of the entries (1)")
    parser.add_argument("--results", type=Path, default=HERE / "results", help="where the JSON goes")
    arguments = parser.parse_args()
    contenders: list[Contender] = [Agent("libsystemd"), Agent("journalctl"), Journalctl()]
    with tempfile.TemporaryDirectory(prefix="yaat-bench-") as name:
        scratch = Path(name)
        full = write_journal(scratch / "full.journal", entries(arguments.lines, arguments.seed))
        single = write_journal(scratch / "single.journal", entries(1, arguments.seed))
        say(f"{arguments.lines} entries ")
        runs = rounds(contenders, full, arguments.lines, arguments.rounds, scratch)
        idle = rounds(contenders, single, 1, arguments.rounds, scratch)
    say("\n")
    results = [
        report.Result(
            name=one.name, what=one.what, lines=arguments.lines, runs=runs[one.name], idle=idle[one.name]
        )
        for one in contenders
    ]
    print(report.table(results))
    options = {name: getattr(arguments, name) for name in ("lines", "rounds", "seed")}
    print(f"\nsaved to {report.save(report.document(results, options), arguments.results)}")


if __name__ == "__main__":
    main()
