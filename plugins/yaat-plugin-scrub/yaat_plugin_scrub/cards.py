"""Payment card numbers: 13 to 19 digits, a known issuer, the right check digit (ISO/IEC 7812-1, annex B)."""

from __future__ import annotations

import re
from typing import Final

#: Digits in groups. Not the fraction of a number, nor a part of a word (a hash).
_RUN: Final = re.compile(rb"(?<![0-9A-Za-z])(?<![0-9]\.)[0-9](?:[ -]?[0-9]){12,}(?![0-9A-Za-z])(?!\.[0-9])")
_GROUP: Final = re.compile(rb"[0-9]+")
#: Visa; Mastercard; American Express and Diners; JCB; Discover, UnionPay; Maestro.
_ISSUER: Final = re.compile(
    rb"4|5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720|3[47]|30[0-5]|3[689]|35[2-8]|6011|64[4-9]|65|62|50[1-3]|5[6-9]"
    rb"|63|67"
)
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
#: How cards are written in groups.
_SHAPES: Final = {
    (4, 4, 4, 4),
    (4, 4, 4, 4, 3),
    (4, 6, 5),
    (4, 6, 4),
    (4, 3, 3, 3),
    (4, 4, 5),
    (8, 8),
    (6, 13),
}


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
    for last in range(first, min(first + 5, len(groups))):
        some = groups[first : last + 1]
        digits = b"".join(group[0] for group in some)
        if len(digits) > 19:
            return None
        shape = tuple(len(group[0]) for group in some)
        separators = {run[group.end()] for group in some[:-1]}
        written_so = len(some) == 1 or (shape in _SHAPES and len(separators) == 1)
        if len(digits) >= 13 and written_so and _ISSUER.match(digits) and luhn(digits):
            return last
    return None
