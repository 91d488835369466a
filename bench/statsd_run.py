#!/usr/bin/env python3
"""StatsD over UDP (and Unix datagrams): the highest rate that gets through without loss, and CPU for a million packets.

    bench/peers/build statsd telegraf
    make bench-statsd
    make bench-statsd BENCH_ARGS="--seconds 2 --rates 10000 20000"

How to read the table: bench/README.md.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

import report
from measure import Run
from statsd_servers import Agent, AgentQueue, AgentUnix, Etsy, Receiver, Telegraf, drops

HERE = Path(__file__).resolve().parent
#: The search for the highest rate ends when it is known to this part of it.
_NEAR = 0.1
RATES = (10_000, 20_000, 30_000, 40_000, 60_000, 80_000, 100_000, 125_000, 150_000, 200_000)


@attrs.frozen(kw_only=True)
class Trial:
    """One contender at one rate. Losses are those of the counts that came out against those that were sent."""

    rate: float
    sent: int
    wanted: int
    received: float
    kernel_drops: int
    run: Run

    @property
    def lost(self) -> float:
        """Part of the counts that did not come out."""
        return 1 - self.received / self.wanted if self.wanted else 0.0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rates", type=int, nargs="+", default=RATES, help="datagrams a second, ascending")
    parser.add_argument("--seconds", type=float, default=5, help="how long each trial sends (5)")
    parser.add_argument("--rounds", type=int, default=3, help="trials at the lowest rate, for CPU time (3)")
    parser.add_argument("--only", nargs="*", help="names of contenders to run")
    parser.add_argument("--results", type=Path, default=HERE / "results", help="where the JSON goes")
    return parser.parse_args()


def trial(receiver: Receiver, rate: float, seconds: float) -> Trial:
    """Start it, send, stop it, count."""
    with tempfile.TemporaryDirectory(prefix="yaat-bench-") as name:
        with receiver.serving(Path(name)) as place:
            command = [sys.executable, str(HERE / "statsd_sender.py"), place, str(rate), str(seconds)]
            done = subprocess.run(command, check=True, capture_output=True)
            lost = drops(place) or 0
        assert receiver.run is not None
        told = json.loads(done.stdout)
        return Trial(
            rate=told["rate"],
            sent=told["sent"],
            wanted=told["counters"],
            received=receiver.received,
            kernel_drops=lost,
            run=receiver.run,
        )


def climb(receiver: Receiver, rates: Sequence[int], seconds: float) -> list[Trial]:
    """One rate after the other, until something is lost or the sender can't go faster; then between the last two."""
    trials: list[Trial] = []
    good, bad = 0.0, 0.0
    for rate in rates:
        one = attempt(receiver, rate, seconds, trials)
        if one.lost <= 0 and one.rate < 0.9 * rate:  # the sender fell behind: was it something else that ran?
            one = attempt(receiver, rate, seconds, trials)
        if one.lost > 0:
            bad = rate
            break
        good = one.rate
        if one.rate < 0.9 * rate:
            break
    while bad and bad - good > _NEAR * bad:
        middle = (good + bad) / 2
        if attempt(receiver, middle, seconds, trials).lost > 0:
            bad = middle
        else:
            good = middle
    return trials


def attempt(receiver: Receiver, rate: float, seconds: float, trials: list[Trial]) -> Trial:
    """A trial, remembered and told."""
    one = trial(receiver, rate, seconds)
    trials.append(one)
    say(f"{receiver.name} {one.rate:,.0f}/s lost {one.lost:.2%}; ")
    return one


def say(text: str) -> None:
    """Progress, on stderr."""
    print(text, end="", file=sys.stderr, flush=True)


def measured(receiver: Receiver, arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything of one contender."""
    idle = trial(receiver, 1, 1.0)
    steady = [trial(receiver, arguments.rates[0], arguments.seconds) for _ in range(arguments.rounds)]
    trials = climb(receiver, arguments.rates, arguments.seconds)
    cpu = [(one.run.cpu_seconds - idle.run.cpu_seconds) / one.sent * 1e6 for one in steady]
    return {
        "name": receiver.name,
        "what": receiver.what,
        "highest_rate_without_loss": max((one.rate for one in trials if one.lost <= 0), default=0.0),
        "sender_was_the_limit": all(one.lost <= 0 for one in trials),
        "cpu_seconds_per_million": statistics.median(cpu),
        "max_rss_mib": max(one.run.max_rss_mib for one in [*steady, *trials]),
        "others": max(one.run.others for one in [*steady, *trials]),
        "trials": [attrs.asdict(one) for one in [idle, *steady, *trials]],
    }


def table(results: Sequence[dict[str, Any]]) -> str:
    """For people: ratios are the agent's advantage, above 1 it is ahead."""
    ours = results[0]
    rows = [f"{'':11}{'rate ratio':>11}{'CPU ratio':>11}{'k/s':>7}{'CPU s/M':>9}{'RSS MiB':>9}{'others':>8}"]
    for one in results:
        rate, cpu = one["highest_rate_without_loss"], one["cpu_seconds_per_million"]
        more = "+" if one["sender_was_the_limit"] else " "
        rows.append(
            f"{one['name']:11}{ours['highest_rate_without_loss'] / rate if rate else float('inf'):>11.2f}"
            f"{cpu / ours['cpu_seconds_per_million']:>11.2f}{rate / 1000:>6.0f}{more}{cpu:>9.1f}"
            f"{one['max_rss_mib']:>9.0f}{one['others']:>8.2f}"
        )
    rows += ["", *(f"{one['name']:11}{one['what']}" for one in results)]
    rows += ["", "+: nothing was lost at the highest rate that the sender reached"]
    return "\n".join(rows)


def main() -> None:
    arguments = parse_arguments()
    everyone: list[Receiver] = [Agent(), AgentUnix(), AgentQueue(), Etsy(), Telegraf()]
    chosen = [one for one in everyone if not arguments.only or one.name in arguments.only]
    for absent in [one for one in chosen if not one.available()]:
        print(f"{absent.name} is not built: left out (bench/peers/build {absent.name})", file=sys.stderr)
        chosen.remove(absent)
    results = [measured(one, arguments) for one in chosen]
    say("\n")
    print(table(results))
    options = {name: getattr(arguments, name) for name in ("rates", "seconds", "rounds")}
    document = report.header("statsd", options) | {"results": results}
    print(f"\nsaved to {report.save(document, arguments.results)}")


if __name__ == "__main__":
    main()
