"""A `Context` for tests."""

from __future__ import annotations

import logging
from pathlib import Path

from yaat_core.components import ComponentId, Context
from yaat_core.stats import ComponentStats, Stats


def make_context(folder: Path, component: str, *, once: bool = False, stats: Stats | None = None) -> Context:
    """A context whose state lies in ``folder/state`` and whose configuration would lie in ``folder``."""
    state_dir = Path(folder) / "state"
    state_dir.mkdir(mode=0o700, exist_ok=True)
    return Context(
        id=ComponentId.parse(component),
        agent_id=b"test-agent-00001",
        host_name="testhost",
        state_dir=state_dir,
        config_dir=Path(folder),
        stats=ComponentStats(stats or Stats(), component),
        log=logging.getLogger(f"yaat.{component}"),
        once=once,
    )
