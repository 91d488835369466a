"""Event identities, made for a whole batch at once.

A source that can read its input again gives UUIDv8 (RFC 9562, section 5.8): 48 bits of
milliseconds when it first saw this generation of the stream, 32 bits of a hash of agent,
component and generation, 42 bits of offset or ordinal. Reading again gives the same id, and one
generation sorts by position. Other sources take UUIDv7 (section 5.7): time, then random.
"""

from __future__ import annotations

import hashlib
import os
import time
from typing import Any, Final

import numpy as np
import pyarrow as pa

_OFFSET_BITS: Final = 42
_VARIANT: Final = np.uint64(0x8000000000000000)


def positional(first_seen_ms: int, agent: bytes, component: str, generation: bytes, positions: Any) -> Any:
    """UUIDv8 for each of ``positions`` (offsets or ordinals below 2**42; an integer array).

    Returns:
        An Arrow array of ``fixed_size_binary(16)``.
    """
    digest = hashlib.blake2b(digest_size=4)
    for part in (agent, component.encode(), generation):
        digest.update(len(part).to_bytes(4, "big") + part)
    hashed = int.from_bytes(digest.digest(), "big")
    high = (first_seen_ms & (1 << 48) - 1) << 16 | 0x8000 | hashed >> 20
    middle = np.uint64((hashed & (1 << 20) - 1) << _OFFSET_BITS)
    offsets = np.asarray(positions).astype(np.uint64) & np.uint64((1 << _OFFSET_BITS) - 1)
    return _pack(np.full(len(offsets), high, np.uint64), _VARIANT | middle | offsets)


def random(count: int) -> Any:
    """``count`` UUIDv7 of the present millisecond, ascending within the batch."""
    high = np.uint64((time.time_ns() // 1_000_000 << 16) | 0x7000)
    low = np.frombuffer(os.urandom(8 * count), np.uint64) >> np.uint64(2)
    # rand_a counts up within the batch, so that the ids of one batch sort by row (RFC 9562, 6.2).
    step = np.arange(count, dtype=np.uint64)
    return _pack(
        high + (step >> np.uint64(20) & np.uint64(0xFFF)),
        _VARIANT | (step & np.uint64(0xFFFFF)) << np.uint64(42) | low >> np.uint64(20),
    )


def fill_missing(ids: Any) -> Any:
    """``ids`` with every all-zero entry replaced by a UUIDv7."""
    raw = np.frombuffer(ids.buffers()[1], np.uint64)[2 * ids.offset : 2 * (ids.offset + len(ids))]
    pairs = raw.reshape(-1, 2)
    missing = ~pairs.any(axis=1)
    if not missing.any():
        return ids
    made = np.frombuffer(random(int(missing.sum())).buffers()[1], np.uint64).reshape(-1, 2)
    filled = pairs.copy()
    filled[missing] = made
    return _array(filled)


def _pack(high: Any, low: Any) -> Any:
    return _array(np.stack([high, low], axis=1).astype(">u8"))


def _array(pairs: Any) -> Any:
    return pa.Array.from_buffers(pa.binary(16), len(pairs), [None, pa.py_buffer(pairs.tobytes())])
