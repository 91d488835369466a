"""The clock: whether somebody keeps it, and whether it jumped. How far off it is can't be known without asking elsewhere."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import yaat_core
from yaat_core.checks import environment
from yaat_core.checks.base import Check, Looking, Surroundings
from yaat_core.clock import SLACK, ages

#: adjtimex(2): the clock is not synchronised; ``TIME_ERROR`` is the return value that says so, too.
_STA_UNSYNC: Final = 0x0040
_SERVICES: Final = ("chronyd", "systemd-timesyncd", "ntpd", "openntpd")
_ADVICE: Final = "turn on a time service: timedatectl set-ntp true, or install chrony"


def synchronised(around: Surroundings) -> Iterator[Check]:
    """What the kernel says: a time service tells it when it keeps the clock."""
    said = _adjtimex()
    if said is None:
        yield Check(name="clock", level="skipped", what="the kernel does not tell whether the clock is kept")
        return
    unsynchronised, error = said
    now = datetime.now(UTC).isoformat(timespec="seconds")
    if not unsynchronised:
        yield Check(
            name="clock", level="ok", what=f"{now}, kept by a time service, within {error / 1e6:.3f} s"
        )
        return
    service = _service()
    what = f"{now}; no time service keeps it, so nobody knows how far off it is"
    if service:
        what = f"{now}; {service} runs and has not synchronised it yet"
    advice = (
        _ADVICE if not service else f"see what {service} says: timedatectl timesync-status, chronyc tracking"
    )
    if environment.container():
        advice += " (on the host: a container has its host's clock)"
    yield Check(name="clock", level="warn", what=what, advice=advice)


def jumps(around: Surroundings) -> Iterator[Check]:
    """Files from the future, and a clock that was set forward while the agent ran."""
    now = time.time()
    ahead = ages.ahead() if around.status else 0.0
    newest, file = max(_times(around.configuration.state_dir), default=(0.0, None))
    installed = Path(yaat_core.__file__).stat().st_mtime
    if ahead > SLACK:
        what = f"the clock was set forward by {ahead:.0f} s while the agent runs"
        advice = "events are kept by the time that really passed for a day, or until a restart; see that it is right now"
    elif file is not None and newest > now + SLACK:
        what = f"{file} is from the future, by {newest - now:.0f} s: the clock was set back, or is behind"
        advice = "set the clock; events of that time sort behind newer ones"
    elif installed > now + SLACK:
        what = f"yaat was installed {installed - now:.0f} s in the future: the clock is behind"
        advice = "set the clock"
    else:
        yield Check(name="clock jumps", level="ok", what="no file in the state directory is from the future")
        return
    yield Check(name="clock jumps", level="warn", what=what, advice=advice)


def _times(folder: Path) -> Iterator[tuple[float, Path | None]]:
    """When the files of the state directory were changed, and those one folder below."""
    try:
        with os.scandir(folder) as entries:
            below = list(entries)
    except OSError:
        return
    for entry in below:
        try:
            if entry.is_dir(follow_symlinks=False):
                with os.scandir(entry.path) as more:
                    yield from ((one.stat(follow_symlinks=False).st_mtime, Path(one.path)) for one in more)
            else:
                yield entry.stat(follow_symlinks=False).st_mtime, Path(entry.path)
        except OSError:
            continue


class _Timex(ctypes.Structure):
    """``struct timex`` as far as it is read (linux/timex.h); the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def _adjtimex() -> tuple[bool, int] | None:
    """Whether the clock is unsynchronised, and the largest error in microseconds. Asks only: ``modes`` is 0."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "adjtimex", None)
    if call is None:
        return None
    asked = _Timex()
    if call(ctypes.byref(asked)) < 0:
        return None
    return bool(asked.status & _STA_UNSYNC), int(asked.maxerror)


def _service() -> str:
    """A time service that runs, by systemd's word; empty when there is none or nobody to ask."""
    if not environment.has_systemd() or not shutil.which("systemctl"):
        return ""
    for name in _SERVICES:
        done = subprocess.run(
            ["systemctl", "is-active", "--quiet", name], capture_output=True, timeout=3, check=False
        )
        if done.returncode == 0:
            return name
    return ""


LOOKINGS: Final = (
    Looking(name="clock", group="clock", look=synchronised),
    Looking(name="clock jumps", group="clock", look=jumps),
)
