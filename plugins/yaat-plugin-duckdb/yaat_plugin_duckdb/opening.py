"""Opening a database, whatever its files went through.

A log that DuckDB refuses, or a file with damaged headers, is renamed and a new one begun: events that were not yet
CHECKPOINTed are still in the queue, and a crash loop would help nobody. What is not ours is never touched: a file
without DuckDB's mark, a database with other tables, one of a later version.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Final, Literal

import attrs
import duckdb

from yaat_core.errors import (
    StateInUse,
    StoreDamaged,
    StoreForeign,
    StoreNewer,
    StoreUnavailable,
    YaatError,
)
from yaat_plugin_duckdb import layout, ledger
from yaat_plugin_duckdb.engine import Limits, connect, wal_path
from yaat_plugin_duckdb.store import Store

_MARK: Final = b"DUCK"
_MARK_AT: Final = 8
_PAGE: Final = 4096
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


@attrs.frozen
class Opened:
    """A store, and the files that had to be set aside for it."""

    store: Store
    set_aside: tuple[Path, ...]


def open_store(path: Path, limits: Limits, owner: ledger.Owner) -> Opened:
    """Open the database, or make one that belongs to ``owner``.

    Raises:
        StoreNewer, StoreForeign: it is not for us, and untouched.
        StoreUnavailable, StateInUse: can't be opened now.
        StoreDamaged: can't be opened, and can't be set aside.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside: list[Path] = []
    for _ in range(3):
        _require_ours(path)
        try:
            return Opened(_open(path, limits, owner), tuple(aside))
        except duckdb.Error as error:
            trouble = diagnose(error, path)
            aside += _set_aside(path, trouble, error)
    raise StoreDamaged(
        "the database can't be opened, though its damaged files were set aside",
        where=str(path),
        fix="look at the log, and move the files away",
    )


def _open(path: Path, limits: Limits, owner: ledger.Owner) -> Store:
    connection = connect(path, limits)
    try:
        format = ledger.format_of(connection)
        if format is None:
            connection.execute("BEGIN TRANSACTION")
            for statement in layout.statements():
                connection.execute(statement)
            ledger.create(connection, layout.FORMAT, owner)
            connection.execute("COMMIT")
        else:
            require_format(format, path)
        return Store(connection, path, fresh=format is None)
    except BaseException:
        connection.close()
        raise


def require_format(format: int, path: Path) -> None:
    """Is a database of this format one that we read?

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
    if any(sign in lowered for sign in _DAMAGED):
        return "file"
    raise StoreDamaged(
        "the database can't be opened",
        where=str(path),
        cause=text,
        effect="events wait in the queue",
        fix="move the file away, and a new one is made; it can still be looked at with `duckdb`",
    ) from error


def unavailable(error: Exception, path: Path) -> YaatError:
    """The store can't be used now, as an error for the user."""
    return StoreUnavailable(
        "the database can't be opened or written now",
        where=str(path),
        cause=str(error).splitlines()[0],
        effect="events wait in the queue",
        fix="free space under this folder, or see that the agent may write there",
    )


def _is_later(text: str) -> bool:
    match = _VERSION.search(text)
    if match is None:
        return False
    known = [int(number) for number in re.findall(r"\d+", match[2])]
    return bool(known) and max(known) < int(match[1]) <= max(known) + _LATER


def _require_ours(path: Path) -> None:
    """Refuse a file that DuckDB never wrote; remove an empty one, which a crash at the first start leaves."""
    try:
        with path.open("rb") as file:
            head = file.read(_PAGE)
    except FileNotFoundError:
        return
    except OSError as error:
        raise unavailable(error, path) from error
    if not head and path.is_file():
        path.unlink()
    elif head[_MARK_AT : _MARK_AT + len(_MARK)] != _MARK and head.strip(b"\0"):
        raise StoreForeign(
            "the file exists and is no DuckDB database; it was not touched",
            where=str(path),
            fix="choose another `path` for the sink, or move the file away",
        )


def _set_aside(path: Path, trouble: Trouble, error: duckdb.Error) -> list[Path]:
    """Rename what is damaged; the log goes with the file it belongs to."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    wal = wal_path(path)
    files = [wal, *(wal.with_name(wal.name + end) for end in (".checkpoint", ".recovery"))]
    moved = []
    for file in [*([path] if trouble == "file" else []), *files]:
        if file.exists():
            moved.append(_free_name(file, stamp))
            file.rename(moved[-1])
    if not moved:
        raise StoreDamaged("the database can't be opened", where=str(path), cause=str(error)) from error
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return moved


def _free_name(file: Path, stamp: str) -> Path:
    name = f"{file.name}.damaged-{stamp}"
    taken = sum(1 for other in file.parent.iterdir() if other.name.startswith(name))
    return file.with_name(f"{name}-{taken}" if taken else name)


def damaged_files(path: Path) -> list[Path]:
    """Files that were set aside and still lie beside the database."""
    if not path.parent.is_dir():
        return []
    return sorted(
        file for file in path.parent.iterdir() if file.name.startswith(path.name) and ".damaged-" in file.name
    )
