"""A process that opens a queue, reads it to its end and prints what that took: the child of a test of memory.

    drainer.py FOLDER

Prints one JSON object: ``before``, ``opened`` and ``drained`` are ``{"rss": MiB, "anon": MiB}``, the resident set and the
part of it that is no file; those of ``drained`` are the highest while it read. ``events`` is how many it read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from yaat_core.config.options import Size
from yaat_core.memory import before_imports, bound_allocators
from yaat_core.testing import make_context
from yaat_plugin_leveldb.config import LevelDBConfig
from yaat_plugin_leveldb.queue import LevelDBQueue

MiB = 2**20
NAMES = {"VmRSS:": "rss", "RssAnon:": "anon"}


def main() -> None:
    queue = LevelDBQueue(LevelDBConfig(reserve=Size(0)), make_context(Path(sys.argv[1]), "queue"))
    told: dict[str, object] = {"before": resident()}
    assert list(queue.open()) == []
    told["opened"] = resident()
    after, most = 0, resident()
    while records := queue.read(after, max_rows=30_000, max_bytes=8 * MiB):
        after = records[-1].last
        now = resident()
        most = {name: max(most[name], now[name]) for name in most}
    told |= {"drained": most, "events": after}
    queue.close()
    print(json.dumps(told))


def resident() -> Mapping[str, float]:
    lines = [line.split() for line in Path("/proc/self/status").read_text().splitlines()]
    return {NAMES[words[0]]: int(words[1]) / 1024 for words in lines if words and words[0] in NAMES}


before_imports()
bound_allocators()
main()
