"""Where each thing lies in the store, and the seal on small values.

    m                     counters: `figures.Meta`
    d                     what is deleted: `figures.Deleted`
    h                     known holes: pairs of sequences
    n                     damage that was found and not yet told
    c LEN COMPONENT KEY   a checkpoint: (sequence, value)
    k SINK                a cursor
    l LEDGER-KEY          rows dropped: (component, reason, rule, hour) to count
    i LAST                a record's index entry
    r LAST                a record

LAST is the sequence of a record's last event, big-endian, so that the record that holds or follows
a sequence is one seek away. A small value is msgpack, then the CRC32C (RFC 3720, big-endian) of its key
and itself: a value that strayed to another key does not pass either.
"""

from __future__ import annotations

from typing import Any, Final

import crc32c
import msgspec

LedgerKey = tuple[str, str, str, int]

META: Final = b"m"
DELETED: Final = b"d"
HOLES: Final = b"h"
NOTES: Final = b"n"
CHECKPOINT: Final = b"c"
CURSOR: Final = b"k"
LEDGER: Final = b"l"
INDEX: Final = b"i"
RECORD: Final = b"r"

#: No sequence is higher.
END: Final = 2**64 - 1


class Unsealed(Exception):
    """A value that is not what was written under its key."""


def index_key(last: int) -> bytes:
    """Key of the index entry of the record that ends at ``last``."""
    return INDEX + last.to_bytes(8, "big")


def record_key(last: int) -> bytes:
    """Key of the record that ends at ``last``."""
    return RECORD + last.to_bytes(8, "big")


def last_of(key: bytes) -> int:
    """The sequence in an index or record key."""
    return int.from_bytes(key[1:], "big")


def checkpoint_prefix(component: str) -> bytes:
    """What every checkpoint key of a component begins with."""
    name = component.encode()
    return CHECKPOINT + len(name).to_bytes(2, "big") + name


def component_of(key: bytes) -> str:
    """The component in a checkpoint key."""
    length = int.from_bytes(key[1:3], "big")
    return key[3 : 3 + length].decode("utf-8", "replace")


def cursor_key(sink: str) -> bytes:
    """Key of a sink's cursor."""
    return CURSOR + sink.encode()


def ledger_key(entry: LedgerKey) -> bytes:
    """Key of a drop counter."""
    return LEDGER + msgspec.msgpack.encode(entry)


def ledger_entry(key: bytes) -> LedgerKey:
    """The inverse of `ledger_key`."""
    entry: LedgerKey = msgspec.msgpack.decode(key[1:], type=LedgerKey)
    return entry


def seal(key: bytes, value: Any) -> bytes:
    """A small value as it is stored under ``key``."""
    payload: bytes = msgspec.msgpack.encode(value)
    return payload + _crc(key, payload)


def unseal(key: bytes, data: bytes, type: Any) -> Any:
    """The inverse of `seal`; ``type`` is what the value must be.

    Raises:
        Unsealed: checksum or shape don't fit.
    """
    payload, crc = data[:-4], data[-4:]
    if _crc(key, payload) != crc:
        raise Unsealed(f"checksum of value under {key[:1]!r} does not match")
    try:
        return msgspec.msgpack.decode(payload, type=type)
    except msgspec.MsgspecError as error:
        raise Unsealed(f"value under {key[:1]!r} has another shape") from error


def _crc(key: bytes, payload: bytes) -> bytes:
    return int(crc32c.crc32c(payload, crc32c.crc32c(key))).to_bytes(4, "big")
