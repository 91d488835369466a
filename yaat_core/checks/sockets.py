"""Addresses that the configuration wants to listen on: free, held by this agent, or held by somebody else."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import psutil

from yaat_core.checks.base import Check, Level, Looking, Surroundings
from yaat_core.config.fields import keys_of
from yaat_core.config.model import Configuration

_INTERNET: Final = re.compile(r"(?:(tcp|udp)://)?(?:\[([0-9A-Fa-f:.%]+)\]|([^\[\]/:]+)):(\d{1,5})")
_FILE: Final = re.compile(r"unix(?:gram|stream)://(.+)")
_ANY: Final = ("0.0.0.0", "::")
HEALTH: Final = "health"


@attrs.frozen(kw_only=True)
class Wanted:
    """An address that a component listens on, as it is written."""

    component: str
    written: str
    transport: str = ""
    host: str = ""
    port: int = 0
    path: str = ""


@attrs.frozen
class Holder:
    """The process that has an address; ``pid`` None: one that this user can't see into."""

    pid: int | None
    name: str = ""

    def __str__(self) -> str:
        if self.pid is None:
            return "a process that this user can't see (`sudo ss -lnp` shows it)"
        return f"pid {self.pid} ({self.name})" if self.name else f"pid {self.pid}"


def listeners(around: Surroundings) -> Iterator[Check]:
    """Each address with who has it."""
    chosen = list(wanted(around.configuration))
    if not chosen:
        yield Check(name="listeners", level="ok", what="nothing is configured to listen")
        return
    connections = _connections()
    for one in chosen:
        yield _told(one, _holders(one, connections), around)


def wanted(whole: Configuration) -> Iterator[Wanted]:
    """What `health.listen` and the option ``listen`` of sources say. Port 0 is whatever the kernel gives: not told."""
    yield from _parsed(HEALTH, whole.health.listen, whole)
    for entry in whole.sources.values():
        for key in keys_of(entry.type.config):
            if key.name == "listen":
                yield from _parsed(str(entry.id), getattr(entry.options, key.attribute), whole)


def _parsed(component: str, value: Any, whole: Configuration) -> Iterator[Wanted]:
    for text in [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else []:
        internet, file = _INTERNET.fullmatch(str(text)), _FILE.fullmatch(str(text))
        if file:
            yield Wanted(component=component, written=text, path=os.fspath(whole.config_dir / Path(file[1])))
        elif internet and int(internet[4]):
            yield Wanted(
                component=component,
                written=text,
                transport=internet[1] or "tcp",
                host=internet[2] or internet[3],
                port=int(internet[4]),
            )


def _told(one: Wanted, holders: Sequence[Holder], around: Surroundings) -> Check:
    own = any(holder.pid == os.getpid() for holder in holders)
    others = [holder for holder in holders if holder.pid != os.getpid()]
    level: Level = "ok"
    what, advice = f"{one.written} is free", ""
    if own and around.status:
        what = f"{one.written} is held by this agent"
    elif others:
        level = "warn" if one.component == HEALTH else "error"
        what = f"{one.written} is taken by {others[0]}"
        advice = "end it, or choose another address"
    elif around.status:
        level, what = "warn", f"nobody listens on {one.written}"
        advice = f"{one.component} does not run, or starts just now; see its state and the log"
    return Check(
        name=f"listener of {one.component}", component=one.component, level=level, what=what, advice=advice
    )


def _connections() -> Sequence[Any]:
    return [*psutil.net_connections("inet"), *psutil.net_connections("unix")]


def _holders(one: Wanted, connections: Sequence[Any]) -> list[Holder]:
    return [_holder(found.pid) for found in connections if _is(one, found)]


def _is(one: Wanted, found: Any) -> bool:
    if one.path:
        return bool(found.family == socket.AF_UNIX and found.laddr == one.path)
    if found.family == socket.AF_UNIX or not found.laddr or found.laddr.port != one.port:
        return False
    if one.transport == "tcp":
        listens = found.type == socket.SOCK_STREAM and found.status == psutil.CONN_LISTEN
    else:
        listens = found.type == socket.SOCK_DGRAM
    return bool(listens and _same(one.host, found.laddr.ip))


def _same(host: str, ip: str) -> bool:
    """Whether both would be had by one socket alone: the same address, or one of them is every address."""
    if host in _ANY or ip in _ANY:
        return True
    try:
        return ip in {place[4][0] for place in socket.getaddrinfo(host, None)}
    except OSError:
        return False


def _holder(pid: int | None) -> Holder:
    if pid is None:
        return Holder(None)
    try:
        return Holder(pid, psutil.Process(pid).name())
    except psutil.Error:
        return Holder(pid)


LOOKINGS: Final = (Looking(name="listeners", group="sockets", look=listeners),)
