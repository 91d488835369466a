"""Reading what belongs to others: no FIFO blocks, no device is opened, nothing large is taken in."""

from __future__ import annotations

import os
import stat
from typing import Final

_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def read_regular(path: str, limit: int, owners: frozenset[int] | None = None) -> bytes:
    """The bytes of a regular file, links followed.

    Raises:
        OSError: it can't be read.
        ValueError: it is no regular file, is larger than ``limit``, or belongs to none of ``owners``.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise ValueError("no regular file")
    descriptor = os.open(path, _FLAGS)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("no regular file")
        if owners is not None and status.st_uid not in owners:
            raise ValueError("somebody else's")
        with os.fdopen(descriptor, "rb", closefd=False) as opened:
            data = opened.read(limit + 1)
    finally:
        os.close(descriptor)
    if len(data) > limit:
        raise ValueError("too large")
    return data


def printable(path: str) -> bool:
    """Whether a path can stand in a configuration: text without controls."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return path.isprintable()
