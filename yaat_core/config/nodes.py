"""A YAML document as a tree that knows where each part was written."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

KeyPath = tuple[str | int, ...]

#: Longest excerpt of a line in a message, in characters.
EXCERPT: Final = 110
MASK: Final = "***"

_INT: Final = re.compile(r"[-+]?[0-9]+")
_OCT: Final = re.compile(r"0o([0-7]+)")
_HEX: Final = re.compile(r"0x([0-9a-fA-F]+)")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}


def core_schema(text: str) -> Any:
    """What a plain scalar means by the core schema of YAML 1.2 (chapter 10.3.2): `no` and `1:30` are texts."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > 100:
        return text
    if _INT.fullmatch(text):
        return int(text)
    if match := _OCT.fullmatch(text):
        return int(match[1], 8)
    if match := _HEX.fullmatch(text):
        return int(match[1], 16)
    return float(text) if _FLOAT.fullmatch(text) else text


@attrs.define(eq=False)
class Text:
    """A file as it was written, and which spans of it are never shown."""

    name: str
    lines: Sequence[str] = ()
    masked: list[tuple[Mark, Mark]] = attrs.field(factory=list)

    def excerpt(self, line: int, column: int) -> tuple[str, int]:
        """A line without what is masked, cut to `EXCERPT` around ``column``; and where the column is in it."""
        if line >= len(self.lines):
            return "", 0
        written = self.lines[line]
        spans = {found for span in self.masked if (found := _on_line(span, line, len(written)))}
        for start, end in sorted(spans, reverse=True):
            written = written[:start] + MASK + written[end:]
            if column >= end:
                column += len(MASK) - (end - start)
            elif column > start:
                column = start
        if len(written) <= EXCERPT:
            return written, column
        cut = max(0, min(column - EXCERPT // 2, len(written) - EXCERPT))
        lead, tail = "... " if cut else "", " ..." if cut + EXCERPT < len(written) else ""
        return f"{lead}{written[cut : cut + EXCERPT]}{tail}", column - cut + len(lead)


@attrs.frozen(eq=False)
class Mark:
    """A place in a file, counted from 0."""

    text: Text = attrs.field(repr=False)
    line: int
    column: int


@attrs.define(eq=False, kw_only=True)
class Scalar:
    """A value without parts. ``value`` is what it means, ``text`` what was written between its quotes."""

    start: Mark
    end: Mark
    path: KeyPath
    text: str = attrs.field(repr=False)
    value: Any = attrs.field(repr=False)
    plain: bool = True
    """Written without quotes."""
    origin: str = ""
    """What its text came from (`${env:NAME}`); empty: it is in the file. Such a text is never shown."""
    whole: bool = False
    """All of it came from elsewhere, nothing was written beside or for want of it."""
    shown: str = ""
    """What `config show` prints instead of a text that came from elsewhere."""
    broken: bool = False
    """A problem with it was reported already."""


@attrs.define(eq=False, kw_only=True)
class Items:
    """A list."""

    start: Mark
    end: Mark
    path: KeyPath
    nodes: list[Node] = attrs.field(factory=list)
    broken: bool = False


@attrs.define(eq=False, kw_only=True)
class Table:
    """A mapping: name to (key, value), in the order written."""

    start: Mark
    end: Mark
    path: KeyPath
    entries: dict[str, tuple[Scalar, Node]] = attrs.field(factory=dict)
    holder: Scalar | None = None
    """The key whose value it is: where something is missing, that is the place to look."""
    broken: bool = False

    def get(self, name: str) -> Node | None:
        """The value under a name."""
        return self.entries[name][1] if name in self.entries else None

    def only(self, names: Collection[str]) -> Table:
        """The same mapping with some of its keys."""
        return attrs.evolve(self, entries={name: one for name, one in self.entries.items() if name in names})

    def without(self, names: Collection[str]) -> Table:
        """The same mapping without some of its keys."""
        return self.only(set(self.entries) - set(names))


Node = Scalar | Items | Table


#: What `Node` is made of, to recognise it as the type of a key that the core reads itself.
NODE_KINDS: Final = frozenset((Scalar, Items, Table))


def place(path: KeyPath) -> str:
    """A path as text: ``sources.app.paths[0]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def scalars(node: Node) -> Iterator[Scalar]:
    """Every scalar value below a node, itself included."""
    if isinstance(node, Scalar):
        yield node
    else:
        below = node.nodes if isinstance(node, Items) else [value for _, value in node.entries.values()]
        for one in below:
            yield from scalars(one)


def plain_value(node: Node) -> Any:
    """The tree as dicts, lists and scalars."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Items):
        return [plain_value(one) for one in node.nodes]
    return {name: plain_value(value) for name, (_, value) in node.entries.items()}


def _on_line(span: tuple[Mark, Mark], line: int, length: int) -> tuple[int, int] | None:
    start, end = span
    if not start.line <= line <= end.line:
        return None
    first = start.column if line == start.line else 0
    last = end.column if line == end.line else length
    return (first, last) if last > first else None
