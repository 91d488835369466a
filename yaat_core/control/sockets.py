"""The two Unix sockets of an agent: where they lie, who may use them, and how they are bound."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path
from typing import Final

from yaat_core.errors import StoreUnavailable, YaatError

CONTROL: Final = "control.sock"
READ: Final = "read.sock"

#: Rights by file mode: the owner may do everything, the group may look.
MODES: Final = {CONTROL: 0o600, READ: 0o660}

#: ``sun_path`` has 108 bytes, the last one is zero (unix(7)).
MAX_PATH: Final = 107


class SocketPathTooLong(YaatError):
    """The state directory's path is too long for a Unix socket in it."""

    code = "YAAT-E703"
    exit_code = 2


def check_path(path: Path) -> None:
    """Refuse a path that no socket can have.

    Raises:
        SocketPathTooLong: says how long it may be.
    """
    length = len(os.fsencode(path))
    if length > MAX_PATH:
        raise SocketPathTooLong(
            f"the path of the control socket has {length} bytes, the system allows {MAX_PATH}",
            where=str(path),
            fix="set state_dir to a shorter path (one of up to "
            f"{MAX_PATH - len(CONTROL) - 1} bytes), e.g. /run/yaat",
        )


def bind(path: Path, mode: int) -> socket.socket:
    """A bound, listening socket file of exactly this mode; never open to more than that, not for a moment.

    A socket that is left over is replaced: the caller holds the state directory's lock.

    Raises:
        SocketPathTooLong: see `check_path`.
        StoreUnavailable: something else has this name, or the directory can't be written.
    """
    check_path(path)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_leftover(path)
        # On Linux the file gets the mode of the descriptor, less the umask; chmod then gives back what that took.
        os.fchmod(made.fileno(), mode)
        made.bind(os.fspath(path))
        os.chmod(path, mode)
        made.listen(64)
        made.setblocking(False)
    except OSError as error:
        made.close()
        raise StoreUnavailable(
            f"the control socket can't be made: {error.strerror or error}",
            where=str(path),
            fix="make the state directory writable for this user, and move away what has this name",
        ) from None
    return made


def unlink(path: Path) -> None:
    """Remove a socket file at the end; gone already is fine."""
    path.unlink(missing_ok=True)


def _remove_leftover(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise FileExistsError(17, "something that is no socket has this name")
    path.unlink()
