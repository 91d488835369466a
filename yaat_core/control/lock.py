"""One process at a time may use a state directory: an advisory lock on ``state_dir/lock``."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from yaat_core.errors import NotAllowed, StateInUse, StoreUnavailable

FILE = "lock"
#: Seconds to wait for commands that only look at the state directory (`yaat status`, `yaat queue export`).
PATIENCE = 30.0


class StateLock:
    """Holds the lock while entered. The kernel drops it with the process, so no lock is ever stale.

    The file stays, and holds the pid of the last owner. The directory is made with mode 0700.

    Waits a while for commands that only look.

    Raises:
        StateInUse: another process holds it; names its pid.
        StoreUnavailable: the directory can't be made or written.
    """

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self._fd: int | None = None

    def __enter__(self) -> StateLock:
        fd = self._open()
        try:
            self._take(fd)
        except BaseException:
            os.close(fd)
            raise
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        self._fd = fd
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _take(self, fd: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while not _locked(fd, fcntl.LOCK_EX):
            if not _locked(fd, fcntl.LOCK_SH):
                raise _in_use(self.state_dir, _owner(fd))
            fcntl.flock(fd, fcntl.LOCK_UN)  # only commands that look: they end soon
            if time.monotonic() > deadline:
                raise _looked_at(self.state_dir)
            time.sleep(0.02)

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(self.state_dir / FILE, flags, 0o600)
        except OSError as error:
            raise StoreUnavailable(
                f"the state directory {self.state_dir} can't be used: {error.strerror or error}",
                where=str(self.state_dir / FILE),
                fix="make it writable for this user, or set state_dir to another place",
            ) from None


@contextlib.contextmanager
def looking(state_dir: Path) -> Iterator[None]:
    """Nobody changes the state directory meanwhile; others may look, too. Makes and writes nothing.

    Raises:
        StateInUse: an agent, or a command that changes something, has it.
        NotAllowed: the directory may not be read.
    """
    try:
        fd = os.open(state_dir / FILE, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        yield  # nobody ever locked it
        return
    except OSError as error:
        raise NotAllowed(
            f"the state directory {state_dir} can't be looked at: {error.strerror or error}",
            where=str(state_dir / FILE),
            fix="run the command as the agent's user (sudo -u)",
        ) from None
    try:
        if not _locked(fd, fcntl.LOCK_SH):
            raise _in_use(state_dir, _owner(fd))
        yield
    finally:
        os.close(fd)


def holder(state_dir: Path) -> str | None:
    """The pid of who holds the lock now (empty when it is not known); None when nobody does."""
    try:
        fd = os.open(state_dir / FILE, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        return None if _locked(fd, fcntl.LOCK_SH) else _owner(fd)
    finally:
        os.close(fd)


def _locked(fd: int, how: int) -> bool:
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _owner(fd: int) -> str:
    return os.pread(fd, 32, 0).decode("ascii", "replace").strip()


def _in_use(state_dir: Path, owner: str) -> StateInUse:
    whose = f"pid {owner}" if owner.isdigit() else "another process"
    return StateInUse(
        f"the state directory {state_dir} is in use by {whose}",
        where=str(state_dir / FILE),
        fix="stop that process (an agent stops on SIGTERM), or give this one another state_dir",
    )


def _looked_at(state_dir: Path) -> StateInUse:
    return StateInUse(
        f"a command is looking at the state directory {state_dir}",
        where=str(state_dir / FILE),
        fix="wait until that command (`yaat queue export`, `verify`, `query`) has ended, or end it",
    )
