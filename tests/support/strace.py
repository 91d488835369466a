"""Faults in the system calls of a real process, by strace: which call, which file, which time, what happens."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs
import psutil
import pytest

from support.agents import wait_until

#: Calls that change what a disk holds.
CHANGING = ("write", "pwrite64", "ftruncate", "fsync", "fdatasync", "rename", "unlink", "mkdir")

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")

_CALL = re.compile(
    r"^(?P<thread>\d+) +(?P<call>\w+)\((?:AT_FDCWD(?:<[^>]*>)?, )?(?:\d+<(?P<fd>[^>]*)>|\"(?P<path>[^\"]*)\")",
    re.M,
)


@attrs.frozen
class Point:
    """The ``number``-th time that a thread makes a call on a path (below some folder)."""

    call: str
    path: str
    number: int

    def killing(self, root: Path) -> tuple[str, ...]:
        """What to put before a command that works under ``root`` so that it is killed there."""
        path = os.path.normpath(root / self.path)
        return tracer("/dev/null", f"inject={self.call}:signal=KILL:when={self.number}", paths=[path])


def tracer(log: str | Path, *expressions: str, paths: Iterable[str | Path] = ()) -> tuple[str, ...]:
    """A prefix for a command. The process stays our child: its id, its exit code, signals that we send."""
    wanted = [part for expression in expressions for part in ("-e", expression)]
    only = [part for path in paths for part in ("-P", str(path))]
    return ("strace", "-D", "-f", "-qq", "-o", str(log), *wanted, *only)


def counting(log: Path) -> tuple[str, ...]:
    """A prefix that writes down each call that changes the disk, for `points`."""
    return (*tracer(log, f"trace={','.join(CHANGING)}"), "-y", "--seccomp-bpf")


def points(log: Path, root: Path) -> list[Point]:
    """Every call on files under ``root`` that was written down, in the order of the first time that it was made.

    strace counts for each thread, and so do we: the highest number that any thread reached.
    """
    made: dict[tuple[str, str], Counter[str]] = {}
    for match in _CALL.finditer(log.read_text(errors="replace")):
        path = match["fd"] or match["path"]
        if f"{path}/".startswith(f"{root}/") and not path.endswith("(deleted)"):
            made.setdefault((match["call"], path), Counter())[match["thread"]] += 1
    return [
        Point(call, os.path.relpath(path, root), number)
        for (call, path), threads in made.items()
        for number in range(1, max(threads.values()) + 1)
    ]


@contextmanager
def disturbed(pid: int, *expressions: str, paths: Sequence[str | Path] = ()) -> Iterator[None]:
    """A running process whose calls go wrong, as ``expressions`` say, for as long as the context lasts."""
    command = tracer("/dev/null", *expressions, paths=paths)
    command = (command[0], *command[2:-1], command[-1], "-p", str(pid))
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as strace:
        wait_until(
            lambda: strace.poll() is not None or all(_traced(pid)), seconds=60, what="strace does not attach"
        )
        if strace.poll() is not None:
            assert strace.stderr is not None
            pytest.skip(f"strace can't attach: {strace.stderr.read().strip()}")
        try:
            yield
        finally:
            strace.send_signal(signal.SIGINT)
            strace.wait(60)


def _traced(pid: int) -> Iterator[bool]:
    """For each thread: does somebody trace it?"""
    for thread in psutil.Process(pid).threads():
        try:
            status = Path(f"/proc/{pid}/task/{thread.id}/status").read_text()
        except FileNotFoundError:
            continue
        yield "TracerPid:\t0\n" not in status
