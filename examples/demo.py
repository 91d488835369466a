#!/usr/bin/env python3
"""What `make demo` runs: a shop writes logs, the agent reads along and is killed half-way, SQL answers.

python examples/demo.py [--seconds 8]
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PLACE = ROOT / ".demo"
CONFIG = HERE / "demo.yaml"
YAAT = Path(sys.executable).with_name("yaat")

ANSWERS = [
    ("Errors per minute by service", "errors_per_minute.sql"),
    ("Slowest endpoints", "slowest_endpoints.sql"),
    ("What was hidden before it reached the disk", "redacted.sql"),
]


class DemoFailed(Exception):
    """Something did not work; the text says what."""


class Agent:
    """`yaat run` as a process of its own."""

    process: subprocess.Popen[bytes]

    def __init__(self) -> None:
        self.log = PLACE / "agent.log"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Leaves no agent behind, whatever happened."""
        if self.process.poll() is None:
            self.kill()

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self.log.open("ab") as log:
            command = [str(YAAT), "run", "-c", str(CONFIG)]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while yaat("status", "--fail-on", "never").returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise DemoFailed(f"the agent did not come up; it said:\n{self.said()}")
            time.sleep(0.2)

    def kill(self) -> None:
        """As the kernel does when memory is short: no chance to tidy up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Ask it to drain and end."""
        self.process.terminate()
        if self.process.wait(timeout=30) != 0:
            raise DemoFailed(f"the agent ended with {self.process.returncode}; it said:\n{self.said()}")

    def said(self) -> str:
        """The end of its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-3000:]


def yaat(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """One `yaat` command on the demo's configuration, with ``typed`` on its stdin."""
    command = [str(YAAT), arguments[0], "-c", str(CONFIG), *arguments[1:]]
    return subprocess.run(command, input=typed, capture_output=True, text=True, timeout=60, check=False)


def ask(sql: str, form: str = "table") -> str:
    """What `yaat query` prints."""
    answer = yaat("query", "-", "--format", form, typed=sql)
    if answer.returncode != 0:
        raise DemoFailed(f"yaat query failed:\n{answer.stderr}")
    return answer.stdout.rstrip()


def stored() -> dict[str, int]:
    """Rows in the database by service."""
    rows: list[dict[str, Any]] = json.loads(
        ask("SELECT service_name, count(*) AS n FROM events GROUP BY ALL", "json")
    )
    return {row["service_name"]: row["n"] for row in rows}


def wait_for(written: dict[str, int]) -> None:
    """Until the database has every event that was written, and not one more."""
    began = time.monotonic()
    while (rows := stored()) != written:
        if time.monotonic() - began > 30:
            raise DemoFailed(f"written {written}, but after 30 s the database has {rows}")
        time.sleep(0.2)


def say(text: str) -> None:
    print(text, flush=True)


def demo(seconds: float) -> None:
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir()
    say("» starting the agent on examples/demo.yaml: LevelDB and DuckDB inside, no account, no server")
    with Agent() as agent:
        say(
            f"» a small shop writes logs for {seconds:g} s: nginx, JSON, Python with tracebacks, secrets among them"
        )
        command = [
            sys.executable,
            str(HERE / "demo_app.py"),
            "--out",
            str(PLACE / "logs"),
            "--seconds",
            str(seconds),
        ]
        app = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        time.sleep(seconds / 2)
        say("» half-way: kill -9, and start it again")
        agent.kill()
        agent.start()
        output, _ = app.communicate(timeout=seconds + 60)
        written = json.loads(output)
        wait_for(written)
        total = sum(written.values())
        say(f"» {total:,} events written, {total:,} in the database: none lost, none twice")
        for title, name in ANSWERS:
            say(f"\n{title}   (examples/queries/{name})")
            say(ask((HERE / "queries" / name).read_text(encoding="utf-8")))
        agent.stop()
    say(next_steps())


def next_steps() -> str:
    return """
What next
  ask on           .venv/bin/yaat query -c examples/demo.yaml "SELECT * FROM logs WHERE level = 'error' LIMIT 5"
  your own logs    .venv/bin/yaat run -c examples/own-logs.yaml      (Ctrl-C stops it; the paths are in that file)
  ... and then     .venv/bin/yaat query -c examples/own-logs.yaml "SELECT level, count(*) FROM logs GROUP BY level"
  read             README.md, docs/configuration.md, docs/guarantees.md"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=8, help="how long the shop writes (8)")
    seconds = parser.parse_args().seconds
    try:
        demo(seconds)
    except DemoFailed as failure:
        print(f"the demo failed: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
