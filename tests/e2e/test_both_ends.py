"""Agent and gateway killed at random, both ends: every line is in the gateway's database exactly once."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest
from support.agents import check_accounting, check_once_each, wait_until
from support.both_ends import PATIENCE, BothEnds

#: More of them by `make soak-gateway KILLS=500`.
KILLS = int(os.environ.get("KILLS") or 10)


@pytest.mark.faults
@pytest.mark.timeout(600 + 20 * KILLS)
def test_every_line_arrives_once_whoever_is_killed(tmp_path: Path) -> None:
    with BothEnds(tmp_path) as ends:
        ends.progress(50)
        for kill in range(KILLS):
            time.sleep(random.expovariate(1.0))
            ends.kill_one()
            if kill % 4 == 3:  # the others meet processes that are only just starting
                ends.progress(50)
        ends.finish()
        check_once_each(ends.gateway, ends.lines)
        wait_until(lambda: _delivered(ends) == len(ends.lines), seconds=PATIENCE, what="the agent knows it")
        check_accounting(ends.agent, len(ends.lines))
        check_accounting(ends.gateway, len(ends.lines))
        tags = ends.gateway.query(
            "SELECT DISTINCT tags['yaat.source'] AS s, tags['host.name'] AS h FROM events"
        )
        assert [row["s"] for row in tags] == ["sources.app"]


def _delivered(ends: BothEnds) -> int:
    accounting = ends.agent.try_diagnose().get("accounting", {})
    return int(accounting.get("by_sink", {}).get("cloud", {}).get("delivered", -1))
