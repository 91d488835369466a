"""SIGTERM while the agent still starts: it ends as any other run does."""

from __future__ import annotations

import signal
from pathlib import Path

from support.agents import wait_until
from support.scenario import Scenario

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
