"""Space and inodes of file systems. A mount that does not answer (a network file system whose server is gone) delays no other."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Sequence
from functools import partial

import trio

from yaat_core.components import Finding
from yaat_kit.points import Points
from yaat_plugin_hostmetrics.config import HostMetricsConfig
from yaat_plugin_hostmetrics.host import Host
from yaat_plugin_hostmetrics.mounts import Mount, Mounts


class Filesystems:
    """The group `disk`: statvfs(3) of each mount, in a thread of its own that is left behind when it hangs."""

    def __init__(self, config: HostMetricsConfig, host: Host) -> None:
        self._mounts = Mounts(config, host)
        self._root = host.root
        self._timeout = float(config.mount_timeout)
        self._limiter = trio.CapacityLimiter(math.inf)
        self._asked: set[str] = set()
        self._lock = threading.Lock()
        self._silent: set[str] = set()
        self._failed: dict[str, str] = {}

    async def collect(self, points: Points) -> None:
        """Ask all mounts at once; those that answer in time are told of.

        Raises:
            OSError: the list of mounts can't be read.
        """
        mounts = self._mounts.now()
        answers: dict[str, os.statvfs_result] = {}
        failed: dict[str, str] = {}
        async with trio.open_nursery() as nursery:
            for mount in mounts:
                nursery.start_soon(self._ask, mount, answers, failed)
        self._failed = failed
        self._silent = {mount.point for mount in mounts} & self._hanging()
        for mount in mounts:
            if (answer := answers.get(mount.point)) is not None:
                tell(points, mount, answer)

    def problems(self) -> Sequence[Finding]:
        """As `Source.problems`."""
        silent = [
            Finding(
                problem=f"the mount {point} does not answer",
                advice="see whether its server is there; unmount it (umount -l), or put it into `mounts: {exclude: [...]}`",
                level="warn",
            )
            for point in sorted(self._silent)
        ]
        failed = [
            Finding(
                problem=f"the mount {point} can't be asked: {why}",
                level="warn",
                advice="exclude it in `mounts`",
            )
            for point, why in sorted(self._failed.items())
        ]
        return [*silent, *failed]

    def _hanging(self) -> set[str]:
        with self._lock:
            return set(self._asked)

    async def _ask(self, mount: Mount, answers: dict[str, os.statvfs_result], failed: dict[str, str]) -> None:
        with self._lock:
            if mount.point in self._asked:  # the thread of an earlier round still waits for it
                return
            self._asked.add(mount.point)
        try:
            with trio.move_on_after(self._timeout):
                answers[mount.point] = await trio.to_thread.run_sync(
                    partial(self._statvfs, mount.point), abandon_on_cancel=True, limiter=self._limiter
                )
        except OSError as error:
            failed[mount.point] = error.strerror or str(error)

    def _statvfs(self, point: str) -> os.statvfs_result:
        try:
            return os.statvfs(self._root / point.lstrip("/"))
        finally:
            with self._lock:
                self._asked.discard(point)


def tell(points: Points, mount: Mount, answer: os.statvfs_result) -> None:
    """As `df` counts: what only root may use is neither used nor free for others."""
    total, free, usable = (
        blocks * answer.f_frsize for blocks in (answer.f_blocks, answer.f_bfree, answer.f_bavail)
    )
    used = total - free
    tags = {"mount": mount.point, "device": mount.device, "fstype": mount.type}
    if total:
        points.ours(
            "disk.usage_percent", 100 * used / (used + usable) if used + usable else 0, "percent", tags
        )
        points.ours("disk.used_bytes", used, "bytes", tags)
        points.ours("disk.free_bytes", usable, "bytes", tags)
        points.ours("disk.total_bytes", total, "bytes", tags)
    inodes = answer.f_files - answer.f_ffree
    if answer.f_files:
        points.ours("disk.inodes_usage_percent", 100 * inodes / answer.f_files, "percent", tags)
        points.ours("disk.inodes_used", inodes, "inodes", tags)
        points.ours("disk.inodes_total", answer.f_files, "inodes", tags)
    if points.with_otel and total:
        _otel(points, mount, {"used": used, "free": usable, "reserved": free - usable}, total)
        if answer.f_files:
            for state, value in (("used", inodes), ("free", answer.f_ffree)):
                at = {**_place(mount), "system.filesystem.state": state}
                points.otel("system.filesystem.inodes.usage", value, "{inode}", at)


def _place(mount: Mount) -> dict[str, str]:
    return {
        "system.device": mount.device,
        "system.filesystem.mountpoint": mount.point,
        "system.filesystem.type": mount.type,
        "system.filesystem.mode": mount.mode,
    }


def _otel(points: Points, mount: Mount, states: dict[str, int], total: int) -> None:
    tags = _place(mount)
    for state, value in states.items():
        points.otel("system.filesystem.usage", value, "By", {**tags, "system.filesystem.state": state})
        points.otel(
            "system.filesystem.utilization", value / total, "1", {**tags, "system.filesystem.state": state}
        )
    points.otel("system.filesystem.limit", total, "By", tags)
