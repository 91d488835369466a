"""What the system grants this process, against what is in use: open files, file watches, memory."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from yaat_core.checks.base import Check, Looking, Surroundings, verdict

#: Share of a limit in use from which on a check warns.
_NEAR: Final = 0.8
#: Files that an agent with many logs and connections may have open.
_FEW: Final = 1024
_INOTIFY: Final = Path("/proc/sys/fs/inotify")


def open_files(around: Surroundings) -> Iterator[Check]:
    """Descriptors in use, and how many there may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    granted = "no limit" if soft == resource.RLIM_INFINITY else str(soft)
    used = psutil.Process().num_fds()
    near = soft != resource.RLIM_INFINITY and used > soft * _NEAR
    small = soft != resource.RLIM_INFINITY and soft < _FEW
    more = f"; may be raised to {hard}" if hard not in (soft, resource.RLIM_INFINITY) else ""
    whose = "" if around.status else " by this command; a service has its own limit"
    yield Check(
        name="open files",
        level=verdict(near or small),
        what=f"{used} in use of {granted}{more}{whose}",
        advice="raise the limit: LimitNOFILE= in the unit, or `ulimit -n` before the start"
        if near or small
        else "",
    )


def watches(around: Surroundings) -> Iterator[Check]:
    """inotify instances and watches of this user: without them files are polled."""
    try:
        instances = int((_INOTIFY / "max_user_instances").read_text())
        watches = int((_INOTIFY / "max_user_watches").read_text())
    except (OSError, ValueError):
        yield Check(name="file watches", level="skipped", what="the kernel does not tell its inotify limits")
        return
    used = _inotify_instances()
    near = used > instances * _NEAR
    yield Check(
        name="file watches",
        level=verdict(near),
        what=f"this user has {used} inotify instances of {instances}; {watches} watches in all",
        advice="sysctl fs.inotify.max_user_instances=512 (and in /etc/sysctl.d); until then files are polled"
        if near
        else "",
    )


def memory_limit() -> tuple[int, str]:
    """Bytes that this process may have, and who says so: the control group, or the machine."""
    total = psutil.virtual_memory().total
    for file in _cgroup_files("memory.max"):
        try:
            text = file.read_text().strip()
        except OSError:
            continue
        if text.isdecimal() and int(text) < total:
            return int(text), "limit of the control group"
    return total, "all memory of the machine"


def _cgroup_files(name: str) -> Iterator[Path]:
    """The file of this process's control group (version 2) and of each above it."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        number, _, path = line.split(":", 2)
        if number == "0":
            root = Path("/sys/fs/cgroup")
            here = root / path.lstrip("/")
            while here != root and root in here.parents:
                yield here / name
                here = here.parent
            yield root / name


def _inotify_instances() -> int:
    """How many inotify descriptors processes of this user have, as far as they can be seen."""
    count, user = 0, os.geteuid()
    for process in psutil.process_iter():
        folder = f"/proc/{process.pid}/fd"
        try:
            if os.stat(folder).st_uid != user:
                continue
            with os.scandir(folder) as entries:
                count += sum(os.readlink(entry.path) == "anon_inode:inotify" for entry in entries)
        except OSError:
            continue
    return count


LOOKINGS: Final = (
    Looking(name="open files", group="limits", look=open_files),
    Looking(name="file watches", group="limits", look=watches),
)
