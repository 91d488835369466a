#!/usr/bin/env python3
"""Scoped queries over a gateway's events while more come in: how long each takes, against the same without a scope.

    make bench-query
    make bench-query BENCH_ARGS="--events 2000000 --services 10 --rate 20000"

How to read the figures: bench/README.md.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx

from measure import Server, busy_seconds

HERE = Path(__file__).resolve().parent
CONFIG: Final = """\
version: 1
state_dir: state
health: {listen: "off"}
sources:
  gateway: {type: gateway, listen: "tcp://127.0.0.1:0", queries: {max_time: 10m}}
sinks:
  local: {type: duckdb, path: events.duckdb, retention: none, max_bytes: 1TiB}
"""
#: What dashboards ask. The scope is 1 of --services services; the times of the events span 24 hours.
QUERIES: Final = {
    "errors by minute, 24 h": "SELECT date_trunc('minute', timestamp) AS t, count(*) FILTER (WHERE level = 'error') AS errors,"
    " count(*) AS n FROM logs GROUP BY 1 ORDER BY 1",
    "errors by minute, 1 h": "SELECT date_trunc('minute', timestamp) AS t, count(*) FILTER (WHERE level = 'error') AS errors"
    " FROM logs WHERE timestamp > '2026-12-01T23:00:00Z' GROUP BY 1 ORDER BY 1",
    "p99 by operation": "SELECT operation, quantile_cont(duration_ms, 0.99) AS p99, count(*) AS n FROM spans"
    " GROUP BY 1 ORDER BY n DESC LIMIT 20",
    "text that contains": "SELECT count(*) FROM logs WHERE message LIKE '%user 4711 %'",
    "latest 100": "SELECT timestamp, level, message FROM events ORDER BY timestamp DESC LIMIT 100",
    "one tag": "SELECT count(*) FROM events WHERE tags['region'] = 'eu-3'",
    "one trace": "SELECT * FROM events WHERE trace_id = '00000000000000000000000000000abc'",
}
_BATCH: Final = 8_000
_PATIENCE: Final = 900.0
_DAY: Final = 86_400


def bodies(services: int, seed: int) -> Iterator[bytes]:
    """Bodies of POST /v1/ingest, `_BATCH` events each: seeded, of all services, a minute of the day in each."""
    rng = random.Random(seed)
    for number in itertools.count():
        events = [_event(rng, services, (number * 60) % _DAY + rng.random() * 60) for _ in range(_BATCH)]
        yield json.dumps({"events": events}, separators=(",", ":")).encode()


def _event(rng: random.Random, services: int, second: float) -> dict[str, Any]:
    clock = f"{int(second) // 3600:02d}:{int(second) // 60 % 60:02d}:{second % 60:09.6f}"
    event = {
        "service_name": f"service-{rng.randrange(services)}",
        "timestamp": f"2026-12-01T{clock}Z",
        "trace_id": f"{rng.randrange(10_000_000):032x}",
        "tags": {
            "region": f"eu-{rng.randrange(8)}",
            "host.name": f"web-{rng.randrange(40)}",
            "version": "1.4.2",
        },
    }
    if rng.random() < 0.3:
        return event | {
            "event_type": "span",
            "operation": f"GET /items/{rng.randrange(200)}",
            "duration_ms": round(rng.lognormvariate(3, 1), 3),
            "status_code": 200,
        }
    level = "error" if rng.random() < 0.02 else "info"
    return event | {
        "level": level,
        "message": f"order {rng.randrange(10**7)} of user {rng.randrange(10**4)} was stored",
    }


class Gateway:
    """One that runs on a folder, with its keys."""

    def __init__(self, folder: Path) -> None:
        self._config = folder / "yaat.yaml"
        self._config.write_text(CONFIG, encoding="utf-8")
        self._yaat = str(Path(sys.executable).with_name("yaat"))
        output = folder / "output"
        self.server = Server([self._yaat, "run", "-c", str(self._config)], output)
        found: list[str] = []

        def listens() -> bool:
            found[:] = re.findall(r"listening on tcp://(\S+)", output.read_text(errors="replace"))
            return bool(found)

        self.server.wait_for(listens, seconds=_PATIENCE, what="the gateway does not listen", pause=0.1)
        self.url = f"http://{found[0]}"

    def client(self, *options: str) -> httpx.Client:
        """A client with a new key."""
        command = [
            self._yaat,
            "gateway",
            "keys",
            "create",
            "bench",
            *options,
            "-c",
            str(self._config),
            "--json",
        ]
        key = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["key"]
        return httpx.Client(base_url=self.url, headers={"authorization": f"Bearer {key}"}, timeout=_PATIENCE)


def send(client: httpx.Client, body: bytes) -> None:
    """One request, again while the gateway asks for patience."""
    while (
        answer := client.post("/v1/ingest", content=body, headers={"content-type": "application/json"})
    ).status_code in (429, 503):
        time.sleep(float(answer.headers.get("retry-after", "1")))
    answer.raise_for_status()


def asked(client: httpx.Client, sql: str) -> tuple[float, int]:
    """Seconds until the last row is here, and how many there are."""
    began = time.monotonic()
    answer = client.post("/v1/query", json={"sql": sql, "timeout": 600})
    seconds = time.monotonic() - began
    told = answer.raise_for_status().json()
    assert "error" not in told, told
    return seconds, told["end"]["rows"]


@contextlib.contextmanager
def ingesting(client: httpx.Client, made: list[bytes], rate: float) -> Iterator[list[int]]:
    """Goes on sending ``rate`` events a second; gives how many were taken, as the one element of a list."""
    ending, taken = threading.Event(), [0]

    def work() -> None:
        for body in itertools.cycle(made):
            began = time.monotonic()
            if ending.is_set():
                return
            send(client, body)
            taken[0] += _BATCH
            ending.wait(max(0.0, _BATCH / rate - (time.monotonic() - began)))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield taken
    finally:
        ending.set()
        thread.join()


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--events", type=int, default=10_000_000, help="stored before the first question (10000000)"
    )
    parser.add_argument("--services", type=int, default=10, help="of which the scope is one (10)")
    parser.add_argument(
        "--rate", type=float, default=10_000, help="events a second that come in meanwhile (10000)"
    )
    parser.add_argument("--rounds", type=int, default=5, help="of all questions (5)")
    parser.add_argument("--seed", type=int, default=1, help="of the events (1)")
    parser.add_argument("--results", type=Path, default=HERE / "results", help="where the JSON goes")
    return parser.parse_args()


def measured(gateway: Gateway, arguments: argparse.Namespace) -> dict[str, Any]:
    """Fill, then ask while more comes in."""
    sender, scoped, unscoped = (
        gateway.client("--right", "ingest"),
        gateway.client("--right", "read", "--service", "service-3"),
        gateway.client("--right", "read"),
    )
    made = list(itertools.islice(bodies(arguments.services, arguments.seed), 120))
    began = time.monotonic()
    for body in itertools.islice(itertools.cycle(made), arguments.events // _BATCH):
        send(sender, body)
    filled = time.monotonic() - began
    count = "SELECT count(*) AS n FROM events"
    wanted = arguments.events // _BATCH * _BATCH

    def all_there() -> bool:
        answer = unscoped.post("/v1/query", json={"sql": count})
        return bool(answer.is_success and answer.json()["rows"][0]["n"] >= wanted)

    gateway.server.wait_for(all_there, seconds=_PATIENCE, what="the events are not stored", pause=1)
    times: dict[str, dict[str, list[float]]] = {name: {"scoped": [], "organization": []} for name in QUERIES}
    busy, began = busy_seconds(), time.monotonic()
    with ingesting(sender, made, arguments.rate) as taken:
        for _ in range(arguments.rounds):
            for name, sql in QUERIES.items():
                times[name]["scoped"].append(asked(scoped, sql)[0])
                times[name]["organization"].append(asked(unscoped, sql)[0])
        seconds = time.monotonic() - began
    return {
        "events": wanted,
        "fill_events_per_second": wanted / filled,
        "ingested_meanwhile_per_second": taken[0] / seconds,
        "cores_busy": (busy_seconds() - busy) / seconds,
        "median_seconds": {
            name: {who: statistics.median(all) for who, all in one.items()} for name, one in times.items()
        },
        "max_seconds": {name: {who: max(all) for who, all in one.items()} for name, one in times.items()},
    }


def main() -> None:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="yaat-bench-query-") as folder:
        gateway = Gateway(Path(folder))
        try:
            result = measured(gateway, arguments)
        except BaseException:
            gateway.server.kill()
            raise
        gateway.server.stop()
    arguments.results.mkdir(parents=True, exist_ok=True)
    (arguments.results / "query.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
