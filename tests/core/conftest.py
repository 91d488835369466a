from __future__ import annotations

from pathlib import Path

import pytest
from support.letters import Site, Stable
from support.rig import Rig


@pytest.fixture
async def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


@pytest.fixture
async def site(rig: Rig, tmp_path: Path) -> Site:
    lane, sink = rig.lane("a"), Stable()
    rig.worker(lane, sink)
    await rig.write([f"m{n}{' bad' if n in (2, 6) else ''}" for n in range(10)])
    async with rig.running():
        await rig.until_empty(lane)
    site = Site(rig, lane, sink, tmp_path / "dead" / "sinks.a")
    assert site.account() == (8, 0, 2, 0, 0)
    sink.ids.clear()
    return site
