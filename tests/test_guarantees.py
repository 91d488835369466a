"""docs/guarantees.md names a test for each promise: it must exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`((?:tests|plugins)/[\w/.-]+\.py)(?:::(\w+))?`", PAGE)


@pytest.mark.parametrize(("file", "function"), NAMED, ids=lambda part: part)
def test_what_the_page_names_exists(file: str, function: str) -> None:
    assert (ROOT / file).exists()
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    functions = {
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert not function or function in functions


def test_every_row_of_the_table_names_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and "promise" not in line]
    promises = [row for row in rows if "not promised" not in row.lower()]
    assert len(promises) >= 10
    for row in promises:
        assert re.search(r"`(?:tests|plugins)/", row), row
