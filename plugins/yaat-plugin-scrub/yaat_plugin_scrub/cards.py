"""Payment card numbers: an issuer with its length, and the right check digit (ISO/IEC 7812-1, annex B).

Lengths are those that are issued: a tenth of all numbers have the right check digit, and identities of 13 digits
(times in milliseconds, articles), 18 and 19 (64 bits) are far more common in logs than cards of that length.
"""

from __future__ import annotations

import re
from typing import Final

#: Digits in groups. Not the fraction of a number, nor a part of a word (a hash).
_RUN: Final = re.compile(rb"(?<![0-9A-Za-z])(?<![0-9]\.)[0-9](?:[ -]?[0-9]){12,}(?![0-9A-Za-z])(?!\.[0-9])")
_GROUP: Final = re.compile(rb"[0-9]+")
#: 16 digits: Visa; Mastercard; JCB; Discover, UnionPay; Maestro. 15: American Express. 14: Diners.
_SIXTEEN: Final = (
    rb"(?:4|5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720|35[2-8]|6011|64[4-9]|65|62|50[1-3]|5[6-9]|63|67)[0-9]+"
)
_ISSUED: Final = {
    14: re.compile(rb"3(?:0[0-5]|[689])[0-9]+"),
    15: re.compile(rb"3[47][0-9]+"),
    16: re.compile(_SIXTEEN),
    19: re.compile(rb"(?:4|62)[0-9]+"),
}
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
#: How cards are written in groups.
_SHAPES: Final = {
    (4, 4, 4, 4),
    (4, 4, 4, 4, 3),
    (4, 6, 5),
    (4, 6, 4),
    (4, 3, 3, 3),
    (8, 8),
    (6, 13),
}
_BEGINNINGS: Final = {shape[:count] for shape in _SHAPES for count in range(2, len(shape) + 1)}


def replace(text: bytes, placeholder: bytes) -> bytes:
    """The text with ``placeholder`` for every card number in it."""
    return _RUN.sub(lambda run: _in_run(run[0], placeholder), text)


def luhn(digits: bytes) -> bool:
    """Whether the last digit is the right check digit."""
    values = [digit - 48 for digit in reversed(digits)]
    return (sum(values[::2]) + sum(_DOUBLED[value] for value in values[1::2])) % 10 == 0


def _in_run(run: bytes, placeholder: bytes) -> bytes:
    """Numbers within a run of groups: ``4111 1111 1111 1111 12`` begins with one."""
    groups = list(_GROUP.finditer(run))
    kept, done, first = [], 0, 0
    while first < len(groups):
        last = _number(run, groups, first)
        if last is None:
            first += 1
            continue
        kept += [run[done : groups[first].start()], placeholder]
        done, first = groups[last].end(), last + 1
    return b"".join([*kept, run[done:]])


def _number(run: bytes, groups: list[re.Match[bytes]], first: int) -> int | None:
    """The last group of the card number that begins with group ``first``; None when there is none."""
    shape: tuple[int, ...] = ()
    for last in range(first, min(first + 5, len(groups))):
        shape += (groups[last].end() - groups[last].start(),)
        length = sum(shape)
        if length > 19 or (shape not in _BEGINNINGS and len(shape) > 1):
            return None
        issued = _ISSUED.get(length)
        if issued is None or not (shape in _SHAPES or (len(shape) == 1 and length < 19)):
            continue
        some = groups[first : last + 1]
        digits = b"".join(group[0] for group in some)
        separators = {run[group.end()] for group in some[:-1]}
        if len(separators) <= 1 and issued.match(digits) and luhn(digits):
            return last
    return None
