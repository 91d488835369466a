"""A configuration file replaced whole: mode, owner and access lists as before, a link followed, never half of it there."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import Final

from yaat_core import durable
from yaat_core.config.editing.files import hash_of
from yaat_core.errors import NotAllowed, YaatError

#: A new file: the owner's, readable for the group that the agent may be in. It may hold what others should not read.
_NEW_MODE: Final = 0o640


class ChangedMeanwhile(YaatError):
    """The file is not the one that was edited."""

    code = "YAAT-E121"


class CannotWrite(NotAllowed):
    """The file can't be written by this user."""

    code = "YAAT-E122"


def save(path: Path, data: bytes | None, *, before: str) -> None:
    """Write the file, or take it away (None), if it still has the hash ``before``.

    Raises:
        ChangedMeanwhile: it has another.
        CannotWrite: this process may not write it, or can't keep its owner.
    """
    real = Path(os.path.realpath(path))
    try:
        _refuse_changed(real, before)
        if data is None:
            real.unlink(missing_ok=True)
            durable.sync_folder(real.parent)
        else:
            _write(real, data, before)
    except OSError as error:
        raise cannot_write(path, error) from error


def writable(path: Path) -> bool:
    """Whether `save` would be allowed to."""
    real = Path(os.path.realpath(path))
    folder = real.parent
    while not folder.exists():
        folder = folder.parent
    if not os.access(folder, os.W_OK | os.X_OK):
        return False
    try:
        about = real.stat()
    except OSError:
        return True
    return os.geteuid() == 0 or about.st_uid == os.geteuid()


def changed_meanwhile(path: Path) -> ChangedMeanwhile:
    """What is told of a file that is not the one that was edited."""
    return ChangedMeanwhile(
        f"{path} was changed by somebody else in the meantime",
        where=str(path),
        effect="nothing was written; the other change is as it was",
        fix="look at it, and make your change again",
    )


def cannot_write(path: Path, error: OSError) -> CannotWrite:
    """What is told of a file that can't be written."""
    return CannotWrite(
        f"can't write {path}: {error.strerror or error}",
        where=str(path),
        cause="it is replaced as a whole, so its folder must be writable, and its owner must be this user (or root edits it)",
        effect="the file is as it was",
        fix="run the command as the owner of the file (sudo)",
    )


def _write(real: Path, data: bytes, before: str) -> None:
    real.parent.mkdir(parents=True, exist_ok=True)
    about = real.stat() if real.exists() else None
    fresh = real.with_name(f".{real.name}.{os.getpid()}.new")
    try:
        with open(fresh, "wb", opener=durable.private) as file:
            file.write(data)
            _as_before(file.fileno(), real, about)
            file.flush()
            os.fsync(file.fileno())
        _refuse_changed(real, before)
        os.replace(fresh, real)
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
    durable.sync_folder(real.parent)


def _as_before(descriptor: int, real: Path, about: os.stat_result | None) -> None:
    if about is None:
        os.fchmod(descriptor, _NEW_MODE)
        return
    there = os.fstat(descriptor)
    if (there.st_uid, there.st_gid) != (about.st_uid, about.st_gid):
        os.fchown(descriptor, about.st_uid, about.st_gid)
    for name in os.listxattr(real):
        with contextlib.suppress(OSError):  # a file system without them, or one that is the system's own
            os.setxattr(descriptor, name, os.getxattr(real, name))
    os.fchmod(descriptor, stat.S_IMODE(about.st_mode))


def _refuse_changed(real: Path, before: str) -> None:
    try:
        now = hash_of(real.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        now = ""
    if now != before:
        raise changed_meanwhile(real)
