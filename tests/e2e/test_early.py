"""SIGTERM while the agent still starts: it ends as any other run does."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.agents import wait_until
from support.scenario import Scenario

from yaat_core.cli.entry import _is_agent

#: Loading it takes a while, and shows when it has begun.
SLOW = '''
"""A plugin that takes long to load."""
import time
from pathlib import Path

from yaat_core import hookimpl

(Path(__file__).parent.parent / "loading").touch()
time.sleep(2)


@hookimpl
def register_components(register):
    pass
'''


def test_told_to_stop_while_it_starts(tmp_path: Path) -> None:
    run = Scenario(tmp_path)
    run.plugin("slow", SLOW)
    run.write(50)
    with run.agent().start() as agent:
        assert agent.process is not None
        wait_until((tmp_path / "loading").exists, what=agent.log())
        agent.process.send_signal(signal.SIGTERM)
        assert agent.process.wait(120) == 0, agent.log()[-3000:]
    run.settle()


#: `yaat run`, told to stop as soon as it imports anything.
TOLD = """
import os, signal, sys

class Told:
    asked = False

    def find_spec(self, name, path=None, target=None):
        if name == "click" and not self.asked:
            self.asked = True
            os.kill(os.getpid(), signal.SIGTERM)

sys.meta_path.insert(0, Told())
from yaat_core.cli.entry import main
main()
"""


def test_told_to_stop_before_anything_is_imported(tmp_path: Path) -> None:
    run = Scenario(tmp_path)
    run.write(50)
    command = [sys.executable, "-c", TOLD, "run", "-c", str(run.config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "stopping: what is on its way" in done.stderr
    run.settle()


@pytest.mark.parametrize(
    ("line", "agent"),
    [
        ("run", True),
        ("-c yaat.yaml --color never run", True),
        ("run --log-level debug", True),
        ("run --once", False),
        ("-c run query", False),
        ("query run", False),
        ("--help", False),
        ("", False),
    ],
)
def test_only_the_agent_remembers_signals(line: str, *, agent: bool) -> None:
    assert _is_agent(line.split()) == agent
