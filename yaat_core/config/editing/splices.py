"""Small changes of a text: replace a value, take an entry out, put one in; every other character stays.

Each returns the new text. Where the text is written in a way that these do not foresee, the result does not mean what it
should: `reaching` compares, and takes a larger piece.
"""

from __future__ import annotations

from typing import Any

from yaat_core.config.editing import rendering
from yaat_core.config.editing.page import Page, comments_above, is_nothing
from yaat_core.config.editing.rendering import STEP
from yaat_core.config.nodes import Items, KeyPath, Node, Scalar, Table


def replaced(page: Page, path: KeyPath, value: Any) -> str:
    """Another value at a path that is there; the root may be nothing yet."""
    way = page.way(path)
    if not path:
        return _root(page, value)
    node, parent = way[-1], way[-2]
    if any(page.is_flow(one) for one in way[:-1]):
        return _in_flow(page, parent, path[-1], node, value)
    if isinstance(parent, Table):
        key, _ = parent.entries[str(path[-1])]
        return _behind_key(page, key, node, value)
    return _item(page, node, value)


def removed(page: Page, path: KeyPath) -> str:
    """Without an entry or an item that is not the only one."""
    parent = page.way(path)[-2]
    spans = _spans(page, parent)
    index = _index(parent, path[-1])
    if any(page.is_flow(one) for one in page.way(path)[:-1]):
        start, end = spans[index]
        if index:
            start = spans[index - 1][1]
        else:
            end = spans[1][0]
        return page.text[:start] + page.text[end:]
    start, end = spans[index]
    if page.text[page.line_start(start) : start].strip():
        return page.text[:start] + page.text[spans[index + 1][0] :]
    return _without_lines(page, start, end)


def with_entry(page: Page, path: KeyPath, name: str, value: Any) -> str:
    """With one more key in a mapping that has some."""
    table = page.find(path)
    assert isinstance(table, Table)
    if any(page.is_flow(one) for one in page.way(path)):
        end = _spans(page, table)[-1][1]
        return f"{page.text[:end]}, {rendering.key(name)}: {rendering.flow(value)}{page.text[end:]}"
    column = next(iter(table.entries.values()))[0].start.column
    return _with_lines(page, table, rendering.entry(name, value, column), column)


def with_item(page: Page, path: KeyPath, index: int, value: Any) -> str:
    """With one more item in a list that has some, before the one at ``index``, or as the last."""
    items = page.find(path)
    assert isinstance(items, Items)
    spans = _spans(page, items)
    if any(page.is_flow(one) for one in page.way(path)):
        if index < len(spans):
            start = spans[index][0]
            return page.text[:start] + rendering.flow(value) + ", " + page.text[start:]
        end = spans[-1][1]
        return page.text[:end] + ", " + rendering.flow(value) + page.text[end:]
    column = items.start.column
    lines = rendering.item(value, column)
    if index >= len(spans):
        return _with_lines(page, items, lines, column)
    start = page.line_start(spans[index][0])
    start = min(comments_above(page, start, column), default=start)
    return page.text[:start] + _joined(page, lines) + page.newline + page.text[start:]


# --- replacing


def _root(page: Page, value: Any) -> str:
    lines = rendering.block(value, 0)[1] or [rendering.flow(value)]
    if page.root is None or is_nothing(page.root):
        lead = page.text
        if lead and page.line_at(page.line_start(len(lead))):
            lead += page.newline
        return lead + _joined(page, lines) + page.newline
    start, end = page.start(page.root), page.end(page.root)
    return page.text[:start] + _joined(page, lines) + (page.text[end:] or page.newline)


def _in_flow(page: Page, parent: Node, part: str | int, node: Node, value: Any) -> str:
    written = rendering.flow(value) if isinstance(value, dict | list) else _scalar(page, node, value)
    start, end = page.start(node), page.end(node)
    if isinstance(parent, Table) and is_nothing(node):
        key, _ = parent.entries[str(part)]
        colon = page.colon(key)
        start = end = page.at(key.end) if colon is None else colon + 1
        written = (": " if colon is None else " ") + written
    return page.text[:start] + written + page.text[end:]


def _behind_key(page: Page, key: Scalar, node: Node, value: Any) -> str:
    colon = page.colon(key)
    if colon is None:
        return page.text
    behind = colon + 1
    end = behind if is_nothing(node) else page.end(node)
    written = _inline(page, node, value)
    text = page.text
    if written is not None and not page.is_block(node):
        if is_nothing(node):
            return f"{text[:behind]} {written}{text[behind:]}"
        return text[: page.start(node)] + written + text[end:]
    tail = _comment(page, behind if page.is_block(node) else end, node)
    rest = text[end:] if page.is_block(node) else text[page.line_end(end) :]
    if written is not None:
        return f"{text[:behind]} {written}{tail}{rest}"
    first, lines = rendering.block(value, key.start.column + STEP)
    lead = text[:behind] + (f" {first}" if first else "") + tail
    return lead + "".join(page.newline + line for line in lines) + rest


