"""Programs that no other detector knows: by the logs that they hold open, and by the ports where they listen unseen."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Final

from yaat_core.components import Finding
from yaat_core.detection import Detection, Log, Machine, Process
from yaat_plugin_detect.detectors import apache, databases, python_web, system
from yaat_plugin_detect.looking import count, listening, told

#: Processes whose open files are looked at, the youngest.
_LOOKED_AT: Final = 2_000
_KNOWN: Final = frozenset(
    {"nginx", "node", "postgres", *apache.PROGRAMS, *databases.MYSQL, *databases.REDIS, *system.DAEMONS}
)
#: Programs that hold files open for others: for what somebody runs by hand, for containers.
_HANDS: Final = frozenset(
    {"sh", "bash", "dash", "zsh", "fish", "ksh", "tee", "script", "tmux", "screen", "sshd"}
    | {"conmon", "dockerd", "containerd", "containerd-shim"}
)
#: What databases call the logs that are no text (`000012.log`), and what is redirected for a while.
_NONE: Final = re.compile(r"/\d+\.log$|/(?:stdout|stderr)$")
_NAME: Final = re.compile(r"[^a-z0-9]+")
_PORTS: Final[Mapping[int, str]] = {
    3306: "MySQL or MariaDB",
    5432: "PostgreSQL",
    5672: "RabbitMQ",
    6379: "Redis",
    8125: "StatsD",
    9092: "Kafka",
    9200: "Elasticsearch or OpenSearch",
    11211: "memcached",
    27017: "MongoDB",
}


def find_logs(machine: Machine) -> Iterator[Detection]:
    """Not read by default: what a program writes may be anything."""
    groups: dict[tuple[str, int], tuple[list[Process], dict[str, None]]] = {}
    for process in machine.processes[-_LOOKED_AT:]:
        if process.pid == os.getpid() or process.name in _KNOWN | _HANDS or process.name.startswith("beam"):
            continue
        if python_web.server_of(process):
            continue
        paths = [path for path in machine.open_logs(process.pid) if not _NONE.search(path)]
        if paths:
            running, logs = groups.setdefault((process.name, process.uid), ([], {}))
            running.append(process)
            logs.update(dict.fromkeys(paths))
    for (name, uid), (running, logs) in groups.items():
        yield Detection(
            service=_NAME.sub("-", name.lower()).strip("-")[:40].strip("-") or "program",
            what=f"{name}, {count(len(running), 'process', 'processes')} with open logs",
            evidence=[
                told(running[0]),
                *listening(machine, running),
                f"holds {count(len(logs), 'log')} open",
            ],
            logs=[Log(path=path, uid=uid) for path in logs],
            by_default=False,
        )


def find_ports(machine: Machine) -> Iterator[Detection]:
    """Listening sockets whose program this user may not see."""
    unseen = {one.port: one for one in machine.listeners if one.pid is None}
    for port, name in _PORTS.items():
        if port in unseen:
            yield Detection(
                service=f"port-{port}",
                what=f"something at the port of {name}",
                evidence=[f"listens on {unseen[port].address}:{port}, by the user {unseen[port].uid}"],
                notes=[
                    Finding(
                        problem="its program is not to be seen by this user",
                        advice="run `yaat detect` as root to see what it is and where its logs are",
                        level="warn",
                    )
                ],
            )
