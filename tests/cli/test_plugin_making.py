"""`yaat plugins new` makes plugins whose own tests pass and that the agent runs; `yaat plugins docs` shows a plugin's page."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.terminal import Terminal

KINDS = ("source", "processor", "sink")


def yaat(folder: Path, *args: str, **more: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("YAAT_", "XDG_"))}
    command = [sys.executable, "-m", "yaat_core.cli", *args]
    environ = {**kept, "HOME": str(folder), **more}
    return subprocess.run(
        command, cwd=folder, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_passes_its_own_tests_and_the_linter(kind: str, tmp_path: Path) -> None:
    made = yaat(tmp_path, "plugins", "new", kind, "my-app", "--json")
    assert made.returncode == 0, made.stderr
    document = json.loads(made.stdout)
    assert document["type"] == "my_app"
    folder = tmp_path / "yaat-plugin-my-app"
    assert {str(path.relative_to(tmp_path)) for path in folder.rglob("*") if path.is_file()} == {
        *document["files"]
    }
    assert len((folder / "yaat_plugin_my_app" / "plugin.py").read_text().splitlines()) < 75
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder, capture_output=True, text=True, timeout=200, check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
    )  # fmt: skip
    assert tested.returncode == 0, tested.stdout
    assert " passed" in tested.stdout
    linted = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "110", "--check", "."],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert linted.returncode == 0, linted.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_of_its_readme_runs(kind: str, tmp_path: Path) -> None:
    """As one file, so that nothing need be installed."""
    assert yaat(tmp_path, "plugins", "new", kind, "mine", "--defaults").returncode == 0
    example = (tmp_path / "yaat-plugin-mine" / "README.md").read_text().split("```yaml\n")[1].split("```")[0]
    assert yaat(tmp_path, "plugins", "new", kind, "mine", "--one-file", "-o", "plugins").returncode == 0
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "a.txt").write_text("from the drop folder\n")
    (tmp_path / "app.log").write_text("a healthcheck\nsomething else\n")
    base = {
        "sources": "sources:\n  app: {type: file, paths: [app.log], start_at: beginning}\n",
        "sinks": "sinks:\n  out: {type: stdout, format: json}\n",
    }
    given = "".join(text for key, text in base.items() if not example.startswith(key))
    (tmp_path / "yaat.yaml").write_text(
        f'version: 1\nstate_dir: state\nhealth: {{listen: "off"}}\n{given}{example}'
    )
    done = yaat(tmp_path, "run", "--once", YAAT_PLUGINS_DIR="plugins")
    assert done.returncode == 0, done.stderr
    if kind == "source":
        assert "from the drop folder" in done.stdout
    elif kind == "processor":
        assert "something else" in done.stdout
        assert "a healthcheck" not in done.stdout
    else:
        lines = (tmp_path / "state" / "mine.jsonl").read_text().splitlines()
        assert sorted(json.loads(line)["message"] for line in lines) == ["a healthcheck", "something else"]
    shown = yaat(tmp_path, "plugins", "docs", "mine", YAAT_PLUGINS_DIR="plugins")
    assert shown.returncode == 0, shown.stderr
    assert f"{kind}s.mine" in shown.stdout


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["surce", "x"], "did you mean `source`?"),
        (["source", "Bad Name"], "write it with lower-case letters"),
        (["source", "../x"], "write it with lower-case letters"),
        (["source"], "NAME is missing"),
        ([], "KIND is missing"),
        (["sink", "x", "--license", 'MIT"\n'], "no SPDX licence"),
    ],
)
def test_what_can_not_be_is_refused(args: list[str], says: str, tmp_path: Path) -> None:
    done = yaat(tmp_path, "plugins", "new", *args)
    assert done.returncode == 2
    assert says in done.stderr
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten_and_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    assert "nothing was written" in yaat(tmp_path, "plugins", "new", "sink", "a", "--dry-run").stdout
    assert not list(tmp_path.iterdir())
    assert yaat(tmp_path, "plugins", "new", "sink", "yaat-plugin-a").returncode == 0
    mine = tmp_path / "yaat-plugin-a" / "pyproject.toml"
    mine.write_text("mine")
    again = yaat(tmp_path, "plugins", "new", "sink", "a")
    assert again.returncode == 2
    assert "is there already" in again.stderr
    assert mine.read_text() == "mine"


def test_on_a_terminal_it_asks(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "yaat_core.cli", "plugins", "new"]
    with Terminal(command, columns=100, rows=30, cwd=tmp_path) as terminal:
        for question, answer in (("Kind", "processor"), ("Name", "quiet"), ("package", "y"), ("Licence", "")):
            terminal.wait_for(question)
            terminal.type(answer)
            terminal.send("enter")
        terminal.wait_for("Next:", "pip install -e '.[test]'")
        assert terminal.ended() == 0
    assert (tmp_path / "yaat-plugin-quiet" / "yaat_plugin_quiet" / "plugin.py").exists()


def test_docs_is_the_readme_with_the_options_and_by_pages(tmp_path: Path) -> None:
    done = yaat(tmp_path, "plugins", "docs", "stdout")
    assert done.stdout.startswith("# yaat-plugin-stdout\n")
    assert "<!--" not in done.stdout
    document: dict[str, Any] = json.loads(yaat(tmp_path, "plugins", "docs", "stdout", "--json").stdout)
    assert document["readme"] in done.stdout
    assert document["options"]["sinks.stdout"][0]["name"] == "format"
    wrong = yaat(tmp_path, "plugins", "docs", "stduot")
    assert wrong.returncode == 2
    assert "did you mean `stdout`?" in wrong.stderr
    (tmp_path / "pager").write_text("#!/bin/sh\ncat >/dev/null\necho paged\n")
    (tmp_path / "pager").chmod(0o755)
    command = [sys.executable, "-m", "yaat_core.cli", "plugins", "docs", "gateway"]
    environ = {"PAGER": str(tmp_path / "pager")}
    with Terminal(command, columns=100, rows=20, cwd=tmp_path, environ=environ) as terminal:
        terminal.wait_for("paged")
        assert terminal.ended() == 0
