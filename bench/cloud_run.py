#!/usr/bin/env python3
"""To a backend over HTTP: the `cloud` sink against gzip 1 alone, and the whole agent against the Collector's otlphttp exporter.

    make bench-cloud
    make bench-cloud BENCH_ARGS="--lines 50000 --rounds 5"

How to read the table: bench/README.md.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import data
import report
from contenders.agent import forwarded
from contenders.base import PEERS
from measure import Run, run

HERE = Path(__file__).resolve().parent

_OTELCOL = """\
extensions: {{file_storage: {{directory: "{spool}", fsync: true}}}}
receivers:
  file_log:
    include: ["{source}"]
    start_at: beginning
    storage: file_storage
    poll_interval: 50ms
    operators: [{{type: json_parser}}]
exporters:
  otlp_http:
    endpoint: "{url}"
    compression: gzip
    retry_on_failure: {{max_elapsed_time: 0}}
    sending_queue: {{storage: file_storage, queue_size: 1000, block_on_overflow: true, num_consumers: 4}}
service:
  extensions: [file_storage]
  telemetry: {{metrics: {{level: none}}, logs: {{level: warn}}}}
  pipelines: {{logs: {{receivers: [file_log], exporters: [otlp_http]}}}}
"""


@contextmanager
def counting(folder: Path) -> Iterator[tuple[str, Path]]:
    """The endpoint, in a process of its own: its URL, and the file with its count."""
    count = folder / "count"
    count.write_text("0", encoding="ascii")
    command = [sys.executable, str(HERE / "counting_server.py"), str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}", count
        finally:
            process.kill()


def alone(source: Path, folder: Path) -> dict[str, Any]:
    """Seconds and CPU seconds of the sink by itself, and of gzip."""
    with counting(folder) as (url, count):
        command = [sys.executable, str(HERE / "cloud_sink.py"), str(source), url]
        told: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        assert int(count.read_text("ascii")) == told["rows"], "the endpoint has another number of lines"
    return told


def agent(source: Path, folder: Path, lines: int) -> Run:
    """`yaat run --once`: file, json, redaction, synced queue, `cloud`."""
    with counting(folder) as (url, count):
        took = forwarded(source, folder, url)
        assert int(count.read_text("ascii")) == lines, "the endpoint has another number of lines"
    return took


def otelcol(source: Path, folder: Path, lines: int) -> Run:
    """filelog, synced file_storage queue, otlphttp; no redaction."""
    (folder / "spool").mkdir()
    with counting(folder) as (url, count):
        config = folder / "otelcol.yaml"
        config.write_text(_OTELCOL.format(source=source, spool=folder / "spool", url=url), encoding="utf-8")
        command = [str(PEERS / "otelcol" / "otelcol"), "--config", str(config)]
        return run(command, folder / "log", until=lambda: int(count.read_text("ascii") or 0) >= lines)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--lines", type=int, default=300_000, help="lines in the file (300000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each runs (3)")
    parser.add_argument("--results", type=Path, default=HERE / "results", help="where the JSON goes")
    parser.add_argument("--scratch", type=Path, help="folder for data (a temporary one)")
    return parser.parse_args()


def measured(arguments: argparse.Namespace, scratch: Path) -> dict[str, list[tuple[float, float]]]:
    """Seconds and CPU seconds of each round."""
    source = scratch / "lines.json"
    data.write(source, arguments.lines, 1)
    contenders: dict[str, Any] = {"yaat": agent}
    if (PEERS / "otelcol" / ".built").exists():
        contenders["otelcol"] = otelcol
    else:
        print("otelcol is left out; to have it: bench/peers/build otelcol", file=sys.stderr)
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in ("gzip", "sink", *contenders)}
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory(dir=scratch) as name:
            told = alone(source, Path(name))
        for part in ("gzip", "sink"):
            seconds[part].append(told[part])
        for name, contender in contenders.items():
            with tempfile.TemporaryDirectory(dir=scratch) as folder:
                took = contender(source, Path(folder), arguments.lines)
            seconds[name].append((took.seconds, took.cpu_seconds))
    return seconds


def main() -> None:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory(dir=arguments.scratch, prefix="yaat-bench-") as name:
        seconds = measured(arguments, Path(name))
    wall, cpu = (
        {name: statistics.median(time[kind] for time in times) for name, times in seconds.items()}
        for kind in (0, 1)
    )
    print(f"{'':10}{'k lines/s':>11}{'of gzip 1':>11}{'CPU s/M':>9}{'of gzip 1':>11}")
    for name in seconds:
        print(
            f"{name:10}{arguments.lines / wall[name] / 1000:>11.0f}{wall['gzip'] / wall[name]:>11.2f}"
            f"{cpu[name] / arguments.lines * 1e6:>9.2f}{cpu['gzip'] / cpu[name]:>11.2f}"
        )
    options = {"lines": arguments.lines, "rounds": arguments.rounds}
    document = report.header("cloud", options) | {"seconds": seconds}
    print(f"\nsaved to {report.save(document, arguments.results)}")


if __name__ == "__main__":
    main()
