"""What servers are told to write (`log_format`, `LogFormat`, `log_line_prefix`) as patterns that read it.

A template is a sequence of literal texts and `Slot`s. It gives two patterns: a fast one, in which a value ends where the
text behind it begins, and a loose one for values that have that text inside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_plugin_parse.found import Fields
from yaat_plugin_parse.leading import subset
from yaat_plugin_parse.matching import given, hits, matched

#: More would be no log line; RE2's memory is bounded by it.
MAX_SLOTS: Final = 60
_SPECIAL: Final = re.compile(r"([^A-Za-z0-9_ ])")


@attrs.frozen
class Slot:
    """A value: the name it is kept under (empty: not kept), and the pattern of its text where that is known.

    ``quoted`` values may have their closing quote inside, with a backslash before it; ``padded`` ones have blanks
    around them that do not count.
    """

    name: str
    pattern: str = ""
    quoted: bool = False
    padded: bool = False


@attrs.frozen
class Optional:
    """Parts that may be missing together."""

    parts: tuple[str | Slot, ...]


Part = str | Slot | Optional


@attrs.frozen
class Template:
    """The patterns of a template, and the name of each of their groups (``g0``, ``g1``, ...)."""

    fast: str
    loose: str
    names: tuple[str, ...]

    @property
    def patterns(self) -> tuple[str, ...]:
        """Both, or the only one."""
        return (self.fast,) if self.fast == self.loose else (self.fast, self.loose)

    def fits(self, lines: Any) -> Any:
        """Where it reads the line: a boolean numpy array."""
        return hits(lines, self.loose)

    def read(
        self, lines: Any, *, empty: Sequence[str] = (), patterns: Sequence[str] = ()
    ) -> Iterator[Fields]:
        """The values of the lines that it reads, by both patterns or by those given.

        A dash or an empty text is null, but for the names in ``empty``.
        """
        rows = np.arange(len(lines))
        for pattern in patterns or self.patterns:
            if not len(rows):
                return
            fields = matched(subset(lines, rows), pattern, empty=self.groups)
            if len(fields.rows):
                yield Fields(rows[fields.rows], self._columns(fields.columns, empty))
                rows = np.delete(rows, fields.rows)

    @property
    def groups(self) -> tuple[str, ...]:
        """The patterns' own names of their groups."""
        return tuple(f"g{place}" for place in range(len(self.names)))

    def _columns(self, found: Mapping[str, Any], empty: Sequence[str]) -> dict[str, Any]:
        columns: dict[str, Any] = {}
        for name, group in zip(self.names, self.groups, strict=True):
            column = found[group]
            value = column if name in empty else given(given(column), "-")
            columns[name] = pc.coalesce(columns[name], value) if name in columns else value
        return {name: value for name, value in columns.items() if value.null_count < len(value)}


def compiled(parts: Iterable[Part], *, end: str = "$") -> Template:
    """The patterns of a template.

    Raises:
        ValueError: too many values, or two with nothing between them.
    """
    flat = list(parts)
    for one, other in pairwise(flat):
        if _open(one) and _open(other):
            raise ValueError("two values have nothing between them")
    names: list[str] = []
    fast = _pattern(flat, names, loose=False)
    loose = _pattern(flat, [], loose=True)
    if not names:
        raise ValueError("it keeps no value")
    if len(names) > MAX_SLOTS:
        raise ValueError(f"it has {len(names)} values, at most {MAX_SLOTS} can be read")
    return Template(f"^{fast}{end}", f"^{loose}{end}", tuple(names))


def _pattern(parts: Sequence[Part], names: list[str], *, loose: bool, behind: str = "") -> str:
    text = ""
    for place, part in enumerate(parts):
        following = parts[place + 1] if place + 1 < len(parts) else behind
        if isinstance(part, str):
            text += escaped(part)
        elif isinstance(part, Optional):
            text += f"(?:{_pattern(part.parts, names, loose=loose, behind=_begin(following))})?"
        else:
            text += _slot(part, names, _begin(following), loose=loose)
    return text


def _open(part: Part) -> bool:
    """A value that may be anything."""
    return isinstance(part, Slot) and not part.pattern


def _begin(part: Part) -> str:
    """The first letter of what stands behind a value; empty at the end, and where it is another value."""
    if isinstance(part, Optional):
        return _begin(part.parts[0]) if part.parts else ""
    return part[:1] if isinstance(part, str) else ""


def _slot(slot: Slot, names: list[str], end: str, *, loose: bool) -> str:
    if slot.pattern:
        value = slot.pattern
    elif slot.quoted and not loose:
        value = r'(?:[^"\\]|\\.)*'
    elif not end:
        value = "(?s:.*)"
    else:
        value = "(?s:.*?)" if loose else f"[^{escaped(end)}]*"
    if not slot.name:
        return f"(?:{value})"
    names.append(slot.name)
    value = f"(?P<g{len(names) - 1}>{value})"
    return f" *{value} *" if slot.padded else value


def escaped(text: str) -> str:
    """A text as a pattern of itself, for RE2."""
    return _SPECIAL.sub(lambda match: "\\" + match[1] if ord(match[1]) < 128 else match[1], text).replace(
        "\\\n", r"\n"
    )


def unescaped(column: Any, pairs: Mapping[str, str]) -> Any:
    """Backslash and a letter replaced; quick where there is no backslash."""
    if not pc.any(pc.match_substring(column, "\\")).as_py():
        return column
    form = re.compile(r"\\(.)", re.DOTALL)
    return pa.array(
        [
            text
            if text is None or "\\" not in text
            else form.sub(lambda hit: pairs.get(hit[1], hit[0]), text)
            for text in column.to_pylist()
        ],
        pa.string(),
    )
