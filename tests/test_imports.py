"""Imports run one way (plugins -> yaat_kit -> yaat_core), and what starts often loads little."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = [ROOT / "yaat_core", *sorted(ROOT.glob("plugins/*/yaat_*"))]

#: Too dear for a command that only prints help: each takes tens of milliseconds.
DEAR = {"trio", "pyarrow", "numpy", "duckdb", "plyvel", "re2", "httpx", "starlette", "hypercorn", "cattrs"}


def imported(file: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, absolute, with the line."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), str(file))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: relative import"
            yield node.module or "", node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value, node.lineno


def allowed(package: str, module: str) -> bool:
    """May code of this package import that module of ours?"""
    top = module.partition(".")[0]
    if top == package or not top.startswith("yaat_"):
        return True
    if top == "yaat_kit":
        return package.startswith("yaat_plugin_")
    private = any(part.startswith("_") and not part.startswith("__") for part in module.split("."))
    return top == "yaat_core" and not private


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_imports_run_one_way(package: Path) -> None:
    wrong = [
        f"{file.relative_to(ROOT)}:{line}: {package.name} imports {module}"
        for file in package.rglob("*.py")
        for module, line in imported(file)
        if not allowed(package.name, module)
    ]
    assert not wrong, "\n".join(wrong)


def loaded_by(code: str) -> set[str]:
    """Top-level modules, not of the standard library, that a fresh interpreter has loaded after ``code``."""
    report = "; import sys, json; print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code + report], capture_output=True, text=True, check=True)
    tops = {name.partition(".")[0] for name in json.loads(done.stderr.splitlines()[-1])}
    return tops - set(sys.stdlib_module_names)


@pytest.fixture(scope="module")
def nothing() -> set[str]:
    """What an interpreter of this environment loads by itself (editable installs, coverage)."""
    return loaded_by("pass")


def test_import_of_the_core_loads_nothing_else(nothing: set[str]) -> None:
    assert loaded_by("import yaat_core") - nothing == {"yaat_core"}


def loaded_by_yaat(*arguments: str) -> set[str]:
    """The same for a command line."""
    return loaded_by(
        "import contextlib, sys; from yaat_core.cli.main import main\n"
        f"sys.argv = ['yaat', *{arguments!r}]\n"
        "with contextlib.suppress(SystemExit): main()\n"
        "pass"
    )


HELP = [["--help"], ["--version"], ["run", "--help"], ["plugins", "--help"], ["explain", "YAAT-E101"]]


@pytest.mark.parametrize("arguments", HELP, ids=" ".join)
def test_help_loads_no_dear_library(arguments: list[str], nothing: set[str]) -> None:
    assert not (loaded_by_yaat(*arguments) - nothing) & DEAR


@pytest.mark.parametrize("arguments", [*HELP, ["plugins", "list"]], ids=" ".join)
def test_help_and_lists_import_no_plugin(arguments: list[str], nothing: set[str]) -> None:
    loaded = loaded_by_yaat(*arguments) - nothing
    assert "yaat_core" in loaded
    assert not {name for name in loaded if name.startswith("yaat_plugin_") or name == "yaat_kit"}


def test_an_agent_starts_without_its_http_server() -> None:
    assert not loaded_by("import yaat_core.agent") & {"starlette", "hypercorn"}


def test_help_answers_at_once() -> None:
    """CPU time of the quickest of five, so that a busy machine does not fail it."""
    measure = (
        "import resource, subprocess, sys\n"
        "subprocess.run([sys.executable, '-m', 'yaat_core.cli.main', '--help'], check=True, stdout=subprocess.DEVNULL)\n"
        "usage = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(usage.ru_utime + usage.ru_stime)"
    )
    times = [float(subprocess.check_output([sys.executable, "-c", measure])) for _ in range(5)]
    assert min(times) < 0.3
