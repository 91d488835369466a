"""Names that stand twice in one JSON object, noticed without a second reading in the usual case.

RFC 8259, section 4, calls what becomes of them unpredictable; a decoder that keeps the last one loses the first
silently. Decoders don't tell, but they tell how many names they kept: when the text has as many, none is there twice.
"""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np

_QUOTE: Final = ord('"')
_COLON: Final = ord(":")
_BACKSLASH: Final = ord("\\")
_SPACE: Final = ord(" ")


def none(body: bytes, names: int) -> bool:
    """Whether no object of a valid JSON text has a name twice, when a decoder kept ``names`` names of it."""
    return surely_none(body, names) or _read_again(body)


def surely_none(body: bytes, names: int) -> bool:
    """Whether that can be told by counting: False only says that it can't.

    A name is a quote and a colon. Two things could hide one: white space before the colon, and a name that ends with
    a backslash; where they are possible, this says False. What can feign one only makes more of them than there are: a quote
    and a colon within a text (a backslash stands before it, so it is not counted), and a text that begins with a colon.
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


class _Twice(Exception):
    pass


def _look(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise _Twice


_reader: Final = json.JSONDecoder(object_pairs_hook=_look, parse_int=len, parse_float=len)


def _read_again(body: bytes) -> bool:
    try:
        _reader.decode(body.decode())
    except (_Twice, ValueError, RecursionError):
        return False
    return True
