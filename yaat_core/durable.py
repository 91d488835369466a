"""Small files that are whole after a crash or a power cut: written beside, synced, renamed, and the name synced."""

from __future__ import annotations

import os
from pathlib import Path


def replace(path: Path, data: bytes) -> None:
    """Write a file, for its owner only: afterwards, and after any crash, it holds the old bytes or all of the new.

    Raises:
        OSError: no space, no permission; the old file is as it was.
    """
    fresh = path.with_name(path.name + ".new")
    with open(fresh, "wb", opener=private) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def private(path: str, flags: int) -> int:
    """For ``open(..., opener=private)``: a file of mode 0600, and no symbolic link in its place."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
