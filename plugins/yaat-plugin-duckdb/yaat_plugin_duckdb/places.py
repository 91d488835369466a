"""Where the files of a database lie: one for each stretch of time, numbered.

The first is `path` itself (a database of an earlier format is just that file), those after it lie in the folder
`path.d`. A file keeps its name for as long as it lives, and nothing is written to it once the next one has begun, so
that a copy of it stays good.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import attrs

from yaat_core import durable
from yaat_core.faults import reached

_NAME: Final = re.compile(r"(\d{6,12})\.duckdb")
#: Of a file that is about to be removed.
_DROPPED: Final = ".dropped"
#: What DuckDB keeps beside a database: its log, and what becomes of it during a CHECKPOINT.
_SIDECARS: Final = (".wal", ".wal.checkpoint", ".wal.recovery")


@attrs.frozen(order=True)
class Partition:
    """One file of a database."""

    number: int
    path: Path

    @property
    def alias(self) -> str:
        """Its name within an instance."""
        return f"yaat_{self.number}"

    @property
    def wal(self) -> Path:
        """DuckDB's write-ahead log."""
        return self.sidecars[0]

    @property
    def sidecars(self) -> tuple[Path, ...]:
        """What DuckDB keeps beside the file, whether it is there or not; its log first."""
        return tuple(self.path.with_name(self.path.name + end) for end in _SIDECARS)

    def bytes(self) -> int:
        """Size of the file."""
        return _size(self.path)

    def wal_bytes(self) -> int:
        """Size of its log."""
        return _size(self.wal)


class Places:
    """The files of the database at ``path``."""

    def __init__(self, path: Path) -> None:
        path = path.absolute()
        self.path = path
        self.folder = path.with_name(path.name + ".d")
        self.spill = path.with_name(path.name + ".tmp")
        """For temporary files of queries."""

    def at(self, number: int) -> Partition:
        """The place of a file, whether it is there or not."""
        return Partition(number, self.path if number == 1 else self.folder / f"{number:06}.duckdb")

    def present(self) -> list[Partition]:
        """What is there, the oldest first."""
        found = [self.at(1)] if self.path.exists() else []
        return sorted([*found, *(self.at(number) for number in self._numbers())])

    def strays(self) -> list[Path]:
        """Logs whose file is gone."""
        folder = self.folder.iterdir() if self.folder.is_dir() else ()
        logs = [*self.at(1).sidecars, *(file for file in folder if file.name.endswith(_SIDECARS))]
        return sorted(log for log in logs if log.exists() and not _owner(log).exists())

    def prepare(self) -> None:
        """Make the folder of the first file, and finish what a crash interrupted."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.path.parent, self.folder):
            for file in folder.glob("*" + _DROPPED):
                self._finish(file)

    def next(self, partition: Partition) -> Partition:
        """The place of the file after this one; its folder is there."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        durable.sync_folder(self.folder.parent)
        return self.at(partition.number + 1)

    def remove(self, partition: Partition) -> None:
        """Delete a file that no instance has attached. A crash at any moment leaves it whole, or to `prepare`."""
        dropped = partition.path.with_name(partition.path.name + _DROPPED)
        try:
            partition.path.rename(dropped)
        except FileNotFoundError:
            return
        durable.sync_folder(dropped.parent)
        reached("duckdb.retire.renamed")
        self._finish(dropped)

    def damaged(self) -> list[Path]:
        """Files that were set aside and still lie there."""
        folders = [folder for folder in (self.path.parent, self.folder) if folder.is_dir()]
        return sorted(
            file
            for folder in folders
            for file in folder.iterdir()
            if ".damaged-" in file.name and (folder == self.folder or file.name.startswith(self.path.name))
        )

    def _finish(self, dropped: Path) -> None:
        gone = dropped.with_name(dropped.name.removesuffix(_DROPPED))
        if gone != self.path and gone.parent != self.folder:
            return
        if not gone.exists():
            for end in _SIDECARS:
                gone.with_name(gone.name + end).unlink(missing_ok=True)
        dropped.unlink()

    def _numbers(self) -> list[int]:
        names = os.listdir(self.folder) if self.folder.is_dir() else []
        matches = [_NAME.fullmatch(name) for name in names]
        return [int(match[1]) for match in matches if match and int(match[1]) > 1]


def _owner(log: Path) -> Path:
    return log.with_name(log.name.partition(".wal")[0])


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
