"""Texts on the wire to values, a column at a time: identities, times, hex digits.

Each function answers None when any row is not written plainly. Nobody is told which one by these: that is the business
of `ingest.careful`, which looks at every event by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core.event import TIME_TYPE

_NIBBLES: Final = np.full(256, 255, np.uint8)
for _digit in b"0123456789abcdefABCDEF":
    _NIBBLES[_digit] = int(chr(_digit), 16)
_UUID: Final = 36
_DASHES: Final = np.array([8, 13, 18, 23])
_DIGITS: Final = np.array([place for place in range(_UUID) if place not in (8, 13, 18, 23)])

#: ``2026-01-05T10:00:00``, and behind it ``Z`` or ``+02:00``, before that perhaps a point and up to nine digits.
_SECONDS: Final = b"0000-00-00T00:00:00"
_TEMPLATE: Final = np.frombuffer(_SECONDS, np.uint8)
_MARKS: Final = np.flatnonzero(ord("0") != _TEMPLATE)
_NUMBERS: Final = np.flatnonzero(ord("0") == _TEMPLATE)
_TO_MICROSECONDS: Final = 26
_MOST: Final = 29
_ZONE: Final = 6

_HEX: Final = "^[0-9a-f]{1,64}$"

#: Up to so many rows are quicker one by one: a column costs the same whether it has one row or fifty.
_FEW: Final = 16
_IDENTITY: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TIME: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?)(?:(?<=\.[0-9]{6})[0-9]{1,3})?"
    r"(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)
_EPOCH: Final = datetime(1970, 1, 1)
_MICROSECOND: Final = timedelta(microseconds=1)


def uuids(texts: Sequence[str]) -> Any | None:
    """RFC 9562 text to ``binary(16)``."""
    return _few_uuids(texts) if len(texts) <= _FEW else _many_uuids(pa.array(texts, pa.string()))


def times(texts: Sequence[str]) -> Any | None:
    """RFC 3339 with ``T``, in UTC or with an offset, to microseconds UTC; what is finer is cut."""
    return _few_times(texts) if len(texts) <= _FEW else _many_times(pa.array(texts, pa.string()))


def _few_uuids(texts: Sequence[str]) -> Any | None:
    if not all(map(_IDENTITY.fullmatch, texts)):
        return None
    packed = bytes.fromhex("".join(texts).replace("-", ""))
    return pa.Array.from_buffers(pa.binary(16), len(texts), [None, pa.py_buffer(packed)])


def _few_times(texts: Sequence[str]) -> Any | None:
    found = []
    for text in texts:
        plain = _TIME.fullmatch(text)
        if plain is None:
            return None
        try:
            time = datetime.fromisoformat(plain[1])
        except ValueError:  # there is no such day
            return None
        microseconds = (time - _EPOCH) // _MICROSECOND
        if plain[2]:
            minutes = int(plain[3]) * 60 + int(plain[4])
            microseconds -= (minutes if plain[2] == "+" else -minutes) * 60_000_000
        found.append(microseconds)
    return pa.array(found, TIME_TYPE)


def _many_uuids(texts: Any) -> Any | None:
    rows = len(texts)
    letters = _matrix(texts, np.arange(rows), _UUID) if (_lengths(texts) == _UUID).all() else None
    if letters is None or not (letters[:, _DASHES] == ord("-")).all():
        return None
    nibbles = _NIBBLES[letters[:, _DIGITS]]
    if (nibbles == 255).any():
        return None
    packed = nibbles[:, 0::2] << 4 | nibbles[:, 1::2]
    return pa.Array.from_buffers(pa.binary(16), rows, [None, pa.py_buffer(packed.tobytes())])


def _many_times(texts: Any) -> Any | None:
    lengths = _lengths(texts)
    first = int(lengths[0])
    if (lengths == first).all():
        every = _times_of_a_length(_matrix(texts, lengths, first), first)
        return None if every is None else pa.array(every).view(TIME_TYPE)
    found = np.empty(len(texts), np.int64)
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        some = _times_of_a_length(_matrix(texts, rows, int(length)), int(length))
        if some is None:
            return None
        found[rows] = some
    return pa.array(found).view(TIME_TYPE)


def is_hex(texts: Any) -> bool:
    """Whether all that are there are lower-case hex digits, at least one and at most 64."""
    return pc.all(pc.match_substring_regex(texts, _HEX)).as_py() is not False


def _times_of_a_length(letters: Any, length: int) -> Any | None:
    if length <= len(_SECONDS):
        return None
    ends_in_z = letters[0, -1] == ord("Z")
    end = length - 1 if ends_in_z else length - _ZONE
    if end < len(_SECONDS) or not _well_formed(letters, end):
        return None
    width = min(end, _TO_MICROSECONDS)
    plain = np.ascontiguousarray(letters[:, :width])
    offsets = pa.py_buffer(np.arange(0, width * (len(letters) + 1), width, dtype=np.int32))
    text = pa.StringArray.from_buffers(len(letters), offsets, pa.py_buffer(plain))
    try:
        parsed = np.asarray(pc.cast(text, pa.timestamp("us")).view(pa.int64()))
    except pa.ArrowInvalid:
        return None
    if ends_in_z:
        return parsed if (letters[:, -1] == ord("Z")).all() else None
    shift = _offset_minutes(letters[:, end:])
    return None if shift is None else parsed - shift * 60_000_000


def _well_formed(letters: Any, end: int) -> bool:
    """Digits where digits belong, marks where marks belong, up to the zone; no year 0."""
    if not (letters[:, :4] != ord("0")).any(axis=1).all():
        return False
    if not (letters[:, _MARKS] == _TEMPLATE[_MARKS]).all() or not _all_digits(letters[:, _NUMBERS]):
        return False
    if end == len(_SECONDS):
        return True
    fraction = letters[:, len(_SECONDS) : end]
    digits = fraction.shape[1] - 1
    return bool(
        digits > 0 and end <= _MOST and (fraction[:, 0] == ord(".")).all() and _all_digits(fraction[:, 1:])
    )


def _offset_minutes(zone: Any) -> Any | None:
    """``+02:00`` to minutes east of Greenwich."""
    sign = zone[:, 0]
    numbers = zone[:, [1, 2, 4, 5]]
    if not (zone[:, 3] == ord(":")).all() or not _all_digits(numbers) or not np.isin(sign, (43, 45)).all():
        return None
    tens_and_ones = (numbers - ord("0")).astype(np.int64)
    hours = tens_and_ones[:, 0] * 10 + tens_and_ones[:, 1]
    minutes = tens_and_ones[:, 2] * 10 + tens_and_ones[:, 3]
    if (hours > 23).any() or (minutes > 59).any():
        return None
    return np.where(sign == ord("-"), -1, 1) * (hours * 60 + minutes)


def _all_digits(letters: Any) -> bool:
    return bool((letters - ord("0") < 10).all())  # below "0" it wraps round to large numbers


def _lengths(texts: Any) -> Any:
    return np.diff(np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1])


def _matrix(texts: Any, rows: Any, length: int) -> Any:
    """The bytes of texts that are all ``length`` long: a row each."""
    offsets = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    data = np.frombuffer(texts.buffers()[2], np.uint8) if length else np.empty(0, np.uint8)
    if len(rows) == len(texts):
        return data[offsets[0] : offsets[-1]].reshape(len(rows), length)
    return data[offsets[rows][:, None] + np.arange(length)]
