"""What makes a file the same file: device, inode, and what its bytes are at places that don't change."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from typing import Final

import attrs

#: Bytes before the offset that are remembered.
TAIL_BYTES: Final = 256
_ROTATED: Final = re.compile(r"[-._](?:\d[\d\-_.T:]*|bak|old|orig|copy)(?=\.[A-Za-z]|$)|~$")


class NotRegular(OSError):
    """A folder, FIFO, socket or device where a file should be."""


@attrs.frozen
class FileId:
    """Device and inode: unique among the files that exist at one moment."""

    device: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> FileId:
        """From a ``stat``."""
        return cls(status.st_dev, status.st_ino)


@attrs.frozen
class Mark:
    """What ``length`` bytes of a file were: enough to notice that they are others now."""

    length: int
    digest: bytes

    @classmethod
    def of(cls, data: bytes) -> Mark:
        """The mark of ``data``."""
        return cls(len(data), hashlib.blake2b(data, digest_size=8).digest())

    def matches(self, data: bytes) -> bool:
        """Are the first ``length`` bytes of ``data`` those of the mark?"""
        return Mark.of(data[: self.length]) == self


NO_MARK: Final = Mark.of(b"")


def open_regular(path: str) -> tuple[int, os.stat_result]:
    """A descriptor for reading the regular file that ``path`` resolves to, and its status.

    Links are followed first, so that the identity is the target's; the last step follows none, and
    never blocks on a FIFO.

    Raises:
        NotRegular: it is something else.
        OSError: it can't be opened.
    """
    target = os.path.realpath(path)
    if not stat.S_ISREG(os.lstat(target).st_mode):
        raise NotRegular(errno.EINVAL, "not a regular file", path)
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    descriptor = os.open(target, flags)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise NotRegular(errno.EINVAL, "not a regular file", path)
    return descriptor, status


def original_path(path: str) -> str | None:
    """The path of the file that ``path`` is a rotated copy of, to judge by its name; None when it isn't.

    ``app.log.1``, ``app.log-20260105``, ``app-2026-01-05.log`` and ``app.log.bak`` come from ``app.log`` or ``app.log``.
    """
    folder, name = os.path.split(path)
    original = _ROTATED.sub("", name)
    return os.path.join(folder, original) if original and original != name else None
