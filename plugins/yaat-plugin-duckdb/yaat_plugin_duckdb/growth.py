"""Bounds on queries that would grow beyond any limit inside one step of DuckDB.

`memory_limit` and `interrupt` work between the steps of a query. What one expression makes of 2,048 rows is one
step: `repeat('x', 1000000000)` takes all memory, or minutes, before anybody can stop it; and a name for a column that
is used twice in the next one, twenty times over, is a million expressions to plan. Both show in the parse tree.

The estimate: a column holds `_COLUMN` bytes, or as many as the widest value that the subqueries, CTEs and names before
it make; a function's result is as wide as its arguments together, except for those that are known to make more of
them. These must say how much with literals, and none of their results may be wider than `MOST_BYTES`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from yaat_core.errors import QueryRefused

#: A value may be this wide; DuckDB makes 2,048 of them at a time.
MOST_BYTES: Final = 65_536
#: Expressions that a query may have after names of columns are replaced by what they stand for.
MOST_EXPRESSIONS: Final = 20_000

_COLUMN: Final = 256
_NUMBER: Final = 16
#: What an aggregate that collects values makes of them: anything.
_COLLECTED: Final = 2**20
_COLLECTING: Final = frozenset(
    ["string_agg", "group_concat", "listagg", "list", "array_agg", "histogram", "json_group_array"]
)
#: Makes so many of its first argument: which argument says how many, and how wide each is, if not as the first one.
_TIMES: Final = {"repeat": (1, None), "list_resize": (1, _NUMBER), "array_resize": (1, _NUMBER)}
#: As wide as an argument says.
_WIDTHS: Final = {
    "lpad": 1,
    "rpad": 1,
    "bar": 3,
    "equi_width_bins": 2,
    "reservoir_quantile": 2,
    "approx_top_k": 1,
}
_SERIES: Final = ("range", "generate_series")
_FORMATS: Final = ("format", "printf")
_REPLACING: Final = ("replace", "regexp_replace")
#: These make of each element of a list what a lambda says.
_EACH: Final = frozenset(
    [
        "list_transform",
        "array_transform",
        "list_apply",
        "array_apply",
        "apply",
        "list_reduce",
        "array_reduce",
        "reduce",
    ]
)
_FILTERING: Final = frozenset(["list_filter", "array_filter", "filter"])
_DIGITS: Final = re.compile(r"\d+")


def check_growth(tree: Any) -> None:
    """Refuse a query whose values or whose plan would grow too much.

    Raises:
        QueryRefused: says which function, and what to write.
    """
    _Estimate().width(tree, _COLUMN)


class _Estimate:
    """Widths in bytes, from the leaves up; counts expressions on the way."""

    def __init__(self) -> None:
        self.expressions = 0

    def width(self, node: Any, column: int) -> int:
        """How wide what a node makes may be, when a column is ``column`` bytes wide."""
        if isinstance(node, list):
            return max((self.width(one, column) for one in node), default=0)
        if not isinstance(node, dict):
            return 0
        if "cte_map" in node:
            return self._query(node, column)
        if node.get("type") == "TABLE_FUNCTION":
            return max(_COLUMN, self._sum(node["function"].get("arguments"), column))
        if "class" in node:
            return self._expression(node, column)
        return max((self.width(child, column) for child in node.values()), default=0)

    def _query(self, node: Mapping[str, Any], column: int) -> int:
        for entry in node["cte_map"].get("map", ()):
            column = max(column, self.width(entry["value"], column))
        column = max(column, self.width(node.get("from_table"), column))
        widest = self._select(node.get("select_list") or (), column)
        rest = [value for key, value in node.items() if key not in ("cte_map", "from_table", "select_list")]
        return max(column, widest, self.width(rest, max(column, widest)))

    def _select(self, listed: Any, column: int) -> int:
        """A select list: later entries may use the names of earlier ones."""
        named: dict[str, int] = {}
        widest = 0
        for entry in listed:
            self._count(sum(named.get(name, 1) for name in _names_in(entry)))
            if entry.get("alias"):
                named[entry["alias"].lower()] = sum(named.get(name, 1) for name in _names_in(entry)) + 1
            widest = max(widest, self.width(entry, max(column, widest)))
        return widest

    def _count(self, expressions: int) -> None:
        self.expressions += expressions
        if self.expressions > MOST_EXPRESSIONS:
            raise QueryRefused(
                f"the query has more than {MOST_EXPRESSIONS:,} expressions once its names are filled in",
                fix="name a result in a subquery or CTE, and use that name outside of it",
            )

    def _expression(self, node: Mapping[str, Any], column: int) -> int:
        kind = node["class"]
        if kind == "COLUMN_REF":
            return column
        if kind == "CONSTANT":
            return max(_NUMBER, len(str(node.get("literal", {}).get("text", ""))))
        if kind in ("FUNCTION", "WINDOW"):
            return self._call(node, column)
        return self._sum(list(node.values()), column)

    def _sum(self, nodes: Any, column: int) -> int:
        if isinstance(nodes, Mapping):
            return self.width(nodes, column)
        if not isinstance(nodes, list):
            return 0
        return sum(
            self._sum(one, column) if isinstance(one, list) else self.width(one, column) for one in nodes
        )

    def _call(self, node: Mapping[str, Any], column: int) -> int:
        name = str(node["function_name"]).lower()
        arguments = [entry["expression"] for entry in node.get("arguments") or ()]
        widths = [self.width(argument, column) for argument in arguments]
        others = [value for key, value in node.items() if key != "arguments"]
        plain = sum(widths) + self._sum(others, column)
        if name in _COLLECTING:
            return max(plain, _COLLECTED)
        made = _made(name, arguments, widths)
        if made is None:
            return max(plain, _NUMBER)
        if made > MOST_BYTES:
            raise QueryRefused(
                f"`{name}` would make values of about {made:,} bytes",
                cause=f"a value in a query may be made {MOST_BYTES:,} bytes wide, so that queries can't stop the agent",
                fix="make it smaller, or use `generate_series` in FROM for many rows",
            )
        return max(made, plain)


def _made(name: str, arguments: list[Any], widths: list[int]) -> int | None:
    """The width of a result, for functions that make more than they get; None for all others."""
    if name in _TIMES:
        counted, each = _TIMES[name]
        return _literal(name, arguments, counted) * (each or widths[0])
    if name in _WIDTHS and len(arguments) > _WIDTHS[name]:
        return _literal(name, arguments, _WIDTHS[name]) * max(1, widths[-1] // _NUMBER)
    if name in _SERIES:
        return _NUMBER * _series(name, arguments)
    if name in _FORMATS:
        return sum(widths) + _padding(name, arguments)
    if name in _REPLACING:
        return math.ceil(widths[0] * _lengthening(name, arguments))
    if name in _EACH and len(widths) > 1:
        return _elements(arguments[0], widths[0]) * widths[1]
    return None


def _elements(node: Any, width: int) -> int:
    """How many elements a list has, going by how it is made, else by its width."""
    kind, name = node.get("class"), str(node.get("function_name", "")).lower()
    arguments = [entry["expression"] for entry in node.get("arguments") or ()]
    if kind == "OPERATOR" and node.get("type") == "ARRAY_CONSTRUCTOR":
        return len(node.get("children") or ())
    if kind == "FUNCTION" and name == "list_value":
        return len(arguments)
    if kind == "FUNCTION" and name in _SERIES:
        return _series(name, arguments)
    if kind == "FUNCTION" and name in _EACH | _FILTERING and arguments:
        return _elements(arguments[0], width)
    return max(1, width // _NUMBER)


def _literal(name: str, arguments: list[Any], index: int) -> int:
    text = _text(arguments[index]) if index < len(arguments) else None
    try:
        return max(0, int(float(text or "")))
    except (ValueError, OverflowError):
        raise QueryRefused(
            f"`{name}` needs a number written in the query as argument {index + 1}",
            cause="its result could have any size, and a query must not be able to stop the agent",
            fix=f"write a number, like {name}(…, 20)",
        ) from None


def _series(name: str, arguments: list[Any]) -> int:
    """How many elements `range(start, stop, step)` has."""
    try:
        numbers = [float(_text(argument) or "") for argument in arguments]
        start, stop = (0.0, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])
        step = numbers[2] if len(numbers) > 2 else 1.0
        return max(1, math.ceil(abs(stop - start) / (abs(step) or 1)))
    except (ValueError, OverflowError, IndexError):
        raise QueryRefused(
            f"`{name}` as a value needs numbers written in the query",
            cause="its list could have any size, and a query must not be able to stop the agent",
            fix=f"use it in FROM, where it makes rows: FROM {name}(…) AS t(x)",
        ) from None


def _padding(name: str, arguments: list[Any]) -> int:
    template = _text(arguments[0]) if arguments else None
    if template is None or "*" in template or re.search(r"\{[^}]*\{", template):
        raise QueryRefused(
            f"`{name}` needs its template written in the query, with all widths in it",
            cause="its result could have any size, and a query must not be able to stop the agent",
            fix=f"write {name}('…', …), or join texts with ||",
        )
    return sum(min(int(number), 2**31) for number in _DIGITS.findall(template[:MOST_BYTES]))


def _lengthening(name: str, arguments: list[Any]) -> float:
    """How many times longer replacing may make a text."""
    replacement = _text(arguments[2]) if len(arguments) > 2 else ""
    if replacement is None:
        raise QueryRefused(
            f"`{name}` needs its replacement written in the query",
            cause="its result could have any size, and a query must not be able to stop the agent",
            fix=f"write {name}(text, what, 'replacement')",
        )
    found = len(_text(arguments[1]) or "x") if name == "replace" and len(arguments) > 1 else 1
    return max(1.0, len(replacement) / max(found, 1) / (1 if name == "replace" else 4))


def _text(node: Any) -> str | None:
    """A literal as it is written; None for what is no literal."""
    while isinstance(node, dict) and node.get("class") == "CAST":
        node = node.get("child")
    if not isinstance(node, dict) or node.get("class") != "CONSTANT":
        return None
    literal = node.get("literal")
    return str(literal.get("text", "")) if isinstance(literal, dict) else None


def _names_in(node: Any) -> Iterator[str]:
    """Names of columns in an expression (its last part, lower case); "" for every other expression."""
    stack = [node]
    while stack:
        one = stack.pop()
        if isinstance(one, list):
            stack += one
        elif isinstance(one, dict):
            if "class" in one:
                path = one.get("column_names")
                yield str(path[-1]).lower() if path else ""
            stack += one.values()
