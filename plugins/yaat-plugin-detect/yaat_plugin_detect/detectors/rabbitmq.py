"""RabbitMQ: its folder of logs (https://www.rabbitmq.com/docs/logging)."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator

from yaat_core.detection import Detection, Log, Machine
from yaat_plugin_detect.looking import absolute, listening, told
from yaat_plugin_detect.words import settings

_FOLDER = "/var/log/rabbitmq"
_CONFIG = "/etc/rabbitmq/rabbitmq.conf"


def find(machine: Machine) -> Iterator[Detection]:
    """A broker that runs, or its folder of logs."""
    running = [
        one for one in machine.processes if one.name.startswith("beam") and "rabbit" in " ".join(one.command)
    ]
    if not running and not machine.exists(_FOLDER):
        return
    uid = running[0].uid if running else machine.owner(_FOLDER) or 0
    known = dict(settings(machine.read(_CONFIG, uid=uid) or ""))
    folder = absolute(known.get("log.dir", _FOLDER), "/")
    match = re.search(r"-rabbit log_base \"(/[^\"]+)\"", " ".join(running[0].command)) if running else None
    folder = match[1] if match else folder
    yield Detection(
        service="rabbitmq",
        what="RabbitMQ" if running else "RabbitMQ, installed, not running",
        evidence=[*map(told, running), *listening(machine, running), f"its logs are in {folder}"],
        logs=[Log(path=f"{glob.escape(folder)}/*.log", pattern=True, uid=uid)],
    )
