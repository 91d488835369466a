"""Options of the queue."""

from __future__ import annotations

from typing import Any

from yaat_core.config.options import Size, configuration, option

_LEAST_BUFFER = 64 * 2**10
_MOST_BUFFER = 256 * 2**20


def _buffer(_instance: Any, attribute: Any, value: int) -> None:
    if not _LEAST_BUFFER <= value <= _MOST_BUFFER:
        raise ValueError(f"{attribute.name} must be from 64KiB to 256MiB, got {Size(value)}")


def _not_empty(_instance: Any, attribute: Any, value: str) -> None:
    if not value.strip():
        raise ValueError(f"{attribute.name} must name a folder")


@configuration
class LevelDBConfig:
    """A durable queue on disk, synced at every write."""

    path: str = option(
        "queue", help="Folder of the queue, relative to `state_dir`.", example="queue", validator=_not_empty
    )
    write_buffer: Size = option(
        "8MiB", help="Memory that collects writes before they are sorted into a file.", validator=_buffer
    )
    cache: Size = option("4MiB", help="Memory that keeps what was read.", example="8MiB")
    reserve: Size = option(
        "20MiB",
        help="Disk space set aside so that the queue can reopen when the disk is full; 0B for none.",
        example="20MiB",
    )
