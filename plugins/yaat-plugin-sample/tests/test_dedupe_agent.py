"""Repetitions, as an agent stores them: the count comes by itself at the end, and is in the accounting."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.agents import AgentProcess, check_accounting, wait_until

CONFIG = """\
state_dir: state
health: {{listen: "off"}}
sources: {{app: {{type: file, paths: [app.log]}}}}
processors:
  - {{type: dedupe, window: {window}}}
  - {{type: filter, drop: "message = 'hidden'"}}
"""
SQL = "SELECT message, tags['dedupe.repeated'] AS repeated, event_id FROM events ORDER BY message, repeated NULLS FIRST"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "yaat.yaml"
    path.write_text(CONFIG.format(window="1h"))
    (tmp_path / "app.log").write_text("again\n" * 5 + "once\n" + "hidden\n" * 3)
    return path


def check(rows: list[dict[str, str]]) -> None:
    found = [(row["message"], row["repeated"]) for row in rows]
    assert found == [("again", None), ("again", "4"), ("once", None)]
    assert len({row["event_id"] for row in rows}) == 3


def test_a_window_that_ends_and_the_accounting(config: Path) -> None:
    config.write_text(CONFIG.format(window="1s"))
    with AgentProcess(config) as agent:
        agent.start()
        wait_until(lambda: agent.try_count() >= 3, what="the count comes by itself")
        check(agent.query(SQL))
        check_accounting(agent, 3)
        accounting = agent.diagnose()["accounting"]
        assert accounting["read"] == 9 + 2
        assert accounting["dropped_before_queue"] == {"dedupe/repeated": 6, "filter/filter": 2}


def test_sigterm_loses_no_count(config: Path) -> None:
    with AgentProcess(config) as agent:
        agent.start()
        wait_until(lambda: agent.try_count() >= 2, what="the lines are read")
        assert agent.terminate() == 0
        check(agent.query(SQL))