def _item(page: Page, node: Node, value: Any) -> str:
    start, end = page.start(node), page.end(node)
    written = _inline(page, node, value)
    gap = " " if page.text[start - 1 : start] == "-" else ""
    if written is None:
        column = page.column(start) + len(gap)
        first, lines = rendering.block(value, column)
        written = first + page.newline + _joined(page, lines) if first else _joined(page, lines)[column:]
    return page.text[:start] + gap + written + page.text[end:]


def _inline(page: Page, node: Node, value: Any) -> str | None:
    """The value in one line, where it is written so or the one before it was."""
    if isinstance(value, dict | list):
        return rendering.flow(value) if page.is_flow(node) and value else rendering.inline(value)
    if isinstance(value, str) and rendering.inline(value) is None:
        return None
    return _scalar(page, node, value)


def _scalar(page: Page, node: Node, value: Any) -> str:
    """In the quotes that stand there."""
    first = page.text[page.start(node) : page.start(node) + 1]
    quoted = isinstance(node, Scalar) and not node.plain and first in ("'", '"')
    return rendering.scalar(value, quote=first if quoted else "")


def _comment(page: Page, offset: int, node: Node) -> str:
    """A comment behind a place in its line, with the space before it."""
    if page.is_block_text(node):
        return ""
    tail = page.text[offset : page.line_end(offset)]
    return tail.rstrip() if tail.strip().startswith("#") else ""


# --- taking out and putting in


def _without_lines(page: Page, start: int, end: int) -> str:
    column = page.column(start)
    first = page.line_start(start)
    above = list(comments_above(page, first, column))
    if above and above[-1] > 0:
        first = above[-1]
    last = page.next_line(end)
    while last < len(page.text) and _is_comment_from(page.line_at(last), column + 1):
        last = page.next_line(last)
    if _is_blank_above(page, first):
        while last < len(page.text) and not page.line_at(last).strip():
            last = page.next_line(last)
    kept = page.text[:first]
    if last >= len(page.text):
        kept = kept.rstrip("\r\n \t") + page.newline if kept.strip() else kept
    return kept + page.text[last:]


def _is_blank_above(page: Page, start: int) -> bool:
    """Nothing stands above, or only the key whose value begins here."""
    place = page.starts.index(start)
    above = page.line_at(page.starts[place - 1]).strip() if place else ""
    return not above or above.endswith(":")


def _with_lines(page: Page, node: Table | Items, lines: list[str], column: int) -> str:
    """Below the last entry and the comments that follow it as part of the same block."""
    spans = _spans(page, node)
    end = page.line_end(spans[-1][1])
    place = page.next_line(end)
    while place < len(page.text) and _is_comment_from(page.line_at(place), column):
        end = page.line_end(place)
        place = page.next_line(end)
    apart = len(spans) > 1 and _apart(page, spans)
    lead = page.newline * 2 if apart else page.newline
    return page.text[:end] + lead + _joined(page, lines) + (page.text[end:] or page.newline)


def _is_comment_from(line: str, column: int) -> bool:
    return line.lstrip().startswith("#") and len(line) - len(line.lstrip()) >= max(column, 1)


def _apart(page: Page, spans: list[tuple[int, int]]) -> bool:
    """Whether a blank line stands before the last entry."""
    between = page.text[page.line_end(spans[-2][1]) : page.line_start(spans[-1][0])]
    return any(not line.strip() for line in between.splitlines()[1:])


def _joined(page: Page, lines: list[str]) -> str:
    return page.newline.join(lines)


def _index(parent: Node, part: str | int) -> int:
    return list(parent.entries).index(str(part)) if isinstance(parent, Table) else int(part)


def _spans(page: Page, node: Node) -> list[tuple[int, int]]:
    """Where each entry or item begins and ends; an item of a block begins with its dash."""
    if isinstance(node, Table):
        return [(page.at(key.start), page.entry_end(key, value)) for key, value in node.entries.values()]
    assert isinstance(node, Items)
    if page.is_flow(node):
        return [(page.start(one), page.end(one)) for one in node.nodes]
    return [(_dash(page, node, one), page.end(one)) for one in node.nodes]


def _dash(page: Page, items: Items, node: Node) -> int:
    """The dash of an item: at the column of the list, in the item's line or one above it."""
    for line in range(node.start.line, items.start.line - 1, -1):
        place = page.starts[line] + items.start.column
        if page.text[place : place + 1] == "-" and place < max(page.start(node), 1):
            return place
    return page.start(node)
