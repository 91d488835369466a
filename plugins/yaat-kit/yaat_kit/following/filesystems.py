"""What kind of file system a file lies on, from /proc/self/mountinfo (proc_pid_mountinfo(5))."""

from __future__ import annotations

import functools
import os
import re
import time
from collections.abc import Mapping
from typing import Final

#: Files that the kernel makes up when they are read: they have no size, and reading some of them changes things.
_MADE_UP: Final = re.compile(
    r"binfmt_misc|bpf|cgroup2?|configfs|debugfs|efivarfs|fusectl|mqueue|nsfs|proc|pstore|securityfs|selinuxfs|sysfs|tracefs"
)
#: inotify tells nothing of what another machine, or another layer, writes here.
_SILENT: Final = re.compile(
    r"9p|afs|aufs|ceph|cifs|fuse(blk|\..*)?|gfs2|glusterfs|gpfs|lustre|nfs4?|ocfs2|overlay|smb3|smbfs|vboxsf|virtiofs"
)
_FRESH_SECONDS: Final = 60


def kind_of(device: int) -> str:
    """The type of the file system with this ``st_dev``; empty when it is not known."""
    return _mounted(int(time.monotonic()) // _FRESH_SECONDS).get(device, "")


def is_silent(kind: str) -> bool:
    """May files of such a file system change without an event?"""
    return _SILENT.fullmatch(kind) is not None


def is_made_up(kind: str) -> bool:
    """Does the kernel make up the files of such a file system?"""
    return _MADE_UP.fullmatch(kind) is not None


@functools.lru_cache(maxsize=1)
def _mounted(minute: int) -> Mapping[int, str]:
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as table:
            return dict(_parsed(line) for line in table if " - " in line)
    except OSError:
        return {}


def _parsed(line: str) -> tuple[int, str]:
    """``36 35 98:0 /root /mnt rw - ext3 /dev/x rw``: the device and the type."""
    before, _, after = line.partition(" - ")
    major, _, minor = before.split()[2].partition(":")
    return os.makedev(int(major), int(minor)), after.split()[0]
