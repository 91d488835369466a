"""Names that stand twice in one JSON object, noticed without a second reading in the usual case.

RFC 8259, section 4, calls what becomes of them unpredictable; a decoder that keeps the last one loses the first
silently. Decoders don't tell, but they tell how many names they kept: when the text has as many, none is there twice.
"""

from __future__ import annotations

from typing import Final

import numpy as np

_QUOTE: Final = ord('"')
_COLON: Final = ord(":")
_BACKSLASH: Final = ord("\\")
_SPACE: Final = ord(" ")


def surely_none(body: bytes, names: int) -> bool:
    """Whether a valid JSON text has exactly ``names`` names: True only when that is certain.

    A name is a quote and a colon. Two things could hide one: white space before the colon, and a name that ends with
    a backslash; one thing could feign one: a quote and a colon within a text, which then has a backslash before it. Where
    the first two are possible at all, this says False.
    """
    letters = np.frombuffer(body, np.uint8)
    quotes = letters[:-1] == _QUOTE
    following = letters[1:]
    if (quotes & (following <= _SPACE)).any() and _spaced(body):
        return False
    at = quotes & (following == _COLON)
    escaped = at[1:] & (letters[:-2] == _BACKSLASH)
    feigned = np.count_nonzero(escaped)
    if feigned and (escaped[1:] & (letters[:-3] == _BACKSLASH)).any():
        return False
    return bool(np.count_nonzero(at) - feigned == names)


def _spaced(body: bytes) -> bool:
    """Whether a quote, white space and a colon follow each other anywhere."""
    squeezed = body.translate(None, b" \t\r\n")
    return squeezed.count(b'":') != body.count(b'":')
