"""Run a program and say what it took; say what the rest of the machine did meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs


@attrs.frozen(kw_only=True)
class Run:
    """One measured run. ``others`` is how many cores the rest of the machine kept busy, on average."""

    seconds: float
    cpu_seconds: float
    max_rss_mib: float
    others: float


class RunFailed(Exception):
    """The program ended badly; the text holds what it said."""


def run(
    command: Sequence[str], log: Path, until: Callable[[], bool] | None = None, timeout: float = 300
) -> Run:
    """Run ``command`` to its end; with ``until``, stop it by SIGTERM as soon as that is true.

    The clock stops at the end, or when ``until`` became true; CPU time is counted to the end.

    Raises:
        RunFailed: another exit code than 0, or not done within ``timeout`` seconds.
    """
    busy_before, began = _busy_seconds(), time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        ended = _watch(process, until, began + timeout)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    fine = (0,) if until is None else (0, -signal.SIGTERM)
    if process.returncode not in fine or ended is None:
        raise RunFailed(
            f"{command[0]} ended with {process.returncode}:\n{log.read_text(errors='replace')[-2000:]}"
        )
    wall = time.monotonic() - began
    cpu = usage.ru_utime + usage.ru_stime
    return Run(
        seconds=ended - began,
        cpu_seconds=cpu,
        max_rss_mib=usage.ru_maxrss / 1024,
        others=max(0.0, (_busy_seconds() - busy_before - cpu) / wall),
    )


class Server:
    """A program that runs until it is stopped; then says what it took."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._command, self._log = command, log
        self._busy, self._began = _busy_seconds(), time.monotonic()
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
            )

    def wait_for(self, condition: Callable[[], bool], *, seconds: float, what: str) -> None:
        """Until ``condition`` holds.

        Raises:
            RunFailed: it ended before, or took longer.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                raise RunFailed(
                    f"{self._command[0]}: {what}:\n{self._log.read_text(errors='replace')[-2000:]}"
                )
            time.sleep(0.02)

    def stop(self) -> Run:
        """SIGTERM, its end, and what it took from start to end."""
        self._process.terminate()
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        wall, cpu = time.monotonic() - self._began, usage.ru_utime + usage.ru_stime
        return Run(
            seconds=wall,
            cpu_seconds=cpu,
            max_rss_mib=usage.ru_maxrss / 1024,
            others=max(0.0, (_busy_seconds() - self._busy - cpu) / wall),
        )


def _watch(
    process: subprocess.Popen[bytes], until: Callable[[], bool] | None, deadline: float
) -> float | None:
    """When it was done; None when it was not in time. Leaves the process unreaped, for its resource usage."""
    flags = os.WEXITED | os.WNOWAIT | (0 if until is None else os.WNOHANG)
    if until is None:
        os.waitid(os.P_PID, process.pid, flags)
        return time.monotonic()
    done = None
    while done is None and time.monotonic() < deadline and os.waitid(os.P_PID, process.pid, flags) is None:
        if until():
            done = time.monotonic()
        else:
            time.sleep(0.005)
    process.terminate()
    return done


def _busy_seconds() -> float:
    """Seconds that all cores together were busy since the machine started."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _idle, _iowait, irq, softirq, *_ = map(int, stat.readline().split()[1:])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
