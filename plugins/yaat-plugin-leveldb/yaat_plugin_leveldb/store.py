"""Opening and creating LevelDB, and its errors as ours."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import attrs

from yaat_core.durable import sync_folder
from yaat_core.errors import StateInUse, StoreUnavailable, YaatError
from yaat_plugin_leveldb.binding import plyvel
from yaat_plugin_leveldb.figures import Deleted, Meta
from yaat_plugin_leveldb.folder import clear

#: Tables are mapped into memory, at most 64 at once: small ones keep the resident set small.
_TABLE_SIZE: Final = 2**20
_OPEN_FILES: Final = 74

_LOCKED: Final = "IO error: lock "
#: What the system says of files that are not there or not whole (neither an empty file nor a folder can be mapped), and
#: of links that lead nowhere.
_GONE: Final = (
    "No such file or directory",
    "Not a directory",
    "Is a directory",
    "Invalid argument",
    "No such device",
    "Too many levels of symbolic links",
)


class Refused(Exception):
    """LevelDB does not open this: it is damaged. Says why."""


@attrs.frozen(kw_only=True)
class Settings:
    """How LevelDB is opened. Nothing is compressed here: records are already."""

    write_buffer: int
    cache: int

    def options(self) -> dict[str, Any]:
        """As plyvel takes them."""
        return {
            "paranoid_checks": True,
            "compression": None,
            "write_buffer_size": self.write_buffer,
            "lru_cache_size": self.cache,
            "max_file_size": _TABLE_SIZE,
            "max_open_files": _OPEN_FILES,
        }


def open_store(path: Path, settings: Settings) -> Any:
    """Open what is there; never creates.

    Raises:
        Refused: LevelDB finds it damaged.
        StateInUse: another process has it open.
        StoreUnavailable: no space, no permission, I/O error.
    """
    try:
        return plyvel.DB(str(path), create_if_missing=False, **settings.options())
    except plyvel.Error as error:
        text = reason(error)
        if text.startswith(_LOCKED):
            raise StateInUse(
                f"the queue in {path.parent} is in use by another process",
                where=str(path),
                fix="stop the other agent, or give this one a state_dir of its own",
            ) from error
        if means_damage(error):
            raise Refused(text) from error
        raise unavailable(error, path) from error


def create_store(path: Path, queue_id: bytes, settings: Settings) -> None:
    """Make a store under another name, and give it its own when it is complete and on disk.

    Raises:
        StoreUnavailable: no space, no permission, I/O error.
    """
    new = path.with_name(path.name + ".new")
    clear(new)
    new.mkdir(mode=0o700)
    try:
        with plyvel.DB(str(new), create_if_missing=True, error_if_exists=True, **settings.options()) as db:
            write(db, [Meta(queue_id=queue_id).put(), Deleted().put()], sync=True)
    except plyvel.Error as error:
        raise unavailable(error, path) from error
    sync_folder(new)
    os.replace(new, path)
    sync_folder(path.parent)


def write(db: Any, puts: Any, *, sync: bool) -> None:
    """One atomic write; a value of None deletes."""
    batch = db.write_batch(sync=sync)
    for key, value in puts:
        if value is None:
            batch.delete(key)
        else:
            batch.put(key, value)
    batch.write()


def holds_data(path: Path) -> bool:
    """False for a folder in which LevelDB was never finished being made."""
    if (path / "CURRENT").exists():
        return True
    kinds = (".ldb", ".sst", ".log")
    return any(file.suffix in kinds and file.stat().st_size for file in path.iterdir())


def means_damage(error: BaseException) -> bool:
    """True when files are damaged or gone; False when the system refused for another reason."""
    return not isinstance(error, OSError) or reason(error).endswith(_GONE)


def reason(error: BaseException) -> str:
    """LevelDB's own words."""
    first = error.args[0] if error.args else ""
    return first.decode("utf-8", "replace") if isinstance(first, bytes) else str(error)


def unavailable(error: BaseException, path: Path) -> YaatError:
    """The error that makes the agent wait."""
    return StoreUnavailable(
        f"the queue in {path.parent} can't be used: {reason(error)}",
        where=str(path),
        effect="sources wait; nothing that was accepted is lost",
        fix="free space on its disk, or mend what the message names; it goes on by itself",
    )
