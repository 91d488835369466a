"""Run a program and say what it took; say what the rest of the machine did meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import attrs

#: Seconds between two looks at a process.
_LOOK = 0.005


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
    command: Sequence[str],
    log: Path,
    until: Callable[[], bool] | None = None,
    timeout: float = 1800,
    environ: Mapping[str, str] | None = None,
) -> Run:
    """Run ``command`` to its end; with ``until``, stop it by SIGTERM as soon as that is true.

    ``environ`` is what it finds in its environment beyond this one's.

    The clock stops at the end, or when ``until`` became true; CPU time is counted to the end.

    Raises:
        RunFailed: another exit code than 0, or not done within ``timeout`` seconds.
    """
    busy_before, began = busy_seconds(), time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environ or {})},
        )
        memory = Memory(process.pid)
        try:
            ended = _watch(process, memory, until, began + timeout)
        except BaseException:
            process.kill()
            process.wait()
            raise
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
        max_rss_mib=memory.peak_mib,
        others=max(0.0, (busy_seconds() - busy_before - cpu) / wall),
    )


class Server:
    """A program that runs until it is stopped; then says what it took."""

    def __init__(self, command: Sequence[str], log: Path, environ: Mapping[str, str] | None = None) -> None:
        self._command, self._log = command, log
        self._busy, self._began = busy_seconds(), time.monotonic()
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environ or {})},
            )

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def wait_for(
        self, condition: Callable[[], bool], *, seconds: float, what: str, pause: float = 0.02
    ) -> None:
        """Until ``condition`` holds, asked every ``pause`` seconds.

        Raises:
            RunFailed: it ended before, or took longer.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RunFailed(
                    f"{self._command[0]}: {what}:\n{self._log.read_text(errors='replace')[-2000:]}"
                )
            time.sleep(pause)

    def kill(self) -> None:
        """End it without a word; it may have ended already."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> Run:
        """SIGTERM, its end, and what it took from start to end."""
        memory = Memory(self._process.pid)
        memory.look()
        self._process.terminate()
        while os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
            memory.look()
            time.sleep(_LOOK)
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        wall, cpu = time.monotonic() - self._began, usage.ru_utime + usage.ru_stime
        return Run(
            seconds=wall,
            cpu_seconds=cpu,
            max_rss_mib=memory.peak_mib,
            others=max(0.0, (busy_seconds() - self._busy - cpu) / wall),
        )


class Memory:
    """The highest resident memory of a process, looked at again and again.

    The system's own ``ru_maxrss`` won't do: it begins with what the process held that started this one.
    """

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self.peak_mib = 0.0

    def look(self) -> None:
        """Remember it; a process that has ended has none."""
        for line in self._status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                self.peak_mib = max(self.peak_mib, int(line.split()[1]) / 1024)


def _watch(
    process: subprocess.Popen[bytes], memory: Memory, until: Callable[[], bool] | None, deadline: float
) -> float | None:
    """When it was done; None when it was not in time. Leaves the process unreaped, for its resource usage."""
    while time.monotonic() < deadline:
        memory.look()
        ended = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None
        if until is None and ended:
            return time.monotonic()
        if until is not None and until():
            done = time.monotonic()
            process.terminate()
            return done
        if ended:
            return None
        time.sleep(_LOOK)
    process.kill()
    return None


def busy_seconds() -> float:
    """Seconds that all cores together were busy since the machine started."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _idle, _iowait, irq, softirq, *_ = map(int, stat.readline().split()[1:])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
