"""Are the entries of a closed journal file where its lists say? (systemd, docs/JOURNAL_FILE_FORMAT.md)

libsystemd leaves a file at the first entry that is damaged, and says nothing of it. This looks at the lists of entries and at the
beginning of each entry, whole columns at a time, in bounded memory: pages that reading the file touches anyway.
"""

from __future__ import annotations

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
#: Bytes that are read at once.
_WINDOW: Final = 4 * 2**20


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
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        head = os.pread(descriptor, _LEAST_HEADER, 0)
        if len(head) < _LEAST_HEADER or (head[_STATE] == _ONLINE and not path.endswith("~")):
            return None
        if _number(head, _TAIL_TIME) < since_us:
            return None
        size, count = os.fstat(descriptor).st_size, _number(head, _COUNT)
        offsets = _offsets(descriptor, head, size)
        good = (offsets >= _number(head, _HEADER_SIZE)) & (offsets + _ENTRY_HEAD <= size) & (offsets % 8 == 0)
        numbers = _numbers(descriptor, np.sort(offsets[good]), size)
    finally:
        os.close(descriptor)
    rising = int((numbers[1:] > numbers[:-1]).sum()) + min(1, len(numbers))
    return Structure(count, max(0, count - rising))


def _offsets(descriptor: int, head: bytes, size: int) -> Any:
    """What the chain of entry arrays lists; shorter than it should be when the chain is broken."""
    count = min(_number(head, _COUNT), size // _ENTRY_HEAD)
    kind, width = ("<u4", 4) if int.from_bytes(head[_FLAGS : _FLAGS + 4], "little") & _COMPACT else ("<u8", 8)
    found: list[Any] = [np.zeros(0, np.int64)]
    at, listed, before = _number(head, _FIRST_ARRAY), 0, 0
    while listed < count and before < at <= size - _ARRAY_HEAD:
        array = os.pread(descriptor, _ARRAY_HEAD, at)
        if len(array) < _ARRAY_HEAD or array[0] != _ENTRY_ARRAY:
            break
        room = min(_number(array, 8), size - at) - _ARRAY_HEAD
        wanted = max(0, min(room // width, count - listed)) * width
        data = os.pread(descriptor, wanted, at + _ARRAY_HEAD)
        items = np.frombuffer(data[: len(data) // width * width], kind)
        found.append(np.minimum(items, size).astype(np.int64))
        listed, before, at = listed + len(items), at, _number(array, 16)
    return np.concatenate(found)


def _numbers(descriptor: int, offsets: Any, size: int) -> Any:
    """The numbers of the entries that are at these places, in the order of the places."""
    found: list[Any] = [np.zeros(0, np.uint64)]
    for start in range(0, size, _WINDOW):
        first, last = np.searchsorted(offsets, (start, start + _WINDOW))
        if first == last:
            continue
        data = np.frombuffer(os.pread(descriptor, _WINDOW + _ENTRY_HEAD, start), np.uint8)
        inside = offsets[first:last] - start
        inside = inside[inside + _ENTRY_HEAD <= len(data)]
        inside = inside[data[inside] == _ENTRY]
        words = data[: len(data) // 8 * 8].view("<u8")
        found.append(words[inside // 8 + 2])
    return np.concatenate(found)


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")
