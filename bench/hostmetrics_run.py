#!/usr/bin/env python3
"""Host metrics: CPU time of a round, the agent's source `hostmetrics` against Telegraf's inputs at the same interval.

    bench/peers/build telegraf
    make bench-hostmetrics
    make bench-hostmetrics BENCH_ARGS="--intervals 1 --seconds 30"

All contenders run at the same time: what is compared is CPU time, so they don't spoil it for each other. Each runs a second
time with an interval of an hour, which is what it takes when it does nothing. How to read the table: bench/README.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import attrs
import psutil

import report
from contenders.base import PEERS
from measure import Server, busy_seconds, run

HERE = Path(__file__).resolve().parent
_IDLE = 3600.0
_PATIENCE = 60.0
_PLUGINS = {"YAAT_PLUGINS_DIR": str(HERE / "plugins")}

_AGENT = """\
version: 1
state_dir: state
health: {{listen: "off"}}
sources:
  host: {{type: hostmetrics, interval: {interval}{options}}}
sinks:
  gone: {{type: "null", report: "{report}"}}
"""
#: What Telegraf's inputs below tell of, and no more.
_SAME = ", groups: [cpu, load, memory, disk, disk_io, network, processes, system], top: 0"
_TELEGRAF = """\
[agent]
  interval = "{interval}"
  flush_interval = "{interval}"
  round_interval = false
  omit_hostname = true
[[inputs.cpu]]
[[inputs.mem]]
[[inputs.swap]]
[[inputs.disk]]
  ignore_fs = ["tmpfs", "devtmpfs", "devfs", "iso9660", "overlay", "aufs", "squashfs"]
[[inputs.diskio]]
[[inputs.net]]
  ignore_protocol_stats = true
[[inputs.processes]]
[[inputs.system]]
[[inputs.kernel]]
{output}
"""
_DISCARD = "[[outputs.discard]]"
_FILE = '[[outputs.file]]\n  files = ["{path}"]\n  data_format = "influx"'


@attrs.frozen
class Contender:
    """Who collects. ``options`` are those of the agent's source, None is Telegraf."""

    name: str
    what: str
    options: str | None

    def missing(self) -> bool:
        """Is it not built?"""
        return self.options is None and not (PEERS / "telegraf" / ".built").exists()

    def start(self, folder: Path, interval: float) -> Server:
        """It runs."""
        folder.mkdir()
        command = self._agent(folder, interval) if self.options is not None else _telegraf(folder, interval)
        return Server(command, folder / "log", _PLUGINS)

    def metrics_a_round(self, folder: Path) -> float:
        """How many numbers it told in a round."""
        return _told_by_telegraf(folder) if self.options is None else self._told(folder)

    def _agent(self, folder: Path, interval: float, *more: str) -> list[str]:
        config = folder / "yaat.yaml"
        text = _AGENT.format(interval=f"{interval:g}s", options=self.options, report=folder / "report.json")
        config.write_text(text, encoding="utf-8")
        return [str(Path(sys.executable).with_name("yaat")), "run", "-c", str(config), *more]

    def _told(self, folder: Path) -> float:
        folder.mkdir()
        run(self._agent(folder, 1, "--once"), folder / "log", timeout=_PATIENCE, environ=_PLUGINS)
        return float(json.loads((folder / "report.json").read_text(encoding="utf-8"))["rows"])


def _telegraf(folder: Path, interval: float, output: str = _DISCARD) -> list[str]:
    config = folder / "telegraf.conf"
    config.write_text(_TELEGRAF.format(interval=f"{interval:g}s", output=output), encoding="utf-8")
    return [str(PEERS / "telegraf" / "telegraf"), "--config", str(config)]


def _told_by_telegraf(folder: Path) -> float:
    """The fields of the second round: the first has no use of CPUs."""
    folder.mkdir()
    out = folder / "out"
    command = _telegraf(folder, 1, _FILE.format(path=out))

    def rounds() -> dict[str, int]:
        """By time: how many fields."""
        counted: dict[str, int] = {}
        for line in out.read_text(encoding="utf-8").splitlines() if out.exists() else ():
            _, fields, when = line.rsplit(" ", 2)
            counted[when[:10]] = counted.get(when[:10], 0) + fields.count("=")
        return counted

    server = Server(command, folder / "log")
    server.wait_for(lambda: len(rounds()) > 3, seconds=_PATIENCE, what="tells nothing")
    server.stop()
    return float(max(rounds().values()))


#: The first is the one that others are compared with.
EVERYONE = (
    Contender(
        "yaat",
        "the agent: what Telegraf's inputs tell of, synced LevelDB queue, a sink that throws away",
        _SAME,
    ),
    Contender("yaat-all", "the same with everything that the source has by default", ""),
    Contender(
        "telegraf",
        "Telegraf 1.37: cpu, mem, swap, disk, diskio, net, processes, system, kernel, outputs.discard",
        None,
    ),
)


