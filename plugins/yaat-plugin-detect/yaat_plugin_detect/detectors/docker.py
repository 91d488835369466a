"""A container engine's API: a source of type `docker` reads all of its containers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Final

from yaat_core.components import Finding
from yaat_core.detection import Detection, Machine

#: Socket, the engine's name, and the group that may use it.
_SOCKETS: Final = (
    ("/run/docker.sock", "Docker"),
    ("/var/run/docker.sock", "Docker"),
    ("/run/podman/podman.sock", "Podman"),
)


def find(machine: Machine) -> Iterator[Detection]:
    """The first socket that is there; `/var/run` is `/run` nearly everywhere."""
    for path, engine in _SOCKETS:
        if not machine.exists(path):
            continue
        from yaat_kit.permissions import may

        local = machine.local(path)
        notes = [] if may(local, os.R_OK | os.W_OK) else [_denied(local)]
        source: dict[str, Any] = {"type": "docker"}
        if engine != "Docker" or local != path:
            source["host"] = f"unix://{local}"
        yield Detection(
            service="docker",
            what=f"{engine}, an engine of containers",
            evidence=[f"its socket {path} is there"],
            sources={"docker": source},
            notes=notes,
        )
        return


def _denied(path: str) -> Finding:
    from yaat_kit.permissions import user_name

    return Finding(
        problem=f"this user may not use {path!r}",
        advice=f"usermod -aG docker {user_name()}, then start the agent again; who is in that group has root's rights",
        level="warn",
    )
