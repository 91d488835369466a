"""Which file systems are mounted where: ``/proc/PID/mountinfo`` (proc_pid_mountinfo(5))."""

from __future__ import annotations

import re
from typing import Final

import attrs

from yaat_kit.choosing import Chosen
from yaat_plugin_hostmetrics.config import HostMetricsConfig
from yaat_plugin_hostmetrics.host import Host

_ESCAPE: Final = re.compile(r"\\([0-7]{3})")


@attrs.frozen(kw_only=True)
class Mount:
    """One mounted file system, at the shortest of its mount points."""

    point: str
    device: str
    type: str
    mode: str


class Mounts:
    """The mounts that the configuration asks for."""

    def __init__(self, config: HostMetricsConfig, host: Host) -> None:
        self._host = host
        self._points = Chosen(config.mounts)
        self._types = Chosen(config.filesystems)

    def now(self) -> list[Mount]:
        """Each file system once, whatever is bound elsewhere; the root is told of whatever its type.

        Raises:
            OSError: the list can't be read.
        """
        text = (self._host.first / "mountinfo").read_text("utf-8", "surrogateescape")
        found: dict[str, Mount] = {}
        for line in text.splitlines():
            number, mount = _parsed(line)
            if mount is None or not self._wanted(mount):
                continue
            before = found.get(number)
            if before is None or len(mount.point) < len(before.point):
                found[number] = mount
        return list(found.values())

    def _wanted(self, mount: Mount) -> bool:
        return mount.point in self._points and (mount.type in self._types or mount.point == "/")


def _parsed(line: str) -> tuple[str, Mount | None]:
    head, _, tail = line.partition(" - ")
    before, after = head.split(" "), tail.split(" ")
    if len(before) < 6 or len(after) < 2:
        return "", None
    return before[2], Mount(
        point=_unescaped(before[4]),
        device=_unescaped(after[1]),
        type=after[0],
        mode="ro" if "ro" in before[5].split(",") else "rw",
    )


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 8)), text)