@attrs.frozen(kw_only=True)
class Measured:
    """CPU seconds a round, whole and without what it takes when it does nothing."""

    name: str
    interval: float
    rounds: float
    whole: float
    idle: float
    metrics: float
    rss_mib: float

    @property
    def net(self) -> float:
        """Of the round alone."""
        return self.whole - self.idle


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--intervals", type=float, nargs="+", default=[1, 10], help="seconds between two rounds (1 10)"
    )
    parser.add_argument("--seconds", type=float, default=60, help="how long it is watched at least (60)")
    parser.add_argument("--rounds", type=int, default=20, help="how many rounds are watched at least (20)")
    parser.add_argument(
        "--settle", type=float, default=20, help="seconds before that: they have to start (20)"
    )
    parser.add_argument("--only", nargs="*", help="names of contenders to run")
    parser.add_argument("--results", type=Path, default=HERE / "results", help="where the JSON goes")
    return parser.parse_args()


def watched(
    everyone: Sequence[Contender], interval: float, arguments: argparse.Namespace, folder: Path
) -> list[Measured]:
    """All at once, each beside itself doing nothing."""
    seconds = max(arguments.seconds, arguments.rounds * interval)
    told = {one.name: one.metrics_a_round(folder / f"{one.name}-told") for one in everyone}
    with ExitStack() as stack:
        servers = {
            (one.name, idle): one.start(folder / f"{one.name}-{idle}", _IDLE if idle else interval)
            for one in everyone
            for idle in (False, True)
        }
        for server in servers.values():
            stack.callback(server.kill)
        time.sleep(arguments.settle)
        processes = {key: psutil.Process(server.pid) for key, server in servers.items()}
        before, began = {key: _cpu(process) for key, process in processes.items()}, time.monotonic()
        time.sleep(seconds)
        after, rounds = (
            {key: _cpu(process) for key, process in processes.items()},
            (time.monotonic() - began) / interval,
        )
        memory = {key: process.memory_info().rss / 2**20 for key, process in processes.items()}
    taken = {key: (after[key] - before[key]) / rounds for key in servers}
    return [
        Measured(
            name=one.name,
            interval=interval,
            rounds=rounds,
            whole=taken[one.name, False],
            idle=taken[one.name, True],
            metrics=told[one.name],
            rss_mib=memory[one.name, False],
        )
        for one in everyone
    ]


def _cpu(process: psutil.Process) -> float:
    """Seconds that it took so far, on all its threads, in user and in system mode."""
    times = process.cpu_times()
    return float(times.user + times.system)


def table(results: Sequence[Measured]) -> str:
    """For people: ratios are the agent's advantage, above 1 it is ahead."""
    rows = [
        f"{'':11}{'every':>7}{'ratio':>8}{'net ratio':>11}{'a metric':>10}{'ms':>8}{'net ms':>8}{'metrics':>9}{'RSS MiB':>9}"
    ]
    for one in results:
        (ours,) = [
            other for other in results if (other.name, other.interval) == (results[0].name, one.interval)
        ]
        rows.append(
            f"{one.name:11}{one.interval:>6g}s{_over(one.whole, ours.whole)}{_over(one.net, ours.net):>11}"
            f"{_over(one.net / one.metrics, ours.net / ours.metrics):>10}"
            f"{one.whole * 1000:>8.2f}{one.net * 1000:>8.2f}{one.metrics:>9.0f}{one.rss_mib:>9.0f}"
        )
    known: Mapping[str, Contender] = {one.name: one for one in EVERYONE}
    rows += ["", *(f"{name:11}{known[name].what}" for name in dict.fromkeys(one.name for one in results))]
    return "\n".join(rows)


def _over(theirs: float, ours: float) -> str:
    return f"{theirs / ours:>8.2f}" if ours > 0 else f"{'-':>8}"


def main() -> None:
    arguments = parse_arguments()
    chosen = [one for one in EVERYONE if not arguments.only or one.name in arguments.only]
    for absent in [one for one in chosen if one.missing()]:
        print(f"{absent.name} is not built: left out (bench/peers/build {absent.name})", file=sys.stderr)
        chosen.remove(absent)
    if not chosen:
        raise SystemExit("error: nobody to run")
    busy, began = busy_seconds(), time.monotonic()
    results: list[Measured] = []
    for interval in arguments.intervals:
        with tempfile.TemporaryDirectory(prefix="yaat-bench-") as name:
            results += watched(chosen, interval, arguments, Path(name))
    cores = (busy_seconds() - busy) / (time.monotonic() - began)
    print(table(results))
    options = {name: getattr(arguments, name) for name in ("intervals", "seconds", "rounds", "settle")}
    document: dict[str, Any] = report.header("hostmetrics", options) | {
        "busy_cores": cores,
        "results": [attrs.asdict(one) | {"net": one.net} for one in results],
    }
    print(f"\nsaved to {report.save(document, arguments.results)}")


if __name__ == "__main__":
    main()
