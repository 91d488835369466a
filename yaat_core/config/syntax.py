"""What is wrong with YAML text, in a user's words."""

from __future__ import annotations

import re
from typing import Any, Final

from yaat_core.config.nodes import Mark, Node, Scalar, Text, place
from yaat_core.config.problems import Misfit, at_key

_SYNTAX: Final = "YAAT-E100"
_DUPLICATE: Final = "YAAT-E106"

TAB_INDENT: Final = re.compile(r" *\t")

#: What the parser says, what it means, what to do.
_TRANSLATIONS: Final = (
    (
        "mapping values are not allowed",
        "a second `: ` in one line",
        'put quotes around a text that has ": " in it',
    ),
    ("unexpected end of stream", "a quote is never closed", "close it"),
    (
        "expected ':'",
        "a line that is neither `key: value` nor `- item`",
        "write `key: value`, and mind the indentation",
    ),
    (
        "<block end>",
        "the indentation does not fit the lines above",
        "indent what belongs together by the same spaces",
    ),
    (
        "expected ',' or",
        "a bracket is not closed where it should be",
        "close it, or put quotes around a text with brackets",
    ),
    ("stream end", "a bracket is never closed", "close it"),
)


def duplicate(key: Scalar, first: Scalar) -> Misfit:
    """A key that its mapping has already."""
    return at_key(
        key,
        _DUPLICATE,
        f"`{place(key.path)}` is written twice",
        cause=f"the first is in {elsewhere(key, first)}",
        fix="take one of them out, or give it another name",
    )


def elsewhere(node: Node, other: Node) -> str:
    """Where ``other`` stands, as seen from ``node``: a line, with its file when it is another one."""
    file, line = other.start.text.name, other.start.line + 1
    return f"line {line}" if file == node.start.text.name else f"{file}:{line}"


def tab(text: Text, number: int, line: str) -> Misfit:
    """Indentation with a tab."""
    return Misfit(
        code=_SYNTAX,
        what="a tab can't indent a line in YAML",
        mark=Mark(text, number, line.index("\t")),
        fix="indent with spaces",
    )


def unprintable(text: Text, written: str, position: int) -> Misfit:
    """A character that YAML does not allow (chapter 5.1)."""
    before = written[:position]
    mark = Mark(text, before.count("\n"), position - (before.rfind("\n") + 1))
    what = f"the character U+{ord(written[position]):04X} can't be in YAML text"
    return Misfit(
        code=_SYNTAX, what=what, mark=mark, fix=r'take it out, or write it as an escape ("\x07") in quotes'
    )


def syntax(text: Text, error: Any) -> Misfit:
    """What ruamel.yaml refused, in our words."""
    where, begun = error.problem_mark or error.context_mark, error.context_mark
    problem = error.problem or ""
    if "unexpected end of stream" in problem and begun is not None:
        where, begun = begun, None
    line, column = (where.line, where.column) if where else (0, 0)
    written = text.lines[line] if line < len(text.lines) else ""
    if TAB_INDENT.match(written):
        return tab(text, line, written)
    what, fix = _translated(problem, written, column)
    cause = ""
    if begun is not None and begun.line != line:
        cause = f"{error.context}, which begins in line {begun.line + 1}"
    return Misfit(code=_SYNTAX, what=f"not YAML: {what}", mark=Mark(text, line, column), cause=cause, fix=fix)


def _translated(problem: str, line: str, column: int) -> tuple[str, str]:
    """The parser's words in a user's, and what to do."""
    if "${" in line and "expected ',' or" in problem:
        return "`${...}` between brackets needs quotes", 'write "${env:NAME}" in quotes'
    if "mapping values are not allowed" in problem and ": " not in line[:column]:
        return "this line is indented deeper than the one above, which has a value already", (
            "give keys that belong together the same indentation"
        )
    if "cannot start any token" in problem:
        character = problem.partition("'")[2].rpartition("'")[0]
        return f"a value can't begin with {character}", "put quotes around the text"
    if "unknown escape character" in problem:
        what = f"{problem.replace('found ', '')} in a text in double quotes"
        return what, r"write \\ for a backslash, or use single quotes"
    for found, what, fix in _TRANSLATIONS:
        if found in problem:
            return what, fix
    return problem.replace("<", "").replace(">", ""), "mind quotes, brackets and indentation"


def tag(tag: object) -> str:
    """A tag as it is written."""
    return str(tag).replace("tag:yaml.org,2002:", "!!")
