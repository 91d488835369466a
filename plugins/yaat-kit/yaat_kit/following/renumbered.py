"""Devices that got another number at a boot: overlays, btrfs, device-mapper, disks that were found in another order."""

from __future__ import annotations

import os
from collections.abc import Mapping

import attrs

from yaat_kit.following.checkpoint import Checkpoint
from yaat_kit.following.copies import content_is
from yaat_kit.following.identity import FileId, open_regular


def renumbered(stored: Mapping[bytes, Checkpoint]) -> dict[bytes, Checkpoint]:
    """The checkpoints with the device that their file is on now.

    Where a checkpoint's device is not the one of its path any more, the file there, or another of that folder, with the same
    inode and with the bytes that the checkpoint marks is the same file.
    """
    names: dict[str, dict[int, str]] = {}
    return {key: _now(checkpoint, names) for key, checkpoint in stored.items()}


def _now(stored: Checkpoint, names: dict[str, dict[int, str]]) -> Checkpoint:
    try:
        path = _candidate(stored, names)
        if path is None:
            return stored
        descriptor, status = open_regular(path)
    except OSError:
        return stored
    try:
        same = content_is(descriptor, status.st_size, stored)
    finally:
        os.close(descriptor)
    return attrs.evolve(stored, file=FileId.of(status)) if same else stored


def _candidate(stored: Checkpoint, names: dict[str, dict[int, str]]) -> str | None:
    """The path of a file with this inode on another device, where the checkpoint's one is not."""
    folder = os.path.dirname(stored.path)
    if os.stat(folder).st_dev == stored.file.device:
        return None
    if os.path.exists(stored.path):
        there = FileId.of(os.stat(stored.path))
        if there.inode == stored.file.inode:
            return None if there == stored.file else stored.path
    if folder not in names:
        with os.scandir(folder) as entries:
            names[folder] = {entry.inode(): entry.path for entry in entries}
    return names[folder].get(stored.file.inode)
