#!/usr/bin/env python3
"""Ingesting over HTTP: requests and events a second on one core, durable, against an endpoint that only parses the JSON.

    make bench-gateway
    make bench-gateway BENCH_ARGS="--requests 500 --events 1000 100"

Each server has the first core for itself, the senders have the second. How to read the table: bench/README.md.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import psutil

import report
from measure import Server
from yaat_core import ids, wire
from yaat_core.event import Event, EventBatch

HERE = Path(__file__).resolve().parent
CONFIG = """\
version: 1
state_dir: state
health: {{listen: "off"}}
sources:
  ingest: {{type: gateway, listen: "tcp://127.0.0.1:{port}", access: none}}
processors:
  - {{type: scrub, detectors: [secrets]}}
sinks:
  local: {{type: duckdb}}
"""
_PATIENCE = 60.0
_WARM = 20


@attrs.frozen(kw_only=True)
class Trial:
    """One server with requests of one size. ``latencies`` in seconds, sorted."""

    seconds: float
    cpu_seconds: float
    requests: int
    events: int
    latencies: Sequence[float]

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--events", type=int, nargs="+", default=[1, 10, 100, 1_000], help="events of a request"
    )
    parser.add_argument(
        "--requests", type=int, default=2_000, help="requests of a trial; fewer of large ones (2000)"
    )
    parser.add_argument("--senders", type=int, default=8, help="connections (8)")
    parser.add_argument("--rounds", type=int, default=3, help="trials of each (3)")
    parser.add_argument("--results", type=Path, default=HERE / "results", help="where the JSON goes")
    return parser.parse_args()


def bodies(requests: int, events: int) -> list[bytes]:
    """Requests as agents send them, each event with an identity of its own."""
    levels = ("info", "info", "info", "warning", "error")
    made = []
    for number in range(requests):
        batch = EventBatch.from_events(
            [
                Event(
                    service_name="shop",
                    environment="production",
                    level=levels[row % len(levels)],
                    message=f"request {number * events + row} served from 10.0.{row % 256}.7 in 12 ms",
                    tags={
                        "host.name": "web-1",
                        "yaat.source": "sources.app",
                        "log.file.path": "/var/log/app.log",
                    },
                )
                for row in range(events)
            ]
        ).with_columns({"event_id": ids.random(events)})
        made.append(b'{"events":[' + wire.to_json_lines(batch).rstrip().replace(b"\n", b",") + b"]}")
    return made


def trial(command: Callable[[Path, int], list[str]], sent: list[bytes], events: int, senders: int) -> Trial:
    """Start a server, send everything, stop it."""
    with tempfile.TemporaryDirectory(prefix="yaat-bench-") as name, socket.socket() as probe:
        folder = Path(name)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        server = Server(["taskset", "-c", "0", *command(folder, port)], folder / "log")
        try:
            server.wait_for(lambda: _listens(port), seconds=_PATIENCE, what="does not listen")
            _send(port, sent[:_WARM], 1)
            process = psutil.Process(server.pid)
            before, began = _cpu(process), time.monotonic()
            latencies = _send(port, sent[_WARM:], senders)
            seconds, cpu = time.monotonic() - began, _cpu(process) - before
        finally:
            server.kill()
        requests = len(sent) - _WARM
        return Trial(
            seconds=seconds,
            cpu_seconds=cpu,
            requests=requests,
            events=requests * events,
            latencies=sorted(latencies),
        )


def ceiling(_: Path, port: int) -> list[str]:
    return [sys.executable, str(HERE / "gateway_ceiling.py"), str(port)]


def gateway(folder: Path, port: int) -> list[str]:
    config = folder / "yaat.yaml"
    config.write_text(CONFIG.format(port=port), encoding="utf-8")
    return [str(Path(sys.executable).with_name("yaat")), "gateway", "serve", "-c", str(config)]


def _send(port: int, sent: Sequence[bytes], senders: int) -> list[float]:
    """Every body once, over so many connections; seconds until each was answered."""
    waiting = list(enumerate(sent))
    waiting.reverse()
    latencies: list[float] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                while waiting:
                    number, body = waiting.pop()
                    began = time.monotonic()
                    _request(connection, number, body)
                    latencies.append(time.monotonic() - began)
        except IndexError:
            pass
        except BaseException as error:  # noqa: BLE001 - told by the thread that waits
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return latencies


def _request(connection: socket.socket, number: int, body: bytes) -> None:
    head = (
        f"POST /v1/ingest HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        f"batch-id: bench-{id(body):x}-{number}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    connection.sendall(head.encode() + body)
    answer = b""
    while b"}" not in answer:
        piece = connection.recv(65_536)
        if not piece:
            raise ConnectionError(f"closed after {answer!r}")
        answer += piece
    if b" 200" not in answer[:16]:
        raise ConnectionError(f"refused: {answer!r}")


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> None:
    arguments = parse_arguments()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    found: dict[str, Any] = {}
    print("events a request | requests/s | events/s | CPU us an event | p50 ms | p99 ms | of the ceiling")
    for events in arguments.events:
        requests = max(_WARM + 50, min(arguments.requests, 200_000 // events))
        sent = bodies(requests, events)
        rounds = [
            {name: trial(command, sent, events, arguments.senders) for name, command in CONTENDERS.items()}
            for _ in range(arguments.rounds)
        ]
        best = statistics.median(one["ceiling"].rate for one in rounds)
        for name in CONTENDERS:
            trials = [one[name] for one in rounds]
            rate = statistics.median(one.rate for one in trials)
            cpu = statistics.median(one.cpu_seconds / one.events for one in trials) * 1e6
            waits = [float(np.percentile(trials[0].latencies, part)) * 1e3 for part in (50, 99)]
            share = rate / best
            found[f"{name}/{events}"] = {
                "requests_per_second": rate, "cpu_us_per_event": cpu, "p50_ms": waits[0], "p99_ms": waits[1],
                "of_ceiling": share,
            }  # fmt: skip
            print(
                f"{name:>8} {events:>7} | {rate:>10,.0f} | {rate * events:>8,.0f} | {cpu:>15.1f} |"
                f" {waits[0]:>6.1f} | {waits[1]:>6.1f} | {share:.2f}",
                flush=True,
            )
    given = {name: value for name, value in vars(arguments).items() if name != "results"}
    print(report.save({**report.header("gateway", given), "results": found}, arguments.results))


CONTENDERS = {"ceiling": ceiling, "gateway": gateway}

if __name__ == "__main__":
    main()
