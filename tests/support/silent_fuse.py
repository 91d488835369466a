"""A real file system that never answers, as one whose server is gone: FUSE, with nobody who reads its requests."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_LIBC = ctypes.CDLL(None, use_errno=True)
_DETACH = 2


@contextmanager
def silent_mount(point: Path) -> Iterator[None]:
    """Mounted at ``point`` while the block lasts; what asks it waits until then. Skips where that can't be done."""
    try:
        device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        pytest.skip(f"no FUSE here: {error.strerror}")
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0".encode()
    if _LIBC.mount(b"silent", os.fsencode(point), b"fuse", 0, options):
        os.close(device)
        pytest.skip(f"can't mount here: {os.strerror(ctypes.get_errno())}")
    try:
        yield
    finally:
        os.close(device)  # everything that waits for it fails now
        _LIBC.umount2(os.fsencode(point), _DETACH)
