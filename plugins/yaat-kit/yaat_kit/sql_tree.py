"""DuckDB's parse trees, as `json_serialize_sql` gives them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

#: Classes of expressions that look at one row and hold no other query.
PLAIN: Final = frozenset(
    [
        "BETWEEN",
        "CASE",
        "CAST",
        "COLLATE",
        "COLUMN_REF",
        "COMPARISON",
        "CONJUNCTION",
        "CONSTANT",
        "FUNCTION",
        "OPERATOR",
        "TYPE",
    ]
)


def nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every object in a tree, itself included."""
    stack = [tree]
    while stack:
        one = stack.pop()
        if isinstance(one, list):
            stack += one
        elif isinstance(one, dict):
            yield one
            stack += one.values()
