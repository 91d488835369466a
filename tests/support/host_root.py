"""A folder that stands for a machine's file system (`YAAT_HOST_ROOT`), so that detection never sees the machine of the tests.

Real processes appear in it by links below its `proc`; files that real servers name are reached by a link for their folder.
"""

from __future__ import annotations

import os
from pathlib import Path

import attrs


@attrs.frozen
class HostRoot:
    """The folder; ``environ`` for a command that shall see it."""

    path: Path

    @classmethod
    def make(cls, folder: Path) -> HostRoot:
        """An empty machine below ``folder``."""
        root = folder / "host"
        for name in ("proc", "etc", "var/log"):
            (root / name).mkdir(parents=True, exist_ok=True)
        return cls(root)

    @property
    def environ(self) -> dict[str, str]:
        return {"YAAT_HOST_ROOT": str(self.path)}

    def write(self, path: str, data: str | bytes = "") -> Path:
        """A file of the machine."""
        file = self.local(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data.encode() if isinstance(data, str) else data)
        return file

    def local(self, path: str | Path) -> Path:
        """Where a path of the machine is."""
        return self.path / str(path).lstrip("/")

    def show(self, folder: Path) -> None:
        """A real folder is there under its own path."""
        self.local(folder).parent.mkdir(parents=True, exist_ok=True)
        self.local(folder).symlink_to(folder)

    def runs(self, *pids: int) -> None:
        """Real processes, and all of their children and theirs."""
        for pid in pids:
            (self.path / "proc" / str(pid)).symlink_to(f"/proc/{pid}")
            if not (self.path / "proc/net").exists():
                (self.path / "proc/net").symlink_to(f"/proc/{pid}/net")
            self.runs(*_children(pid))

    def pretend(self, pid: int, *command: str, cgroup: str = "0::/\n") -> None:
        """A process that never ran, of the user of the tests."""
        text = "\0".join(command) + "\0"
        self.write(f"/proc/{pid}/cmdline", text.encode("utf-8", "surrogateescape"))
        self.write(
            f"/proc/{pid}/comm", command[0].partition(" ")[0].rpartition("/")[2].rstrip(":")[:15] + "\n"
        )
        self.write(f"/proc/{pid}/cgroup", cgroup)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in os.listdir(f"/proc/{pid}/task"):
        found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())
    return found
