"""Where the host's own files are, and psutil told so."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import psutil

_PSUTIL = threading.Lock()


@attrs.frozen
class Host:
    """The roots of what is read: ``/proc``, ``/sys`` and ``/`` of the host, wherever they are mounted."""

    proc: Path
    sys: Path
    root: Path
    relative: Callable[[str], Path] = Path
    """A path from the configuration."""
    own_proc: Path = Path("/proc/self")
    """This process's folder, in a container as well."""
    own_sys: Path = Path("/sys")

    @property
    def foreign(self) -> bool:
        """True when it is not this process's own /proc."""
        return self.proc != Path("/proc")

    @property
    def first(self) -> Path:
        """A process in the host's own namespaces: its first one, or this one."""
        return self.proc / "1" if self.foreign else self.proc / "self"

    def text(self, *parts: str) -> str:
        """A file below /proc."""
        return self.proc.joinpath(*parts).read_text("utf-8", "replace")

    @contextmanager
    def psutil(self, *below: str) -> Iterator[None]:
        """psutil reads below the host's /proc in this block (its root is one for the whole process)."""
        with _PSUTIL:
            before = psutil.PROCFS_PATH
            psutil.PROCFS_PATH = str(self.proc.joinpath(*below))
            try:
                yield
            finally:
                psutil.PROCFS_PATH = before
