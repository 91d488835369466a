"""``key=value`` pairs on whole columns: ``level=info msg="two words" took=1.5ms``.

Bytes are looked at, not rows: quotes say what is inside a value, blanks outside of them end a pair.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core.event import TAGS_TYPE
from yaat_plugin_parse.found import Fields

_KEY: Final = r"[A-Za-z_@][^\s=\"]*"
_PAIR: Final = rf"{_KEY}=(?:\"(?:[^\"\\]|\\.)*\"|[^\s\"]*)"
#: A text that is pairs from its beginning to its end.
PAIRS: Final = rf"{_PAIR}(?:\s+{_PAIR})*"
LINE: Final = rf"^(?s:\s*{PAIRS}\s*)$"
#: One pair alone is easily something else.
LOOK: Final = rf"^(?s:\s*{_PAIR}\s+{PAIRS}\s*)$"

_QUOTE, _BACKSLASH, _EQUALS = 34, 92, 61
_BLANKS: Final = (32, 9, 10, 13, 12)


def read(texts: Any, rows: Any, known: Collection[str]) -> Fields:
    """The pairs of texts that all match `LINE`, as fields of the rows ``rows``.

    A key that comes again in a text gets a number: ``a``, ``a.2``.
    """
    keys, values, owner = _split(texts)
    return of_pairs(rows, owner, _numbered(keys, owner), values, known)


def of_pairs(rows: Any, owner: Any, keys: Any, values: Any, known: Collection[str]) -> Fields:
    """Fields from flat keys and values; ``owner`` says which of the rows has each, in ascending order."""
    wanted = np.asarray(pc.is_in(keys, value_set=pa.array(sorted(known), pa.string())))
    columns = {}
    for name in pc.unique(keys.filter(pa.array(wanted))).to_pylist():
        places = np.flatnonzero(np.asarray(pc.equal(keys, pa.scalar(name, pa.string()))))
        picks = np.full(len(rows), -1, np.int64)
        picks[owner[places]] = places
        columns[name] = values.take(pa.array(picks, mask=picks < 0))
    if wanted.all():
        return Fields(rows, columns)
    rest = pa.array(~wanted)
    offsets = np.zeros(len(rows) + 1, np.int32)
    np.cumsum(np.bincount(owner[~wanted], minlength=len(rows)), out=offsets[1:])
    tags = pa.MapArray.from_arrays(pa.array(offsets), keys.filter(rest), values.filter(rest), type=TAGS_TYPE)
    return Fields(rows, columns, tags)


def _split(texts: Any) -> tuple[Any, Any, Any]:
    """Keys, values, and the index of the text that has each."""
    texts = pa.concat_arrays([texts, pa.array([], pa.string())])
    bounds = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1].astype(
        np.int64
    )
    letters = np.frombuffer(texts.buffers()[2], np.uint8)[: bounds[-1]]
    places = np.arange(len(letters))
    inside = np.cumsum(_quotes(letters, places)) % 2 == 1
    blank = np.isin(letters, _BLANKS) & ~inside
    begins = np.zeros(len(letters), bool)
    begins[bounds[:-1][bounds[:-1] < bounds[1:]]] = True
    edge = np.concatenate([[True], blank[:-1]]) | begins
    starts = places[~blank & edge]
    last = np.concatenate([blank[1:] | begins[1:], [True]])
    ends = places[~blank & last] + 1
    equals = places[(letters == _EQUALS) & ~inside]
    middles = equals[np.searchsorted(equals, starts)]
    owner = np.searchsorted(bounds, starts, side="right") - 1
    quoted = (middles + 1 < ends) & (letters[np.minimum(middles + 1, len(letters) - 1)] == _QUOTE)
    keys = _gathered(letters, starts, middles)
    values = _gathered(letters, middles + 1 + quoted, ends - quoted)
    return keys, _unescaped(values, quoted), owner


def _quotes(letters: Any, places: Any) -> Any:
    """Quotes with an even number of backslashes before them."""
    plain = np.maximum.accumulate(np.where(letters != _BACKSLASH, places, -1))
    before = np.concatenate([[-1], plain[:-1]])
    return (letters == _QUOTE) & ((places - 1 - before) % 2 == 0)


def _gathered(letters: Any, starts: Any, ends: Any) -> Any:
    """Pieces of the letters as a string array."""
    lengths = ends - starts
    offsets = np.zeros(len(starts) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    picks = np.repeat(starts - offsets[:-1], lengths) + np.arange(offsets[-1])
    buffers = [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(letters[picks])]
    return pa.Array.from_buffers(pa.string(), len(starts), buffers)


def _unescaped(values: Any, quoted: Any) -> Any:
    odd = np.asarray(pc.match_substring(values, "\\")) & quoted
    if not odd.any():
        return values
    mask = pa.array(odd)
    texts = [unquoted(text) for text in values.filter(mask).to_pylist()]
    return pc.replace_with_mask(values, mask, pa.array(texts, pa.string()))


def unquoted(text: str) -> str:
    """What stands between two quotes, its escapes (those of JSON) undone; itself where they are others."""
    try:
        return str(msgspec.json.decode(f'"{text}"'.replace("\n", "\\n").replace("\t", "\\t")))
    except (msgspec.DecodeError, UnicodeError):
        return text.replace('\\"', '"')


def _numbered(keys: Any, owner: Any) -> Any:
    codes = np.asarray(keys.dictionary_encode().indices).astype(np.int64)
    order = np.lexsort((np.arange(len(codes)), codes, owner))
    same = np.zeros(len(codes), bool)
    same[1:] = (codes[order][1:] == codes[order][:-1]) & (owner[order][1:] == owner[order][:-1])
    if not same.any():
        return keys
    names, taken = keys.to_pylist(), {}
    for place, row in enumerate(owner.tolist()):
        key, number = names[place], 1
        while (row, names[place]) in taken:
            number += 1
            names[place] = f"{key}.{number}"
        taken[row, names[place]] = True
    return pa.array(names, pa.string())
