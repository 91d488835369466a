from __future__ import annotations

from pathlib import Path

import pytest
from support.rig import Rig


@pytest.fixture
async def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)
