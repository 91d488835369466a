"""What keeps this process from reading a file, and how to mend it without giving it more than that."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from pathlib import Path


def how_to_read(path: str, *, rights: str = "r") -> str:
    """Advice in one sentence: a group that may read already, or an access list for this user alone.

    The first folder on the way that can't be passed is named, since no right to the file helps behind it.
    """
    user = user_name()
    obstacle = _obstacle(path)
    place, wanted, kind = (obstacle, "x", stat.S_IXGRP) if obstacle else (path, rights, _group_bits(rights))
    try:
        status = os.stat(place)
    except OSError:
        return f"give the agent's user the right: setfacl -m u:{user}:{wanted} {place!r}"
    group = _group(status.st_gid)
    if status.st_mode & kind == kind and status.st_gid != 0 and group:
        return f"add the agent's user to the group that may: usermod -aG {group} {user}, then start the agent again"
    advice = f"give the agent's user the right: setfacl -m u:{user}:{wanted} {place!r}"
    if not obstacle and not stat.S_ISDIR(status.st_mode):
        advice += (
            f" (and setfacl -d -m u:{user}:{rights} {os.path.dirname(place)!r} for files after rotation)"
        )
    return advice


def may(path: str, mode: int) -> bool:
    """Whether this process may do that with the file, by the user that it acts as (`os.R_OK` and so on)."""
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def user_name() -> str:
    """The user that this process runs as."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _group_bits(rights: str) -> int:
    return (stat.S_IRGRP if "r" in rights else 0) | (stat.S_IXGRP if "x" in rights else 0)


def _obstacle(path: str) -> str:
    """The outermost folder on the way to the file that this process can't pass."""
    for folder in reversed(Path(os.path.abspath(path)).parents):
        if folder.is_dir() and not may(str(folder), os.X_OK):
            return str(folder)
    return ""


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return ""
