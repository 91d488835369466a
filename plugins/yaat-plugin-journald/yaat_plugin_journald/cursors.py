"""Cursors of the journal, ``s=...;i=...;b=...;m=...;t=...;x=...`` (systemd, docs/JOURNAL_FILE_FORMAT and sd-journal.c).

``s`` is the id of a sequence, ``i`` the entry's number in it, ``b`` the boot, ``t`` the time at which journald took the
entry, microseconds since the epoch; numbers are hexadecimal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np
import numpy.typing as npt

_CURSOR: Final = re.compile(
    rb"s=([0-9a-f]{32});i=([0-9a-f]{1,16});b=([0-9a-f]{32});m=[0-9a-f]{1,16};t=([0-9a-f]{1,16});x=[0-9a-f]{1,16}"
)


@attrs.frozen
class Cursor:
    """One, taken apart."""

    text: str
    sequence: str
    number: int
    boot: str
    us: int

    @classmethod
    def parse(cls, text: str | bytes) -> Cursor:
        """Read one.

        Raises:
            ValueError: not a cursor.
        """
        raw = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
        match = _CURSOR.fullmatch(raw)
        if match is None:
            raise ValueError(f"not a cursor of the journal: {raw[:200]!r}")
        sequence, number, boot, us = match.groups()
        return cls(raw.decode("ascii"), sequence.decode(), int(number, 16), boot.decode(), int(us, 16))


@attrs.frozen
class Places:
    """Where the entries of a batch are: the sequence and boot of each as bytes, its number, its time."""

    streams: Sequence[bytes]
    numbers: npt.NDArray[np.uint64]
    times: npt.NDArray[np.int64]


def places_of(cursors: Sequence[bytes]) -> Places:
    """All cursors of a batch taken apart.

    Raises:
        ValueError: one that is none.
    """
    streams, numbers, times = [], [], []
    match = _CURSOR.fullmatch
    for cursor in cursors:
        found = match(cursor)
        if found is None:
            raise ValueError(f"not a cursor of the journal: {cursor[:200]!r}")
        sequence, number, boot, us = found.groups()
        streams.append(sequence + boot)
        numbers.append(int(number, 16))
        times.append(int(us, 16))
    return Places(
        streams, np.array(numbers, np.uint64), np.minimum(np.array(times, np.uint64), 2**62).astype(np.int64)
    )
