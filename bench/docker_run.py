#!/usr/bin/env python3
"""A container's log into the agent's database, against `podman logs` into a file: the same log, alternately, in one run.

    make bench-docker
    make bench-docker BENCH_ARGS="--lines 50000 --rounds 3"

How to read the table: bench/README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

import report
from contenders import Contender
from measure import Run, run
from run import rounds, say

HERE = Path(__file__).resolve().parent
ENGINE = str(HERE.parent / "tools" / "engine")
_PLUGINS = {"YAAT_PLUGINS_DIR": str(HERE / "plugins")}
_LINE = "the quick brown fox jumps over the lazy dog and 240 more words"


class Agent(Contender):
    """`yaat run --once` over the engine's API: joined, redacted, synced queue, database, exit."""

    name = "yaat"
    what = "docker source over podman's API, scrub (secrets), synced LevelDB queue, DuckDB, checkpoint"
    steps = "{type: scrub, detectors: [secrets]}"
    sink = "{type: duckdb, path: events.duckdb}"

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    def run(self, source: Path, folder: Path) -> Run:
        config = folder / "yaat.yaml"
        text = _CONFIG.format(
            socket=self._socket,
            name=source.name,
            steps=self.steps,
            sink=self.sink.replace("FOLDER", str(folder)),
        )
        config.write_text(text, encoding="utf-8")
        yaat = Path(sys.executable).with_name("yaat")
        return run([str(yaat), "run", "--once", "-c", str(config)], folder / "log", environ=_PLUGINS)

    def check(self, folder: Path, lines: int) -> None:
        with duckdb.connect(str(folder / "state" / "events.duckdb"), read_only=True) as connection:
            counted = connection.execute("SELECT count(*), count(DISTINCT message) FROM events").fetchone()
        assert counted == (lines, lines), f"rows, different ones: {counted}, expected {lines}"


class AgentQueue(Agent):
    """The same into the queue."""

    name = "yaat-queue"
    what = "the same up to the queue; a sink takes what comes out of it and throws it away"
    sink = "{type: 'null', report: 'FOLDER/report.json'}"

    def check(self, folder: Path, lines: int) -> None:
        rows = json.loads((folder / "report.json").read_text(encoding="utf-8"))["rows"]
        assert rows == lines, f"{rows} of {lines} rows"


class AgentSource(AgentQueue):
    """The source alone."""

    name = "yaat-source"
    what = "the docker source alone: a filter throws away what it reads"
    steps = "{type: filter, drop: 'true'}"

    def check(self, folder: Path, lines: int) -> None:
        super().check(folder, 0)
        yaat = Path(sys.executable).with_name("yaat")
        asked = [str(yaat), "diagnose", "--json", "-c", str(folder / "yaat.yaml")]
        environ = {**os.environ, **_PLUGINS}
        told = subprocess.run(asked, capture_output=True, text=True, check=False, env=environ).stdout
        dropped = json.loads(told)["accounting"]["dropped_before_queue"]
        assert dropped == {"filter/filter": lines}, f"{dropped}, expected {lines}"


_CONFIG = """\
version: 1
state_dir: state
health: {{listen: "off"}}
sources:
  log: {{type: docker, host: "unix://{socket}", containers: {{include: ["{name}"]}}}}
processors:
  - {steps}
sinks:
  local: {sink}
"""


class PodmanLogs(Contender):
    """`podman logs` reads the same log from its file, without the API, and writes it to another file. No database."""

    name = "podman"
    what = "podman logs --timestamps into a file; no API, no queue, no database"

    def run(self, source: Path, folder: Path) -> Run:
        script = f"exec {ENGINE} run logs --timestamps {source.name} >{folder / 'out'}"
        return run(["sh", "-c", script], folder / "log")

    def check(self, folder: Path, lines: int) -> None:
        check_lines(folder / "out", lines)


class Transfer(Contender):
    """Only the engine's part of the agent's work: the API gives the whole log to a reader that throws it away."""

    name = "api"
    what = "curl: the engine's API alone, into a file"

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    def run(self, source: Path, folder: Path) -> Run:
        url = f"http://engine/containers/{source.name}/logs?stdout=1&stderr=1&timestamps=1"
        out = str(folder / "out")
        return run(["curl", "-sS", "--unix-socket", str(self._socket), "-o", out, url], folder / "log")

    def check(self, folder: Path, lines: int) -> None:
        check_lines(folder / "out", lines)

    def missing(self) -> str | None:
        return None if shutil.which("curl") else "apt-get install curl"


def check_lines(path: Path, lines: int) -> None:
    """So many ends of lines. (Lines that the engine divided have a time in their middle.)"""
    found = path.read_bytes().count(b"\n")
    assert found == lines, f"{found} of {lines} lines"


@contextmanager
def served() -> Iterator[Path]:
    """The engine's socket."""
    with tempfile.TemporaryDirectory(prefix="yaat-bench-") as name:
        socket = Path(name) / "engine.sock"
        process = subprocess.Popen([ENGINE, "socket", str(socket)], stdin=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 60
            while not socket.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("the engine's service does not start")
                time.sleep(0.05)
            yield socket
        finally:
            process.kill()
            process.wait()


@contextmanager
def container(lines: int) -> Iterator[Path]:
    """One that wrote so many lines and has ended; a path whose last part is its name."""
    name = f"yaat-bench-{uuid.uuid4().hex[:10]}"
    image = subprocess.run([ENGINE, "image"], check=True, capture_output=True, text=True).stdout.strip()
    script = f'seq 1 {lines} | while read -r n; do echo "$n {_LINE}"; done'
    try:
        subprocess.run(
            [ENGINE, "run", "run", "--name", name, image, "sh", "-c", script],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        yield Path(name)
    finally:
        subprocess.run([ENGINE, "run", "rm", "-f", "-t", "0", name], check=False, capture_output=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--lines", type=int, default=200_000, help="lines in the log (200000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each runs (3)")
    parser.add_argument("--results", type=Path, default=HERE / "results", help="where the JSON goes")
    arguments = parser.parse_args()
    ready = subprocess.run([ENGINE, "ready"], capture_output=True, text=True)
    if ready.returncode:
        raise SystemExit(f"containers can't run here: {ready.stderr.strip()}")
    with (
        served() as socket,
        container(arguments.lines) as full,
        container(1) as single,
        tempfile.TemporaryDirectory(prefix="yaat-bench-") as name,
    ):
        every: list[Contender] = [
            Agent(socket),
            AgentQueue(socket),
            AgentSource(socket),
            PodmanLogs(),
            Transfer(socket),
        ]
        everyone = [one for one in every if one.missing() is None]
        runs = rounds(everyone, full, arguments.lines, arguments.rounds, Path(name))
        idle = rounds(everyone, single, 1, arguments.rounds, Path(name))
    say("\n")
    results = [
        report.Result(
            name=one.name, what=one.what, lines=arguments.lines, runs=runs[one.name], idle=idle[one.name]
        )
        for one in everyone
    ]
    print(report.table(results))
    options = {name: getattr(arguments, name) for name in ("lines", "rounds")}
    document = report.document(results, options) | {"benchmark": "docker"}
    print(f"\nsaved to {report.save(document, arguments.results)}")


if __name__ == "__main__":
    main()
