"""Processes that the user named: whether they are there, and what they use."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING

import psutil

from yaat_core.components import Finding
from yaat_kit.points import Points
from yaat_plugin_hostmetrics.config import Watched
from yaat_plugin_hostmetrics.host import Host

if TYPE_CHECKING:
    from yaat_plugin_hostmetrics.groups.processes import Process


class Watch:
    """One entry of `watch`."""

    def __init__(self, config: Watched, host: Host) -> None:
        self.config = config
        self.problem: Finding | None = None
        self._host = host
        self._pattern = re.compile(fnmatch.translate(config.process)) if config.process else None

    def tell(self, points: Points, found: dict[int, Process]) -> None:
        """Add what is known of it; gone is `up` 0."""
        self.problem = None
        mine = self._mine(found)
        tags = {"watch": self.config.name}
        points.ours("watch.up", 1 if mine else 0, "bool", tags)
        points.ours("watch.processes", len(mine), "processes", tags)
        if not mine:
            return
        known = [process.cpu for process in mine if process.cpu is not None]
        points.ours("watch.cpu_percent", sum(known) if known else None, "percent", tags)
        points.ours("watch.memory_bytes", sum(process.memory for process in mine), "bytes", tags)
        points.ours("watch.threads", sum(process.threads for process in mine), "threads", tags)
        points.ours("watch.open_files", self._open_files(mine), "files", tags)

    def _mine(self, found: dict[int, Process]) -> list[Process]:
        if self._pattern is not None:
            return [process for process in found.values() if self._pattern.fullmatch(process.name)]
        pid = self._pid()
        return [found[pid]] if pid in found else []

    def _pid(self) -> int | None:
        assert self.config.pid_file is not None
        try:
            text = self._host.relative(self.config.pid_file).read_text("ascii", "replace").strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._trouble(
                f"{self.config.pid_file} can't be read: {error.strerror}", "let the agent's user read it"
            )
            return None
        if not text.isdecimal():
            self._trouble(
                f"{self.config.pid_file} does not hold a process id", "name the file of another program"
            )
            return None
        return int(text)

    def _open_files(self, mine: list[Process]) -> int | None:
        total = 0
        for process in mine:
            try:
                with self._host.psutil():
                    total += psutil.Process(process.pid).num_fds()
            except psutil.NoSuchProcess:
                continue
            except psutil.AccessDenied:
                self._trouble(
                    f"the open files of process {process.pid} can't be counted: no permission",
                    "another user owns it: run with CAP_SYS_PTRACE, or exclude `host.watch.open_files` in `metrics`",
                )
                return None
        return total

    def _trouble(self, what: str, advice: str) -> None:
        self.problem = Finding(problem=f"watch {self.config.name}: {what}", advice=advice, level="warn")
