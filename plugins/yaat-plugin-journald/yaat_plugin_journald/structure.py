"""Are the entries of a closed journal file where its lists say? (systemd, docs/JOURNAL_FILE_FORMAT.md)

libsystemd leaves a file at the first entry that is damaged, and says nothing of it. This looks at the lists of entries and at the
beginning of each entry, whole columns at a time: pages that reading the file touches anyway.
"""

from __future__ import annotations

import mmap
import os
from typing import Any, Final

import attrs
import numpy as np

_ENTRY, _ENTRY_ARRAY = 3, 6
_ONLINE: Final = 1
_COMPACT: Final = 1 << 4
#: Offsets in the header, and in an entry array (type, flags, 6 bytes, size, next array, items).
_FLAGS, _STATE, _HEADER_SIZE, _COUNT, _FIRST_ARRAY, _TAIL_TIME = 12, 16, 88, 152, 176, 192
_LEAST_HEADER: Final = 208
_ARRAY_HEAD: Final = 24
_ENTRY_HEAD: Final = 64


@attrs.frozen
class Structure:
    """How many entries a file should have, and how many of them are not where they should be."""

    entries: int
    damaged: int


def structure(path: str, since_us: int) -> Structure | None:
    """Look at it; None when it is still written to, or its last entry is older than ``since_us``.

    Raises:
        OSError: it can't be read.
    """
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size < _LEAST_HEADER:
            return None
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            data = np.frombuffer(mapped, np.uint8)
            try:
                if data[_STATE] == _ONLINE and not path.endswith("~"):
                    return None
                return _looked_at(data) if _number(data, _TAIL_TIME) >= since_us else None
            finally:
                del data


def _looked_at(data: Any) -> Structure:
    count = _number(data, _COUNT)
    offsets = _offsets(data, count)
    good = (
        (offsets >= _number(data, _HEADER_SIZE)) & (offsets + _ENTRY_HEAD <= len(data)) & (offsets % 8 == 0)
    )
    offsets = offsets[good]
    offsets = offsets[data[offsets] == _ENTRY]
    numbers = np.zeros(len(offsets), np.uint64)
    for byte in range(8):
        numbers |= data[offsets + 16 + byte].astype(np.uint64) << np.uint64(8 * byte)
    rising = int((numbers[1:] > numbers[:-1]).sum()) + min(1, len(numbers))
    return Structure(count, max(0, count - rising))


def _offsets(data: Any, count: int) -> Any:
    """What the chain of entry arrays lists; shorter than ``count`` when the chain is broken."""
    compact = bool(int.from_bytes(data[_FLAGS : _FLAGS + 4].tobytes(), "little") & _COMPACT)
    found: list[Any] = [np.zeros(0, np.int64)]
    at, listed, before = _number(data, _FIRST_ARRAY), 0, 0
    while (
        listed < count and before < at <= len(data) - _ARRAY_HEAD and at % 8 == 0 and data[at] == _ENTRY_ARRAY
    ):
        end = at + _number(data, at + 8)
        if not at + _ARRAY_HEAD <= end <= len(data):
            break
        items = data[at + _ARRAY_HEAD : end - (end - at - _ARRAY_HEAD) % 8].view(
            np.uint32 if compact else np.uint64
        )
        items = items[: count - listed]
        found.append(np.minimum(items, len(data)).astype(np.int64))
        listed, before, at = listed + len(items), at, _number(data, at + 16)
    return np.concatenate(found)


def _number(data: Any, at: int) -> int:
    return int.from_bytes(data[at : at + 8].tobytes(), "little")
