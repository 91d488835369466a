"""Room and inodes on every file system that the agent writes to."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from yaat_core.checks.base import Check, Level, Looking, Surroundings
from yaat_core.config.fields import keys_of
from yaat_core.config.model import Configuration, Entry

#: Free bytes below which a check warns, and below which it fails.
LOW_SPACE: Final = 1 << 30
NO_SPACE: Final = 64 << 20
#: The same for inodes.
_LOW_INODES: Final = 10_000
_NO_INODES: Final = 100


def room(around: Surroundings) -> Iterator[Check]:
    """Each file system once, with what lies there."""
    whole = around.configuration
    by_device: dict[int, tuple[Path, list[str]]] = {}
    for what, path in places(whole).items():
        folder = _existing(path)
        try:
            device = os.stat(folder).st_dev
        except OSError as error:
            yield _unreadable("disk space", folder, error)
            continue
        by_device.setdefault(device, (folder, []))[1].append(what)
    for folder, whose in by_device.values():
        yield from _looked(folder, ", ".join(whose))


def writable(around: Surroundings) -> Iterator[Check]:
    """May this process write where it has to."""
    state = around.configuration.state_dir
    folder = _existing(state)
    if os.access(folder, os.W_OK | os.X_OK):
        there = "can be written" if folder == state else f"can be made in {folder}"
        yield Check(name="state directory", level="ok", what=f"{state} {there}")
        return
    # A command that looks on from another account need not write; the agent has to.
    yield Check(
        name="state directory",
        level="error" if around.status else "warn",
        what=f"{folder} can't be written by this user",
        advice=f"run as the agent's user, or: chown -R USER {state}",
    )


def places(whole: Configuration) -> Mapping[str, Path]:
    """What is written where: the state directory, and what has a ``path`` of its own beside it."""
    found = {"state directory": whole.state_dir}
    written: list[Entry] = [whole.queue, *whole.sinks.values()]
    for entry in written:
        for key in keys_of(entry.type.config):
            value = getattr(entry.options, key.attribute)
            if key.name == "path" and isinstance(value, str) and value:
                found[str(entry.id)] = whole.state_dir / Path(value).expanduser()
    found["dead letters"] = whole.state_dir / whole.dead_letter.path
    return found


def _looked(folder: Path, whose: str) -> Iterator[Check]:
    try:
        figures = os.statvfs(folder)
    except OSError as error:
        yield _unreadable("disk space", folder, error)
        return
    free, whole = figures.f_bavail * figures.f_frsize, figures.f_blocks * figures.f_frsize
    level = _level(free, LOW_SPACE, NO_SPACE) if whole else "ok"
    share = f" ({100 * free // whole} %)" if whole else ""
    yield Check(
        name="disk space",
        level=level,
        what=f"{free >> 20} MiB free{share} at {folder} for {whose}",
        advice="" if level == "ok" else "make room, or lower max_bytes of the queue and the sinks",
    )
    if not figures.f_files:  # a file system without a fixed number of inodes
        return
    level = _level(figures.f_favail, _LOW_INODES, _NO_INODES)
    yield Check(
        name="inodes",
        level=level,
        what=f"{figures.f_favail} of {figures.f_files} free at {folder}",
        advice=""
        if level == "ok"
        else "delete many small files there: no new file can be made without an inode",
    )


def _level(free: int, low: int, none: int) -> Level:
    return "error" if free < none else "warn" if free < low else "ok"


def _existing(path: Path) -> Path:
    """The path, or the nearest folder above it that there is."""
    for one in (path, *path.parents):
        if one.is_dir():
            return one
    return path


def _unreadable(name: str, folder: Path, error: OSError) -> Check:
    return Check(
        name=name,
        level="warn",
        what=f"{folder} can't be looked at: {error.strerror}",
        advice="check that it exists and that this user may look into it",
    )


LOOKINGS: Final = (
    Looking(name="disk space", group="disk", look=room),
    Looking(name="state directory", group="disk", look=writable),
)
