#!/usr/bin/env python3
"""The journal: the agent's whole durable path, with each of its readers, against `journalctl -o json` writing to a file.

    make bench-journald
    make bench-journald BENCH_ARGS="--lines 20000 --rounds 1"

Needs Debian's systemd-journal-remote, which makes the journal. How to read the table: bench/README.md.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb

import report
from contenders import Contender
from contenders.base import PEERS, ItemCounter
from measure import Run, run
from run import rounds, say

HERE = Path(__file__).resolve().parent
READERS = ("libsystemd", "journalctl")
sys.path.insert(0, str(HERE.parent / "tests"))
from support.journals import write_journal  # noqa: E402  (tests' helpers are not installed)

CONFIG = """\
version: 1
service_name: host
state_dir: state
health: {{listen: "off"}}
sources:
  journal: {{type: journald, files: ["{source}/*.journal"], since: beginning, reader: {reader}}}
queue: {{type: leveldb}}
sinks:
  local: {sink}
"""


class Agent(Contender):
    """`yaat run --once` over a journal file."""

    def __init__(self, reader: str) -> None:
        self.name = reader[:10]
        self.reader = reader
        self.what = f"the agent through {reader}: synced LevelDB queue, DuckDB, checkpoint"

    def run(self, source: Path, folder: Path) -> Run:
        return self._run(source, folder, "{type: duckdb, path: events.duckdb}")

    def check(self, folder: Path, lines: int) -> None:
        with duckdb.connect(str(folder / "state" / "events.duckdb"), read_only=True) as connection:
            sql = "SELECT count(*), count(DISTINCT message), count(DISTINCT event_id) FROM events"
            counted = connection.execute(sql).fetchall()
        assert counted == [(lines, lines, lines)], f"rows, messages, ids: {counted[0]}, expected {lines} each"

    def _run(self, source: Path, folder: Path, sink: str) -> Run:
        config = folder / "yaat.yaml"
        text = CONFIG.format(source=source.parent, reader=self.reader, sink=sink)
        config.write_text(text, encoding="utf-8")
        yaat = Path(sys.executable).with_name("yaat")
        environ = {"YAAT_PLUGINS_DIR": str(HERE / "plugins")}
        return run([str(yaat), "run", "--once", "-c", str(config)], folder / "log", environ=environ)


class AgentQueue(Agent):
    """The same without a database: what the queue gives out is counted and thrown away."""

    def __init__(self, reader: str) -> None:
        super().__init__(reader)
        self.name = f"{reader[:3]}-queue"
        self.what = f"the agent through {reader} up to the queue; a sink that throws away"

    def run(self, source: Path, folder: Path) -> Run:
        return self._run(source, folder, f'{{type: "null", report: "{folder / "report.json"}"}}')

    def check(self, folder: Path, lines: int) -> None:
        told = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        assert told["rows"] == lines, f"{told['rows']} of {lines} entries came out of the queue"


class Otelcol(Contender):
    """The OpenTelemetry Collector's journald receiver, its position stored, through a memory queue into a file."""

    name = "otelcol"
    what = "the Collector: journald receiver (journalctl -o json), file_storage for its position only, a file"

    def missing(self) -> str | None:
        built = (PEERS / "otelcol" / ".built").exists()
        return None if built else "bench/peers/build otelcol (minutes; needs go)"

    def run(self, source: Path, folder: Path) -> Run:
        out, spool, config = folder / "out.json", folder / "spool", folder / "otelcol.yaml"
        spool.mkdir()
        config.write_text(OTELCOL.format(folder=source.parent, out=out, spool=spool), encoding="utf-8")
        # a journal that has grown large was rotated: it is several files
        expected = sum(ItemCounter(one, b"MESSAGE=request ").count() for one in source.parent.iterdir())
        written = ItemCounter(out, b"request ")
        command = [str(PEERS / "otelcol" / "otelcol"), "--config", str(config)]
        return run(command, folder / "log", until=lambda: written.count() >= expected)

    def check(self, folder: Path, lines: int) -> None:
        written = ItemCounter(folder / "out.json", b"request ").count()
        assert written == lines, f"the Collector wrote {written} of {lines} entries"


OTELCOL = """\
extensions:
  file_storage: {{directory: {spool}}}
receivers:
  journald: {{directory: {folder}, start_at: beginning, priority: debug, storage: file_storage}}
exporters:
  file: {{path: {out}, flush_interval: 50ms}}
service:
  extensions: [file_storage]
  telemetry: {{metrics: {{level: none}}, logs: {{level: warn}}}}
  pipelines:
    logs: {{receivers: [journald], exporters: [file]}}
"""


class Journalctl(Contender):
    """`journalctl -o json` itself: reads and prints, nothing else."""

    name = "json"
    what = "journalctl -o json to a file: no queue, no database"

    def run(self, source: Path, folder: Path) -> Run:
        return run(
            ["journalctl", f"--directory={source.parent}", "--output=json", "--all", "--no-pager"],
            folder / "out",
        )

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


def journal(folder: Path, count: int, seed: int) -> Path:
    """In a folder of its own: the Collector reads folders."""
    folder.mkdir()
    return write_journal(folder / "system.journal", entries(count, seed))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--lines", type=int, default=300_000, help="entries in the journal (300000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each runs (3)")
    parser.add_argument("--seed", type=int, default=1, help="of the entries (1)")
    parser.add_argument(
        "--only", nargs="*", help="names of contenders to run; the first is what others are compared with"
    )
    parser.add_argument("--results", type=Path, default=HERE / "results", help="where the JSON goes")
    arguments = parser.parse_args()
    everyone = [Agent(READERS[0]), Agent(READERS[1]), *map(AgentQueue, READERS), Journalctl(), Otelcol()]
    contenders: list[Contender] = [
        one for one in everyone if not arguments.only or one.name in arguments.only
    ]
    for absent in [one for one in contenders if one.missing()]:
        say(f"{absent.name} is left out: {absent.missing()}\n")
        contenders.remove(absent)
    with tempfile.TemporaryDirectory(prefix="yaat-bench-") as name:
        scratch = Path(name)
        full = journal(scratch / "full", arguments.lines, arguments.seed)
        single = journal(scratch / "single", 1, arguments.seed)
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
