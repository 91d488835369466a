"""Items of a list in another order, each with its lines as they are and the comments that belong to it."""

from __future__ import annotations

from collections.abc import Sequence

from yaat_core.config.editing.page import Page, comments_above
from yaat_core.config.nodes import Items


def reordered(page: Page, key: str, order: Sequence[int]) -> str | None:
    """The text with the items under ``key`` in this order; None when they do not stand on lines of their own."""
    node = page.find((key,))
    if not isinstance(node, Items) or page.is_flow(node) or len(order) != len(node.nodes):
        return None
    starts: list[int] = []
    for one in node.nodes:
        line = page.line_start(page.start(one))
        text = page.line_at(line)
        if not text.lstrip().startswith("-"):
            return None
        starts.append(min([line, *comments_above(page, line, len(text) - len(text.lstrip()))]))
    if starts != sorted(set(starts)):
        return None
    end = page.next_line(page.end(node.nodes[-1]))
    pieces = [page.text[begin:until] for begin, until in zip(starts, [*starts[1:], end], strict=True)]
    if not pieces[-1].endswith(("\n", "\r")):
        pieces[-1] += page.newline
    return page.text[: starts[0]] + "".join(pieces[place] for place in order) + page.text[end:]
