"""The files around the store.

queue/
  initialised      marker: the store was made, in which format, under which id
  store/           LevelDB
  store.new/       LevelDB while it is being made
  repairing        a repair was begun and is not finished
  reserve          space to reopen with when the disk is full
  quarantine/      single records that did not check out
  quarantine-TIME/ a store that was set aside
"""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import attrs

from yaat_core.durable import private, replace, sync_folder
from yaat_core.errors import StoreDamaged, StoreNewer
from yaat_plugin_leveldb.figures import FORMAT

_OURS: Final = ("initialised", "store", "repairing", "reserve", "quarantine", "lost+found")


@attrs.frozen(kw_only=True)
class Marker:
    """Says that a store was made here once, so that its absence is damage."""

    format: int
    queue_id: bytes
    created: str


@attrs.frozen
class Folder:
    """The folder of one queue. Methods raise OSError; the caller turns it into what the user reads."""

    path: Path

    @property
    def store(self) -> Path:
        """LevelDB's own folder."""
        return self.path / "store"

    @property
    def _marker(self) -> Path:
        return self.path / "initialised"

    @property
    def _reserve(self) -> Path:
        return self.path / "reserve"

    @property
    def has_reserve(self) -> bool:
        """True while space is set aside."""
        return self._reserve.exists()

    def prepare(self) -> None:
        """Make the folder, for this user alone.

        Raises:
            StoreDamaged: it holds files that are no queue's.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        foreign = [name for name in os.listdir(self.path) if not name.startswith(_OURS)]
        if foreign and not self._marker.exists():
            raise StoreDamaged(
                f"the folder {self.path} is not empty and holds no queue",
                where=str(self.path),
                fix="name an empty or new folder as queue.path",
            )
        self.path.chmod(0o700)

    def marker(self) -> Marker | None:
        """The marker; None when there is none.

        Raises:
            StoreNewer: the store was written by a later version.
            ValueError: it can't be read.
        """
        try:
            text = self._marker.read_bytes()
        except FileNotFoundError:
            return None
        try:
            facts = json.loads(text)
            found = Marker(
                format=int(facts["format"]),
                queue_id=bytes.fromhex(facts["queue_id"]),
                created=str(facts["created"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{self._marker} can't be read") from error
        refuse_newer(found.format, self.path)
        return found

    def write_marker(self, queue_id: bytes) -> None:
        """Write the marker, durably."""
        facts = {"format": FORMAT, "queue_id": queue_id.hex(), "created": datetime.now(UTC).isoformat()}
        replace(self._marker, json.dumps(facts).encode())

    @property
    def repairing(self) -> bool:
        """True when a repair was begun and is not finished."""
        return (self.path / "repairing").exists()

    def begin_repair(self) -> None:
        """Note, durably, that the store may be half repaired from now on."""
        (self.path / "repairing").touch(mode=0o600)
        sync_folder(self.path)

    def end_repair(self) -> None:
        """The store is whole, or another one."""
        (self.path / "repairing").unlink(missing_ok=True)

    def aside(self) -> Path:
        """A new folder for what is set aside."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        for number in range(1000):
            folder = self.path / (f"quarantine-{stamp}" + (f"-{number}" if number else ""))
            try:
                folder.mkdir(mode=0o700)
            except FileExistsError:
                continue
            return folder
        raise FileExistsError(f"{self.path}/quarantine-{stamp}")

    def quarantine(self, name: str, data: bytes) -> Path | None:
        """Keep bytes that did not check out; None when that was done before."""
        folder = self.path / "quarantine"
        folder.mkdir(mode=0o700, exist_ok=True)
        target = folder / name
        try:
            with open(target, "xb", opener=private) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            return None
        return target

    def ensure_reserve(self, size: int, spare: int) -> bool:
        """Set space aside unless that is done; False when less than ``spare`` bytes would stay free."""
        try:
            if self._reserve.stat().st_size == size:
                return True
            self._reserve.unlink()
        except FileNotFoundError:
            pass
        if not size:
            return True
        if self.room() < size + spare:
            return False
        try:
            with open(self._reserve, "wb", opener=private) as file:
                os.posix_fallocate(file.fileno(), 0, size)
        except OSError:
            self.drop_reserve()
            return False
        return True

    def room(self) -> int:
        """Bytes that are free for this user."""
        disk = os.statvfs(self.path)
        return disk.f_bavail * disk.f_frsize

    def drop_reserve(self) -> None:
        """Give the space back."""
        self._reserve.unlink(missing_ok=True)


def refuse_newer(version: int, path: Path) -> None:
    """Only formats that this version knows.

    Raises:
        StoreNewer: a later one.
    """
    if version > FORMAT:
        raise StoreNewer(
            f"the queue in {path} has format {version}, this version reads up to {FORMAT}",
            where=str(path),
            effect="the queue was not touched",
            fix="install the later version again, or name another queue.path",
        )


def clear(folder: Path) -> None:
    """Remove a folder with all that is in it, if it is there."""
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder)
