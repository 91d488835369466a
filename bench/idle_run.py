#!/usr/bin/env python3
"""The agent with nothing to do: what it takes of a core, and how soon one appended line can be queried.

    make bench-idle
    make bench-idle BENCH_ARGS="--seconds 20 --appends 50"

How to read the figures: bench/README.md.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

import data
import report
from measure import Server, busy_seconds
from yaat_core.actions.agent import Query
from yaat_core.control.client import Client
from yaat_core.errors import YaatError

HERE = Path(__file__).resolve().parent
#: Everything else is as a user has it who writes nothing more.
CONFIG = """\
version: 1
service_name: app
state_dir: state
health: {{listen: "off"}}
sources:
  app: {{type: file, paths: ["{source}"], start_at: beginning, format: json}}
processors:
  - {{type: scrub, detectors: [secrets, email]}}
sinks:
  local: {{type: duckdb, path: events.duckdb}}
"""
_PATIENCE = 120.0
#: Seconds between two questions: half of it is in each latency, on average.
_POLL = 0.005


class Idle:
    """A running agent, its log file, and a client that asks it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._log = folder / "app.log"
        self._log.touch()
        config = folder / "yaat.yaml"
        config.write_text(CONFIG.format(source=self._log), encoding="utf-8")
        self._client = Client(folder / "state")
        self._lines = data.lines(sys.maxsize, seed)
        self._appended = 0
        command = [str(Path(sys.executable).with_name("yaat")), "run", "-c", str(config)]
        self.server = Server(command, folder / "output")

    def append(self) -> float:
        """One line more; seconds until a query finds it."""
        with self._log.open("a", encoding="utf-8") as log:
            log.write(next(self._lines) + "\n")
        began = time.monotonic()
        self._appended += 1
        self.server.wait_for(self._found, seconds=_PATIENCE, what="the line is not found", pause=_POLL)
        return time.monotonic() - began

    def core_share(self, seconds: float) -> float:
        """The part of one core that the agent uses, its children included, over ``seconds`` without anything to do."""
        before, began = self._cpu(), time.monotonic()
        time.sleep(seconds)
        return (self._cpu() - before) / (time.monotonic() - began)

    def __enter__(self) -> Idle:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._client.__exit__(None, None, None)
        if kind is None:
            self.server.stop()
        else:
            self.server.kill()

    def _found(self) -> bool:
        try:
            with self._client.query(Query(sql="SELECT count(*) AS lines FROM logs")) as answer:
                found = sum(sum(batch.column(0).to_pylist()) for batch in answer)
        except YaatError:
            if self._appended > 1:
                raise
            return False  # it is starting
        assert found <= self._appended, f"{found} lines are stored of {self._appended}"
        return bool(found == self._appended)

    def _cpu(self) -> float:
        agent = psutil.Process(self.server.pid)
        family = [agent, *agent.children(recursive=True)]
        return sum(sum(one.cpu_times()[:2]) for one in family)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60, help="how long it is watched doing nothing (60)")
    parser.add_argument("--settle", type=float, default=5, help="seconds before that (5)")
    parser.add_argument("--appends", type=int, default=60, help="lines, one after the other (60)")
    parser.add_argument("--pause", type=float, default=1, help="seconds between two of them, on average (1)")
    parser.add_argument("--seed", type=int, default=1, help="of the lines and the pauses (1)")
    parser.add_argument("--results", type=Path, default=HERE / "results", help="where the JSON goes")
    return parser.parse_args()


def measured(idle: Idle, arguments: argparse.Namespace) -> dict[str, Any]:
    """Start, watch, append."""
    start = idle.append()
    time.sleep(arguments.settle)
    busy, began = busy_seconds(), time.monotonic()
    share = idle.core_share(arguments.seconds)
    others = (busy_seconds() - busy) / (time.monotonic() - began) - share
    rng = random.Random(arguments.seed)
    latencies = []
    for _ in range(arguments.appends):
        time.sleep(rng.uniform(0.5, 1.5) * arguments.pause)
        latencies.append(idle.append())
    return {
        "core_share": share,
        "others": max(others, 0.0),
        "start_to_first_line_seconds": start,
        "visible_p50_seconds": statistics.median(latencies),
        "visible_p95_seconds": statistics.quantiles(latencies, n=20, method="inclusive")[-1],
        "visible_max_seconds": max(latencies),
        "latencies": latencies,
    }


def main() -> None:
    arguments = parse_arguments()
    if arguments.appends < 2:
        raise SystemExit("error: --appends must be 2 or more")
    with tempfile.TemporaryDirectory(prefix="yaat-bench-") as name, Idle(Path(name), arguments.seed) as idle:
        figures = measured(idle, arguments)
    options = {name: getattr(arguments, name) for name in ("seconds", "settle", "appends", "pause", "seed")}
    document = report.header("idle", options) | {"results": figures}
    shown = {name: round(value, 5) for name, value in figures.items() if name != "latencies"}
    print(json.dumps(shown, indent=2))
    print(f"saved to {report.save(document, arguments.results)}", file=sys.stderr)


if __name__ == "__main__":
    main()
