"""Rules of the house that a machine can check: size of files and functions, and what no file may name."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 400

#: Files that may be longer, and how long. This list only shrinks.
LONGER = {
    "plugins/yaat-kit/tests/test_following.py": 620,
    "yaat_core/components.py": 460,
}

_NAMES = [
    "py" + "pi.org",
    "python" + "hosted.org",
    "registry." + "npmjs",
    "proxy." + "golang.org",
    "crates" + ".io",
]
HOSTS = re.compile("|".join(map(re.escape, _NAMES)))
MACHINE = re.compile(r"(?<![\w.])/(?:work|root|tmp|home/\w+)/")


def tracked() -> Iterator[Path]:
    """Every file under version control that is text."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and b"\0" not in path.read_bytes()[:8192]:
            yield path


@pytest.fixture(scope="module")
def files() -> list[Path]:
    return list(tracked())


@pytest.fixture(scope="module")
def lengths(files: list[Path]) -> dict[str, int]:
    """Lines of every Python file, by path from the root."""
    return {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8").count("\n")
        for path in files
        if path.suffix == ".py"
    }


def test_files_are_short(lengths: dict[str, int]) -> None:
    long = {name: lines for name, lines in lengths.items() if lines > LONGER.get(name, LIMIT)}
    assert not long, f"split these by idea: {long}"


def test_the_list_of_longer_files_is_up_to_date(lengths: dict[str, int]) -> None:
    shrunk = {name for name in LONGER if lengths.get(name, 0) <= LIMIT}
    assert not shrunk, f"take these out of LONGER: {shrunk}"


def test_functions_are_short(files: list[Path]) -> None:
    spans = sorted(
        (node.end_lineno or node.lineno) - node.lineno + 1
        for path in files
        if path.suffix == ".py" and "tests" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    assert statistics.median(spans) < 10
    assert spans[int(len(spans) * 0.9)] < 35


@pytest.mark.parametrize("pattern", [HOSTS, MACHINE], ids=["registry host", "path of a machine"])
def test_no_file_names_a(pattern: re.Pattern[str], files: list[Path]) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, "\n".join(found)
