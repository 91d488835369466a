"""How a key looks: ``yaat_k3q7m2xw4p_<43 letters and digits><6 of a checksum>``.

- ``yaat_`` tells people and secret scanners what it is (our own detector `yaat_key` among them).
- Ten letters and digits are its id: shown in lists and logs, looked up in the database, not secret.
- 43 letters and digits of chance: 256 bits, from the system's generator.
- Six letters of the CRC-32 of all before: a key that was cut or mistyped is known as such without asking anybody.

Stored is the SHA-256 of the whole. That is enough here, where it is not for passwords: slow hashes (argon2) make
guessing dear, and nobody guesses 256 bits of chance. It is compared in constant time.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib
from typing import Final

import attrs

MARK: Final = "yaat_"
_ID: Final = 10
_SECRET: Final = 43
_CHECK: Final = 6
_LETTERS: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
#: Without those that people confuse: 0 and o, 1, l and i.
_ID_LETTERS: Final = "23456789abcdefghjkmnpqrstuvwxyz"
_FORM: Final = re.compile(rf"{MARK}([2-9a-z]{{{_ID}}})_[0-9A-Za-z]{{{_SECRET + _CHECK}}}")
#: What a person may write for a key: its id, with or without the mark, or all of it.
_NAMED: Final = re.compile(rf"(?:{MARK})?([2-9a-z]{{{_ID}}})(?:_[0-9A-Za-z]*)?")


@attrs.frozen
class Fresh:
    """A key that was just made. ``token`` is in no store: shown once, then gone."""

    id: str
    token: str = attrs.field(repr=False)
    hash: bytes = attrs.field(repr=False)


def make() -> Fresh:
    """A new key."""
    id = _chosen(_ID_LETTERS, _ID)
    body = f"{MARK}{id}_{_chosen(_LETTERS, _SECRET)}"
    token = body + _checksum(body)
    return Fresh(id, token, digest(token))


def id_of(token: str) -> str | None:
    """The id of a key that is well-formed; None for anything else."""
    form = _FORM.fullmatch(token)
    if form is None or _checksum(token[:-_CHECK]) != token[-_CHECK:]:
        return None
    return form[1]


def named(text: str) -> str | None:
    """The id in what a person wrote: ``k3q7m2xw4p``, ``yaat_k3q7m2xw4p``, or a whole key."""
    found = _NAMED.fullmatch(text.strip())
    return found and found[1]


def prefix(id: str) -> str:
    """What a key is recognized by."""
    return MARK + id


def digest(token: str) -> bytes:
    """What is stored of a key: 32 bytes."""
    return hashlib.sha256(token.encode()).digest()


def _chosen(letters: str, count: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(count))


def _checksum(text: str) -> str:
    number, signs = zlib.crc32(text.encode()), ""
    for _ in range(_CHECK):
        number, rest = divmod(number, len(_LETTERS))
        signs += _LETTERS[rest]
    return signs
