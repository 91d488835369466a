"""Who runs in the benchmark: each is told a file of JSON lines and an empty folder, runs as a process, is checked after."""

from __future__ import annotations

from contenders.agent import Agent, AgentQueue
from contenders.base import Contender
from contenders.first import FirstAgent
from contenders.otelcol import Otelcol
from contenders.statement import Statement
from contenders.syslogs import Rsyslog, SyslogNg

__all__ = ["Contender", "everyone"]


def everyone() -> list[Contender]:
    """All of them; ratios are against the first."""
    return [
        Agent(),
        Statement(),
        AgentQueue(),
        Rsyslog(),
        SyslogNg(),
        Otelcol(synced=False),
        Otelcol(synced=True),
        FirstAgent(),
    ]
