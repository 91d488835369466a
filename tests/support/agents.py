"""The agent as a real process, and an oracle: what was written to the files against what the database has."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs

YAAT = [sys.executable, "-m", "yaat_core.cli"]


def yaat(*arguments: str, timeout: float = 60, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*YAAT, *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, **environ},
        check=False,
    )


def yaat_json(*arguments: str, **environ: str) -> Any:
    """Run a command with ``--json`` and give its document."""
    done = yaat(*arguments, "--json", **environ)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def wait_until(condition: Callable[[], bool], *, seconds: float = 60, what: str = "") -> None:
    """Look again and again, for things outside this process."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


@attrs.define(eq=False)
class AgentProcess:
    """`yaat run` on a configuration file; its messages go to ``agent.log`` beside the file."""

    config: Path
    environ: Mapping[str, str] = attrs.field(factory=dict)
    prefix: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str) -> AgentProcess:
        with open(self.config.parent / "agent.log", "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, *YAAT, "run", "-c", str(self.config), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environ},
            )
        return self

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process
        self.process.kill()
        self.process.wait()

    def terminate(self, *, seconds: float = 60) -> int:
        """SIGTERM, and the exit code."""
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def log(self) -> str:
        return (self.config.parent / "agent.log").read_text(errors="replace")

    def __enter__(self) -> AgentProcess:
        return self

    def __exit__(self, *_: object) -> None:
        if self.running():
            self.kill()

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Rows, from the running agent or from the database itself."""
        rows = yaat_json("query", "-c", str(self.config), sql, **self.environ)
        assert isinstance(rows, list), rows
        return rows

    def try_count(self) -> int:
        """How many events the database has; -1 while nobody can tell."""
        done = yaat(
            "query", "-c", str(self.config), "SELECT count(*) AS n FROM events", "--json", **self.environ
        )
        try:
            return int(json.loads(done.stdout)[0]["n"])
        except (ValueError, LookupError, TypeError):
            return -1

    def wait_for(self, count: int, *, seconds: float = 120) -> None:
        wait_until(
            lambda: self.try_count() >= count, seconds=seconds, what=f"{count} events\n{self.log()[-3000:]}"
        )

    def diagnose(self) -> dict[str, Any]:
        document = yaat_json("diagnose", "--offline", "-c", str(self.config), **self.environ)
        assert isinstance(document, dict)
        return document

    def try_diagnose(self) -> dict[str, Any]:
        """As `diagnose`; empty while the agent can't be asked."""
        done = yaat("diagnose", "--offline", "-c", str(self.config), "--json", **self.environ)
        try:
            document = json.loads(done.stdout)
        except ValueError:
            return {}
        return document if isinstance(document, dict) and document.get("running") else {}


def check_once_each(agent: AgentProcess, written: list[str], *, column: str = "message") -> None:
    """Every line is in the database, once, with its own event_id: nothing lost, nothing twice."""
    rows = agent.query(f"SELECT {column} AS line, event_id FROM events")
    got = Counter(row["line"] for row in rows)
    wanted = Counter(written)
    lost, extra = wanted - got, got - wanted
    assert not lost, f"{sum(lost.values())} lost, such as {list(lost)[:3]}\n{agent.log()[-3000:]}"
    assert not extra, f"{sum(extra.values())} too many, such as {list(extra)[:3]}\n{agent.log()[-3000:]}"
    assert len({row["event_id"] for row in rows}) == len(rows)


def check_accounting(agent: AgentProcess, accepted: int) -> None:
    """The equations of the accounting hold, and agree with what the oracle knows."""
    document = agent.diagnose()["accounting"]
    assert document["balanced"], document
    assert document["accepted"] == accepted, document
    for sink in document["by_sink"].values():
        fates = ("delivered", "queued", "dead", "dropped", "lost")
        assert sink["accepted"] == sum(sink[fate] for fate in fates), document
        assert sink["lost"] == 0, document
