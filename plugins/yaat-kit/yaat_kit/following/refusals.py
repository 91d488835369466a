"""What is never read although a pattern matches: the agent's own files, those that the kernel makes up, and what a
stranger's link leads to."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from typing import Final

import attrs

from yaat_kit.following.filesystems import is_made_up, kind_of
from yaat_kit.following.identity import FileId

#: Standard output and standard error: where the agent's own log goes.
_OUTPUTS: Final = (1, 2)


@attrs.frozen
class Refusals:
    """``folders`` end in a slash and are resolved; ``outputs`` are the files that this process logs to."""

    folders: tuple[str, ...] = ()
    outputs: frozenset[FileId] = frozenset()

    @classmethod
    def of(cls, folders: Sequence[str]) -> Refusals:
        """For these folders, and for what this process writes its log to."""
        return cls(tuple(os.path.realpath(folder).rstrip("/") + "/" for folder in folders), _own_outputs())

    def why(self, path: str, status: os.stat_result) -> str | None:
        """Why the file at ``path`` is not read, as the end of a sentence; None when it may be."""
        if not stat.S_ISREG(status.st_mode):
            return "is not a regular file"
        kind = kind_of(status.st_dev)
        if is_made_up(kind):
            return f"is made up by the kernel ({kind}), which is no log file"
        if FileId.of(status) in self.outputs:
            return "is what the agent writes its own log to"
        if self.folders and os.path.realpath(path).startswith(self.folders):
            return "lies in the agent's own state directory"
        return _by_link(path, status)


def _by_link(path: str, status: os.stat_result) -> str | None:
    """A link is followed for who made it: it must not show them, through the agent, what they may not read themselves.

    Root, the agent's user and the file's owner may link to it, everybody to what everybody may read.
    """
    if status.st_mode & stat.S_IROTH:
        return None
    trusted = (0, os.geteuid(), status.st_uid)
    parts = path.split("/")
    for count in range(2, len(parts) + 1):
        link = "/".join(parts[:count])
        owner = os.lstat(link)
        if stat.S_ISLNK(owner.st_mode) and owner.st_uid not in trusted:
            return (
                f"is reached by {link!r}, a link of user {owner.st_uid}, who may not be allowed to read it "
                "(chown -h root the link if that is meant)"
            )
    return None


def _own_outputs() -> frozenset[FileId]:
    found = set()
    for descriptor in _OUTPUTS:
        try:
            status = os.fstat(descriptor)
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode):
            found.add(FileId.of(status))
    return frozenset(found)
