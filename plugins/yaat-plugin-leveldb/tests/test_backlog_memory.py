"""A backlog of a GiB is opened and read to its end in memory that does not depend on how much waits.

YAAT_BACKLOG_MIB=10240 pytest plugins/yaat-plugin-leveldb/tests/test_backlog_memory.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MiB = 2**20
SIZE = int(os.environ.get("YAAT_BACKLOG_MIB", "1024")) * MiB
DRAINER = Path(__file__).with_name("drainer.py")


@pytest.mark.faults
def test_a_backlog_opens_and_drains_in_bounded_memory(make_rig: Callable[..., Any], tmp_path: Path) -> None:
    rig = make_rig(tmp_path, write_buffer=8 * MiB)
    rig.open()
    write = rig.write(250, 2048)
    while rig.queue.state().total_bytes < SIZE:
        rig.queue.append(write)
    tail = rig.queue.state().tail
    rig.queue.close()

    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(DRAINER), str(tmp_path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=True)
    told = json.loads(done.stdout)

    assert told["events"] == tail
    assert told["opened"]["rss"] - told["before"]["rss"] < 48
    # What is read: 8 MiB of events twice, as bytes and as columns.
    assert told["drained"]["anon"] - told["before"]["anon"] < 80
    # LevelDB maps the tables that it reads, at most 64 of them.
    assert told["drained"]["rss"] - told["before"]["rss"] < 200
