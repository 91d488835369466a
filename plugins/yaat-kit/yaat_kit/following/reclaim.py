"""After a start: files that were not read to their end, and were renamed out of every pattern's reach, or deleted."""

from __future__ import annotations

import os
from collections.abc import Callable

import attrs

from yaat_kit.following.checkpoint import Checkpoint
from yaat_kit.following.copies import content_is
from yaat_kit.following.generation import Generation
from yaat_kit.following.identity import FileId, open_regular
from yaat_kit.following.roster import Roster


def reclaim(roster: Roster, selects: Callable[[str], bool], now: float) -> list[Generation]:
    """Follow what is found in its old folder under another name; tell and count what is gone.

    ``selects`` tells whether a path is (still) one to read.
    """
    inodes: dict[str, dict[int, str]] = {}
    found = []
    for key, stored in roster.orphans.unread():
        if not selects(stored.path):
            continue
        folder = os.path.dirname(stored.path)
        if folder not in inodes:
            inodes[folder] = _inodes(folder)
        path = inodes[folder].get(stored.file.inode)
        generation = None if path is None else _opened(roster, key, stored, path, now)
        if generation is not None:
            found.append(generation)
        elif _same_device(folder, stored):
            roster.lose(stored.path, stored.unread)
            told = attrs.evolve(stored, size=stored.offset)
            roster.orphans.adopt(key)
            roster.orphans.stored[key] = told
            roster.put_pending({key: told.encode()})
    return found


def _opened(roster: Roster, key: bytes, stored: Checkpoint, path: str, now: float) -> Generation | None:
    try:
        descriptor, status = open_regular(path)
    except OSError:
        return None
    if FileId.of(status) != stored.file or not content_is(descriptor, status.st_size, stored):
        os.close(descriptor)
        return None
    roster.orphans.drop(key)
    generation = Generation.resume(key, stored, place=None, file=stored.file)
    if roster.orphans.adopt(key):
        roster.put_pending({key: stored.encode()})
    roster.add(generation, descriptor, now)
    return generation


def _inodes(folder: str) -> dict[int, str]:
    try:
        with os.scandir(folder) as entries:
            return {entry.inode(): entry.path for entry in entries}
    except OSError:
        return {}


def _same_device(folder: str, stored: Checkpoint) -> bool:
    """Is the file system there on which the file was?"""
    try:
        return os.stat(folder).st_dev == stored.file.device
    except OSError:
        return False
