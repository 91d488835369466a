"""The source: a round each interval."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import psutil
import trio

from yaat_core import Context, Finding, Outlet, Source
from yaat_kit.choosing import Chosen
from yaat_kit.points import Points
from yaat_plugin_hostmetrics.config import HostMetricsConfig
from yaat_plugin_hostmetrics.filesystems import Filesystems
from yaat_plugin_hostmetrics.groups import GROUPS
from yaat_plugin_hostmetrics.groups.group import Group
from yaat_plugin_hostmetrics.groups.processes import Processes
from yaat_plugin_hostmetrics.host import Host

#: Seconds between the first look at the counters and the first metrics.
FIRST: Final = 1.0
_DISK: Final = "disk"


class HostMetricsSource(Source):
    """Has no checkpoints: what was not collected is not there any more."""

    def __init__(self, config: HostMetricsConfig, context: Context) -> None:
        host = Host(Path(config.host_proc), Path(config.host_sys), Path(config.host_root), context.path)
        self._config = config
        self._once = context.once
        self._log = context.log
        self._host = host
        self._metrics = Chosen(config.metrics)
        self._groups = [group(config, host) for group in GROUPS if group.name in config.groups]
        self._filesystems = Filesystems(config, host) if _DISK in config.groups else None
        self._failed: dict[str, str] = {}

    async def run(self, out: Outlet) -> None:
        """As `Source.run`."""
        await self._round()
        due = trio.current_time() + (FIRST if self._once else min(FIRST, float(self._config.interval)))
        while True:
            await trio.sleep_until(due)
            points = await self._round()
            receipt = await out.send(points.batch()) if len(points) else None
            if self._once:
                if receipt is not None:
                    await receipt.durable()
                return
            due += float(self._config.interval)
            if due < trio.current_time():  # the pipeline was full: the next round is over more time
                due = trio.current_time() + float(self._config.interval)

    async def check(self) -> Sequence[Finding]:
        """As `Source.check`."""
        missing = [
            Finding(
                problem=f"{path} is not there", advice=f"mount the host's {name} there, or mend `{option}`"
            )
            for option, name, path, probe in (
                ("host_proc", "/proc", self._host.proc, self._host.proc / "stat"),
                ("host_sys", "/sys", self._host.sys, self._host.sys),
                ("host_root", "root", self._host.root, self._host.root),
            )
            if not probe.exists()
        ]
        if not missing:
            await self._round()
        return [*missing, *self.problems()]

    def problems(self) -> Sequence[Finding]:
        """As `Source.problems`."""
        failed = [
            Finding(problem=f"{name} can't be read: {why}", advice="the other groups go on", level="warn")
            for name, why in list(self._failed.items())
        ]
        watches = [
            watch.problem
            for group in self._groups
            if isinstance(group, Processes)
            for watch in group.watches
            if watch.problem is not None
        ]
        mounts = self._filesystems.problems() if self._filesystems is not None else ()
        return [*failed, *watches, *mounts]

    async def _round(self) -> Points:
        points = Points(self._metrics, self._config.names, "host.")
        await trio.to_thread.run_sync(partial(self._read, points))
        if self._filesystems is not None:
            try:
                await self._filesystems.collect(points)
            except OSError as error:
                self._tell(_DISK, str(error))
            else:
                self._failed.pop(_DISK, None)
        return points

    def _read(self, points: Points) -> None:
        for group in self._groups:
            self._read_one(group, points)

    def _read_one(self, group: Group, points: Points) -> None:
        try:
            group.round(points)
        except (OSError, ValueError, KeyError, psutil.Error) as error:
            self._tell(group.name, f"{type(error).__name__}: {error}")
        else:
            self._failed.pop(group.name, None)

    def _tell(self, group: str, why: str) -> None:
        if self._failed.get(group) != why:
            self._log.warning("%s can't be read: %s", group, why)
        self._failed[group] = why
