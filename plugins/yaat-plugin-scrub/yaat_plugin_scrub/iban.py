"""International bank account numbers (ISO 13616-1): a country's length, and the remainder 1 by 97 (ISO/IEC 7064)."""

from __future__ import annotations

from typing import Final

import re2

from yaat_plugin_scrub import personal

_START: Final = re2.compile(personal.IBAN.encode())
#: Letters and digits by country, from the registry of SWIFT (release 99).
_LENGTHS: Final[dict[bytes, int]] = {
    name.encode(): int(length)
    for length, names in {
        "15": "NO",
        "16": "BE",
        "18": "DK FK FI FO GL NL SD",
        "19": "MK SI",
        "20": "AT BA EE KZ LT LU MN XK",
        "21": "CH HR LI LV",
        "22": "BG BH CR DE GB GE IE ME RS VA",
        "23": "AE GI IL IQ OM SO TL",
        "24": "AD CZ ES MD PK RO SA SE SK TN VG",
        "25": "LY PT ST",
        "26": "IS TR",
        "27": "BI DJ FR GR IT MC MR SM",
        "28": "AL AZ BY CY DO GT HU LB NI PL SV",
        "29": "BR EG PS QA UA",
        "30": "JO KW MU YE",
        "31": "MT SC",
        "32": "LC",
        "33": "RU",
    }.items()
    for name in names.split()
}


def replace(text: bytes, placeholder: bytes) -> bytes:
    """The text with ``placeholder`` for every number with the right check digits, in blocks or not."""
    pieces, done, start = [], 0, 0
    while found := _START.search(text, start):
        end = _end(found[0])
        if not end:
            start = found.start() + 4
            continue
        pieces += [text[done : found.start()], placeholder]
        done = start = found.start() + end
    return b"".join([*pieces, text[done:]])


def valid(number: bytes) -> bool:
    """Whether the check digits are right; without blanks."""
    moved = number[4:] + number[:4]
    digits = "".join(str(int(chr(letter), 36)) for letter in moved)
    return int(digits) % 97 == 1


def _end(candidate: bytes) -> int:
    """How many bytes of the candidate are a number; 0: none."""
    length = _LENGTHS.get(candidate[:2])
    if length is None:
        return 0
    places = [index for index, letter in enumerate(candidate) if letter != 0x20]
    if len(places) < length:
        return 0
    end = places[length - 1] + 1
    whole = end == len(candidate) or candidate[end : end + 1] == b" "
    return end if whole and valid(candidate[:end].replace(b" ", b"")) else 0
