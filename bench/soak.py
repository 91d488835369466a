#!/usr/bin/env python3
"""The agent under steady load for a while: files rotate, the process is killed now and then, every line is counted.

    make soak SECONDS=600
    make soak KILLS=1000
    python bench/soak.py --seconds 60 --rate 20000 --kill-every 15

With a number of kills they come about a second apart, many of them while the agent starts or recovers from the one
before. Ends with 0 when every line written is in the database exactly once, and the agent's sums say the same.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

YAAT = Path(sys.executable).with_name("yaat")
ROTATE_LINES = 100_000
KEPT = 20
SETTLE_SECONDS = 60.0

CONFIG = """\
version: 1
service_name: soak
state_dir: state
health: {listen: "off"}
sources:
  app: {type: file, paths: ["logs/app.log*"], start_at: beginning, format: json}
processors:
  - {type: scrub, detectors: [secrets, email]}
queue: {type: leveldb}
sinks:
  local: {type: duckdb, path: events.duckdb}
"""


class Writer:
    """Writes numbered JSON lines at a rate, and rotates by rename."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.written = 0
        self.file = (folder / "app.log").open("w", encoding="utf-8")

    def write(self, count: int) -> None:
        """``count`` more lines, a rotation when it is time."""
        for _ in range(count):
            self.file.write(
                f'{{"level":"info","message":"line {self.written} of the soak, user{self.written}@example.com"}}\n'
            )
            self.written += 1
            if self.written % ROTATE_LINES == 0:
                self._rotate()
        self.file.flush()

    def _rotate(self) -> None:
        self.file.close()
        for number in range(KEPT, 0, -1):
            older = self.folder / f"app.log.{number}"
            if older.exists():
                older.rename(self.folder / f"app.log.{number + 1}")
        (self.folder / "app.log").rename(self.folder / "app.log.1")
        self.file = (self.folder / "app.log").open("w", encoding="utf-8")


class Agent:
    """`yaat run`, killed and started again; remembers the most memory that it took."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "yaat.yaml"
        self.config.write_text(CONFIG, encoding="utf-8")
        self.log = (folder / "agent.log").open("ab")
        self.kills = 0
        self.max_rss_mib = 0.0
        self.start()

    def start(self) -> None:
        command = [str(YAAT), "run", "-c", str(self.config)]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def kill(self) -> None:
        """SIGKILL and a new start."""
        self.process.kill()
        self.process.wait()
        self.kills += 1
        self.start()

    def look(self) -> None:
        """Note its memory.

        Raises:
            RuntimeError: it ended by itself.
        """
        if self.process.poll() is not None:
            raise RuntimeError(f"the agent ended with {self.process.returncode}: see {self.log.name}")
        for line in Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS:"):
                self.max_rss_mib = max(self.max_rss_mib, int(line.split()[1]) / 1024)

    def balanced(self, written: int) -> bool:
        """Do its sums agree with what was written?"""
        command = [str(YAAT), "diagnose", "-c", str(self.config), "--json"]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        accounting = json.loads(answer.stdout)["accounting"]
        sink = accounting["by_sink"]["local"]
        fates = [sink[fate] for fate in ("delivered", "queued", "dead", "dropped", "lost")]
        return (
            bool(accounting["balanced"])
            and accounting["accepted"] == written
            and fates == [written, 0, 0, 0, 0]
        )

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.terminate()
        return self.process.wait(timeout=60)

    def stored(self) -> tuple[int, int]:
        """Rows, and distinct messages."""
        sql = "SELECT count(*) AS n, count(DISTINCT message) AS d FROM events"
        command = [str(YAAT), "query", "-c", str(self.config), sql, "--format", "json"]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if answer.returncode != 0:
            return 0, 0
        (row,) = json.loads(answer.stdout)
        return row["n"], row["d"]


def load(agent: Agent, writer: Writer, arguments: argparse.Namespace) -> None:
    """Write at the rate until the time is over or the kills are done; they come at random moments."""
    rng = random.Random(arguments.seed)

    def pause() -> float:
        every = arguments.kill_every
        return (
            min(rng.expovariate(1 / every), 5 * every) if arguments.kills else rng.uniform(0.5, 1.5) * every
        )

    began = time.monotonic()
    next_kill = began + pause()
    while (elapsed := time.monotonic() - began) < arguments.seconds:
        writer.write(max(0, min(int(elapsed * arguments.rate) - writer.written, arguments.rate)))
        agent.look()
        if arguments.kills and agent.kills >= arguments.kills:
            return
        if arguments.kill_every and time.monotonic() > next_kill:
            agent.kill()
            next_kill = time.monotonic() + pause()
        time.sleep(0.05)


def settle(agent: Agent, written: int) -> tuple[int, int]:
    """Wait until everything is stored, or for `SETTLE_SECONDS`; what is stored then."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while (found := agent.stored()) != (written, written) and time.monotonic() < deadline:
        agent.look()
        time.sleep(0.5)
    return found


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, help="how long to write at most (60; with --kills: no end)")
    parser.add_argument("--kills", type=int, default=0, help="kill so often, then end")
    parser.add_argument("--rate", type=int, help="lines a second (10000; with --kills: 2000)")
    parser.add_argument(
        "--kill-every", type=float, help="seconds between kills, about; 0: none (15; with --kills: 1.5)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the kills (1)")
    given = parser.parse_args()
    usual = (math.inf, 2_000, 1.5) if given.kills else (60.0, 10_000, 15.0)
    for name, value in zip(("seconds", "rate", "kill_every"), usual, strict=True):
        if getattr(given, name) is None:
            setattr(given, name, value)
    return given


def main() -> int:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="yaat-soak-") as name:
        folder = Path(name)
        writer, agent = Writer(folder / "logs"), Agent(folder)
        try:
            load(agent, writer, arguments)
            rows, distinct = settle(agent, writer.written)
            balanced = agent.balanced(writer.written)
            code = agent.stop()
        finally:
            agent.process.kill()
    print(
        f"written {writer.written}, stored {rows}, distinct {distinct}, kills {agent.kills}, "
        f"most memory {agent.max_rss_mib:.0f} MiB, sums {'agree' if balanced else 'DO NOT AGREE'}, "
        f"exit code after SIGTERM {code}"
    )
    return 0 if rows == distinct == writer.written and balanced and code == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
