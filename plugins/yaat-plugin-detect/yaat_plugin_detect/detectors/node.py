"""Node programs: files that they hold open, and what pm2 writes for them (https://pm2.keymetrics.io/docs/usage/log-management/)."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator
from typing import Final

from yaat_core.detection import Detection, Log, Machine, Process
from yaat_plugin_detect.looking import count, listening, told, words

_PM2: Final = re.compile(r"PM2 v[\d.]+: God Daemon \((/[^)]*)\)")


def find(machine: Machine) -> Iterator[Detection]:
    """pm2's daemons, then programs that run without it."""
    for process in machine.processes:
        daemon = _PM2.match(" ".join(process.command))
        if daemon:
            folder = os.path.normpath(daemon[1])
            yield Detection(
                service="pm2",
                what="Node programs under pm2",
                evidence=[told(process), f"its folder is {folder}"],
                logs=[
                    Log(
                        path=f"{glob.escape(folder)}/logs/*.log",
                        pattern=True,
                        multiline="node",
                        uid=process.uid,
                    )
                ],
            )
    groups: dict[tuple[str, int], list[Process]] = {}
    for process in machine.processes:
        given = words(process)
        if os.path.basename(given[0]) in ("node", "nodejs") and len(given) > 1:
            groups.setdefault((process.folder, process.uid), []).append(process)
    for (folder, uid), running in groups.items():
        logs = dict.fromkeys(path for one in running for path in machine.open_logs(one.pid))
        where = [f"working directory {folder}"] if folder else []
        yield Detection(
            service="node",
            what=f"Node, {count(len(running), 'process', 'processes')}",
            evidence=[told(running[0]), *where, *listening(machine, running)],
            logs=[Log(path=path, multiline="node", uid=uid) for path in logs],
        )
