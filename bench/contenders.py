"""Who runs in the benchmark: each is told a file of JSON lines and an empty folder, runs as a process, is checked after."""

from __future__ import annotations

import abc
import shutil
import sys
from pathlib import Path

import duckdb

import data
from measure import Run, run

HERE = Path(__file__).resolve().parent


class Contender(abc.ABC):
    """One way from the file to somewhere durable."""

    name: str
    what: str

    @abc.abstractmethod
    def run(self, source: Path, folder: Path) -> Run:
        """Do it once."""

    def check(self, folder: Path, lines: int) -> None:
        """Raise AssertionError when what came out is not what went in, redacted."""

    def available(self) -> bool:
        """Is it installed?"""
        return True


class Agent(Contender):
    """`yaat run --once` as a user runs it: parse, redact, synced queue, database, exit."""

    name = "yaat"
    what = "file, json, scrub (secrets, email), synced LevelDB queue, DuckDB, checkpoint"

    def run(self, source: Path, folder: Path) -> Run:
        config = folder / "yaat.yaml"
        config.write_text(_CONFIG.format(source=source), encoding="utf-8")
        yaat = Path(sys.executable).with_name("yaat")
        return run([str(yaat), "run", "--once", "-c", str(config)], folder / "log")

    def check(self, folder: Path, lines: int) -> None:
        state = folder / "state"
        _check_database([state / "events.duckdb", *sorted(state.glob("events.duckdb.d/*.duckdb"))], lines)
        logs = [wal for wal in state.rglob("*.duckdb.wal") if wal.stat().st_size]
        assert not logs, "the agent left a WAL: its checkpoint was not counted"


_CONFIG = """\
version: 1
service_name: app
state_dir: state
health: {{listen: "off"}}
sources:
  app: {{type: file, paths: ["{source}"], start_at: beginning, format: json}}
processors:
  - {{type: scrub, detectors: [secrets, email]}}
queue: {{type: leveldb}}
sinks:
  local: {{type: duckdb, path: events.duckdb}}
"""


class Ceiling(Contender):
    """One DuckDB statement: no queue, no position, nothing but the work itself."""

    name = "duckdb"
    what = "one INSERT ... SELECT FROM read_json with five regexp_replace, checkpoint"

    def run(self, source: Path, folder: Path) -> Run:
        command = [sys.executable, str(HERE / "ceiling.py"), str(source), str(folder / "out.duckdb")]
        return run(command, folder / "log")

    def check(self, folder: Path, lines: int) -> None:
        _check_database([folder / "out.duckdb"], lines)


class Rsyslog(Contender):
    """rsyslog parses the JSON and writes it again, through a disk queue that is not synced. No redaction."""

    name = "rsyslog"
    what = "imfile, mmjsonparse, disk queue (unsynced), omfile; no redaction, no database"

    def available(self) -> bool:
        return _rsyslogd() is not None

    def run(self, source: Path, folder: Path) -> Run:
        config, out, spool = folder / "rsyslog.conf", folder / "out.json", folder / "spool"
        spool.mkdir()
        config.write_text(_RSYSLOG.format(spool=spool, source=source, out=out), encoding="utf-8")
        expected = _count_lines(source)
        written = LineCounter(out)
        command = [str(_rsyslogd()), "-n", "-f", str(config), "-i", str(folder / "pid")]
        return run(command, folder / "log", until=lambda: written.count() >= expected)

    def check(self, folder: Path, lines: int) -> None:
        written = _count_lines(folder / "out.json")
        assert written == lines, f"rsyslog wrote {written} of {lines} lines"


_RSYSLOG = """\
global(workDirectory="{spool}" maxMessageSize="64k")
module(load="imfile" mode="inotify")
module(load="mmjsonparse")
main_queue(queue.type="Disk" queue.filename="main" queue.maxDiskSpace="4g" queue.syncQueueFiles="off"
           queue.dequeueBatchSize="1024")
template(name="json" type="list") {{ property(name="$!all-json") constant(value="\\n") }}
input(type="imfile" file="{source}" tag="bench:" freshStartTail="off")
action(type="mmjsonparse" cookie="")
action(type="omfile" file="{out}" template="json" ioBufferSize="64k" flushOnTXEnd="on")
"""


def _rsyslogd() -> str | None:
    return shutil.which("rsyslogd") or shutil.which("rsyslogd", path="/usr/sbin:/sbin")


def _check_database(files: list[Path], lines: int) -> None:
    with duckdb.connect() as connection:
        for number, file in enumerate(files):
            connection.execute(f"ATTACH '{file}' AS part_{number} (READ_ONLY)")
        events = " UNION ALL ".join(f"FROM part_{number}.events" for number in range(len(files)))
        counted = connection.execute(
            f"SELECT count(*), count(*) FILTER (message LIKE '%' || ? || '%'), count(DISTINCT event_id) FROM ({events})",
            [data.CANARY],
        ).fetchall()
    assert counted == [(lines, 0, lines)], (
        f"{files[0].name}: rows, secrets left, ids: {counted[0]}, expected {lines}, 0"
    )


def _count_lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


class LineCounter:
    """Counts the lines of a growing file, reading each byte once."""

    def __init__(self, path: Path) -> None:
        self._path, self._read, self._lines = path, 0, 0

    def count(self) -> int:
        """Lines so far; 0 while there is no file."""
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._read)
                while chunk := file.read(1 << 20):
                    self._read += len(chunk)
                    self._lines += chunk.count(b"\n")
        return self._lines
