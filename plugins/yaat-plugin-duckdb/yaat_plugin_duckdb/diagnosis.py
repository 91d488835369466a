"""What is wrong with a file, going by its header and by what DuckDB says; and setting damaged files aside.

What is not ours is never touched: a file without DuckDB's mark, a database with other tables, one of a later version.
"""

from __future__ import annotations

import re
import struct
import time
from pathlib import Path
from typing import Final, Literal

import attrs
import duckdb

from yaat_core import durable
from yaat_core.errors import (
    StateInUse,
    StoreDamaged,
    StoreForeign,
    StoreNewer,
    StoreUnavailable,
    YaatError,
)
from yaat_plugin_duckdb import layout
from yaat_plugin_duckdb.places import Partition

_MARK: Final = b"DUCK"
_MARK_AT: Final = 8
_PAGE: Final = 4096
#: Two headers follow the main one; the one with the higher iteration is true. Blocks come after them.
_HEADERS: Final = 3 * _PAGE
#: checksum, iteration, meta block, free list, number of blocks, bytes of a block (DuckDB's `DatabaseHeader`).
_HEADER: Final = struct.Struct("<QQqqQQ")
_BLOCK_BYTES: Final = tuple(2**power for power in range(14, 19))
#: A version beyond those we know by at most this is a later DuckDB's; beyond that it is a flipped bit.
_LATER: Final = 16
_VERSION: Final = re.compile(r"version (?:number )?(\d+).{0,40}can only read version\D*([\d, and]*)")
_UNAVAILABLE: Final = (
    "no space left",
    "disk quota",
    "permission denied",
    "operation not permitted",
    "read-only file system",
    "cannot open file",
    "input/output error",
    "too many open files",
    "is a directory",
    "failed to allocate",
    "out of memory",
)

#: What DuckDB says of a file whose content is wrong. Nothing else makes us rename a file.
_DAMAGED: Final = (
    "corrupt",
    "checksum",
    "not a valid duckdb",
    "serialization",
    "failed to deserialize",
    "could not read enough bytes",
    "could not read all bytes",
    "wal does not match",
)

Trouble = Literal["wal", "file"]


def diagnose(error: duckdb.Error, path: Path) -> Trouble:
    """Which file is damaged, going by what DuckDB says.

    Raises:
        YaatError: none is; the store is in use, unavailable or of a later version.
    """
    text = str(error).splitlines()[0]
    lowered = text.lower()
    if "could not set lock" in lowered:
        raise StateInUse(
            "another process has the database open",
            where=str(path),
            cause=text,
            fix="stop it; while the agent runs, ask through `yaat query`",
        ) from error
    if _is_later(text):
        raise StoreNewer(
            "a later version of DuckDB wrote the database; it was not touched",
            where=str(path),
            cause=text,
            fix="update the package duckdb, or choose another `path` for the sink",
        ) from error
    if isinstance(error, duckdb.OutOfMemoryException) or any(sign in lowered for sign in _UNAVAILABLE):
        raise unavailable(error, path) from error
    if "replaying wal" in lowered:
        return "wal"
    if is_damage(error):
        return "file"
    raise StoreDamaged(
        "the database can't be opened",
        where=str(path),
        cause=text,
        effect="events wait in the queue",
        fix="move the file away, and a new one is made; it can still be looked at with `duckdb`",
    ) from error


def is_damage(error: Exception) -> bool:
    """Does DuckDB say that the content of a file is wrong?"""
    lowered = str(error).partition("\n")[0].lower()
    return any(sign in lowered for sign in _DAMAGED)


def unavailable(error: Exception, path: Path) -> YaatError:
    """The store can't be used now, as an error for the user."""
    return StoreUnavailable(
        "the database can't be opened or written now",
        where=str(path),
        cause=str(error).splitlines()[0],
        effect="events wait in the queue",
        fix="free space under this folder, or see that the agent may write there",
    )


@attrs.frozen(kw_only=True)
class Extent:
    """How long a file is, and how many blocks its header says that it has at most."""

    blocks: int
    block_bytes: int
    bytes: int

    def end(self, blocks: int) -> int:
        """Where that many blocks end."""
        return _HEADERS + blocks * self.block_bytes

    def is_whole(self, blocks: int) -> bool:
        """Does it hold that many blocks?"""
        return self.end(blocks) <= self.bytes


def extent(path: Path) -> Extent | None:
    """Going by the true header of a file; None when it has none that makes sense.

    Raises:
        StoreForeign: DuckDB never wrote this file.
        StoreUnavailable: it can't be read.
    """
    head = _head(path)
    if len(head) < _HEADERS:
        return None
    headers = [_HEADER.unpack_from(head, at) for at in (_PAGE, 2 * _PAGE)]
    _, _, _, _, blocks, block_bytes = max(headers, key=lambda header: int(header[1]))
    if block_bytes not in _BLOCK_BYTES:
        return None
    return Extent(blocks=blocks, block_bytes=block_bytes, bytes=path.stat().st_size)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(_HEADERS)
    except OSError as error:
        raise unavailable(error, path) from error
    if head and head[_MARK_AT : _MARK_AT + len(_MARK)] != _MARK and head[:_PAGE].strip(b"\0"):
        raise StoreForeign(
            "the file exists and is no DuckDB database; it was not touched",
            where=str(path),
            fix="choose another `path` for the sink, or move the file away",
        )
    return head


def require_format(format: int, path: Path) -> None:
    """Is a file of this format one that we read?

    Raises:
        StoreForeign, StoreNewer: it is not.
    """
    if format == 0:
        raise StoreForeign(
            "a DuckDB database that is not YAAT's",
            where=str(path),
            cause="it has tables, and none of them is ours",
            fix="choose another `path` for the sink",
        )
    if format > layout.FORMAT:
        raise StoreNewer(
            f"the database has format {format}, this version reads up to {layout.FORMAT}",
            where=str(path),
            cause="a later version of YAAT wrote it; it was not touched",
            fix="update yaat-plugin-duckdb, or choose another `path` for the sink",
        )


def set_aside(partition: Partition, trouble: Trouble, reason: str) -> list[Path]:
    """Rename what is damaged; the log goes with the file it belongs to. Returns the new names.

    Raises:
        StoreDamaged: nothing is there to rename.
    """
    moved = set_files_aside([*([partition.path] if trouble == "file" else []), *partition.sidecars])
    if not moved:
        raise StoreDamaged("the database can't be opened", where=str(partition.path), cause=reason)
    return moved


def set_files_aside(files: list[Path]) -> list[Path]:
    """Rename those that are there; returns the new names."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    moved = []
    for file in files:
        if file.exists():
            moved.append(_free_name(file, stamp))
            file.rename(moved[-1])
    for folder in {file.parent for file in moved}:
        durable.sync_folder(folder)
    return moved


def _free_name(file: Path, stamp: str) -> Path:
    name = f"{file.name}.damaged-{stamp}"
    taken = sum(1 for other in file.parent.iterdir() if other.name.startswith(name))
    return file.with_name(f"{name}-{taken}" if taken else name)


def _is_later(text: str) -> bool:
    match = _VERSION.search(text)
    if match is None:
        return False
    known = [int(number) for number in re.findall(r"\d+", match[2])]
    return bool(known) and max(known) < int(match[1]) <= max(known) + _LATER
