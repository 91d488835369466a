"""A file's text with its tree: where each part of it begins and ends, in characters from the start."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import attrs

from yaat_core.config.nodes import Items, KeyPath, Mark, Node, Scalar, Table, plain_value
from yaat_core.config.parsing import parse
from yaat_core.config.problems import ConfigError, in_order

#: What ends a line of YAML.
BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


@attrs.frozen(eq=False)
class Page:
    """``root`` is None when the text holds nothing, or nothing but comments."""

    text: str
    root: Node | None
    starts: tuple[int, ...]
    """Where each line begins."""

    @classmethod
    def of(cls, text: str, name: str = "the configuration") -> Page:
        """Read a text.

        Raises:
            ConfigError: it is not YAML, so nothing in it can be found. Other mistakes in it do not matter.
        """
        document = parse(text, name)
        if document.root is None and document.misfits:
            raise ConfigError(in_order(document.misfits))
        starts = (0, *(found.end() for found in BREAK.finditer(text)))
        return cls(text, document.root, starts)

    @property
    def value(self) -> Any:
        """All of it as dicts, lists and scalars; None when it holds nothing."""
        return None if self.root is None else plain_value(self.root)

    @property
    def newline(self) -> str:
        """How its lines end."""
        found = BREAK.search(self.text)
        return found[0] if found and found[0] in ("\n", "\r\n", "\r") else "\n"

    # --- places

    def at(self, mark: Mark) -> int:
        """A mark as characters from the start."""
        return self.starts[mark.line] + mark.column if mark.line < len(self.starts) else len(self.text)

    def line_start(self, offset: int) -> int:
        """Where the line of a place begins."""
        return max((start for start in self.starts if start <= offset), default=0)

    def line_end(self, offset: int) -> int:
        """Where the line of a place ends, before its line break."""
        found = BREAK.search(self.text, offset)
        return found.start() if found else len(self.text)

    def next_line(self, offset: int) -> int:
        """Where the line after that of a place begins; the end of the text when there is none."""
        found = BREAK.search(self.text, offset)
        return found.end() if found else len(self.text)

    def line_at(self, start: int) -> str:
        """A line from where it begins, without its line break."""
        return self.text[start : self.line_end(start)]

    def column(self, offset: int) -> int:
        """Characters before a place in its line."""
        return offset - self.line_start(offset)

    # --- nodes

    def start(self, node: Node) -> int:
        """Where a node begins."""
        return self.at(node.start)

    def end(self, node: Node) -> int:
        """Where a node ends, without the comments and blank lines behind it."""
        if isinstance(node, Scalar):
            end = self.at(node.end)
            return self._block_end(node, end) if self.is_block_text(node) else end
        if self.is_flow(node):
            return self.at(node.end)
        if isinstance(node, Items):
            return self.end(node.nodes[-1])
        return self.entry_end(*list(node.entries.values())[-1])

    def entry_end(self, key: Scalar, value: Node) -> int:
        """Where an entry of a mapping ends; with its colon when nothing stands behind that."""
        colon = self.colon(key)
        if not is_nothing(value):
            return self.end(value)
        return colon + 1 if colon is not None else self.at(key.end)

    def colon(self, key: Scalar) -> int | None:
        """The colon behind a key; between brackets there may be none."""
        found = re.compile(r"\s*:").match(self.text, self.at(key.end))
        return found.end() - 1 if found else None

    def is_flow(self, node: Node) -> bool:
        """A collection between brackets."""
        return not isinstance(node, Scalar) and self.text[self.start(node) : self.start(node) + 1] in (
            "{",
            "[",
        )

    def is_block(self, node: Node) -> bool:
        """A collection that is told by its indentation."""
        return not isinstance(node, Scalar) and not self.is_flow(node)

    def is_block_text(self, node: Node) -> bool:
        """A text behind a bar or a fold."""
        return (
            isinstance(node, Scalar)
            and not node.plain
            and self.text[self.start(node) : self.start(node) + 1] in ("|", ">")
        )

    def way(self, path: KeyPath) -> list[Node]:
        """The nodes from the root down to a path, as far as they are there."""
        nodes = [self.root] if self.root is not None else []
        for part in path:
            below = child(nodes[-1], part) if nodes else None
            if below is None:
                break
            nodes.append(below)
        return nodes

    def find(self, path: KeyPath) -> Node | None:
        """The node at a path."""
        way = self.way(path)
        return way[-1] if len(way) == len(path) + 1 else None

    def _block_end(self, node: Node, end: int) -> int:
        return max(self.start(node) + 1, len(self.text[:end].rstrip("\r\n \t\x85\u2028\u2029")))


def child(node: Node, part: str | int) -> Node | None:
    """What a node has under a key or at a place."""
    if isinstance(node, Table) and isinstance(part, str):
        return node.get(part)
    if isinstance(node, Items) and isinstance(part, int) and 0 <= part < len(node.nodes):
        return node.nodes[part]
    return None


def is_nothing(node: Node) -> bool:
    """Nothing was written."""
    return isinstance(node, Scalar) and node.plain and node.text == ""


def comments_above(page: Page, start: int, column: int) -> Iterator[int]:
    """The starts of comment lines right above a line, upwards, as far as they begin at the same column."""
    place = page.starts.index(start)
    for above in reversed(page.starts[:place]):
        line = page.line_at(above)
        if not line.lstrip().startswith("#") or len(line) - len(line.lstrip()) != column:
            return
        yield above
