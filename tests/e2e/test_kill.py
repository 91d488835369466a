"""SIGKILL at random moments while files are written and rotated: every line is in the database once."""

from __future__ import annotations

import json
import os
import random
import threading
import time
from pathlib import Path

import pytest
from support.agents import AgentProcess, check_accounting, check_once_each

CONFIG = """
version: 1
state_dir: state
service_name: oracle
sources:
  app: {{type: file, paths: ["logs/*.log*"], start_at: beginning, format: {format}}}
processors:
  - {{type: scrub, detectors: [secrets]}}
sinks:
  local: {{type: duckdb}}
health: {{listen: "off"}}
"""


class Writer(threading.Thread):
    """Writes numbered lines into two files, and rotates them by rename."""

    def __init__(self, folder: Path, lines: int, seed: int) -> None:
        super().__init__(daemon=True)
        self.folder, self.lines, self.random = folder, lines, random.Random(seed)
        self.written: list[str] = []

    def run(self) -> None:
        files = {name: open(self.folder / f"{name}.log", "ab", buffering=0) for name in ("a", "b")}
        for number in range(self.lines):
            name = self.random.choice("ab")
            text = f"{name} {number} " + "x" * self.random.randrange(200)
            files[name].write((json.dumps({"level": "info", "message": text}) + "\n").encode())
            self.written.append(text)
            if self.random.random() < 0.002:
                path = self.folder / f"{name}.log"
                os.rename(path, self.folder / f"{name}.log.{number}")
                files[name].close()
                files[name] = open(path, "ab", buffering=0)
            if number % 50 == 0:
                time.sleep(0.01)
        for file in files.values():
            file.close()


def campaign(folder: Path, *, kills: int, lines: int, seed: int) -> None:
    (folder / "logs").mkdir()
    config = folder / "yaat.yaml"
    config.write_text(CONFIG.format(format="json"))
    writer = Writer(folder / "logs", lines, seed)
    chance = random.Random(seed)
    writer.start()
    for _ in range(kills):
        with AgentProcess(config) as agent:
            agent.start()
            # Some die while they start, or recover from the kill before.
            time.sleep(chance.choice((0.1, 0.6, 0.6)) + min(3.0, chance.expovariate(1.2)))
            agent.kill()
    writer.join()
    with AgentProcess(config) as agent:
        agent.start()
        agent.wait_for(lines)
        assert agent.terminate() == 0
        check_once_each(agent, writer.written)
        check_accounting(agent, lines)


def test_a_few_kills(tmp_path: Path) -> None:
    campaign(tmp_path, kills=3, lines=6_000, seed=1)


@pytest.mark.faults
def test_twenty_kills(tmp_path: Path) -> None:
    campaign(tmp_path, kills=20, lines=60_000, seed=int(os.environ.get("YAAT_SEED", "7")))
