"""Completion in real shells: commands, options, and names from the configuration and the state directory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.terminal import Terminal

CONFIG = """\
version: 1
state_dir: state
sources:
  app: {type: file, paths: [app.log]}
sinks:
  local: {type: duckdb}
  lake: {type: stdout}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "yaat.yaml").write_text(CONFIG)
    dead = tmp_path / "state" / "dead" / "sinks.lake"
    dead.mkdir(parents=True)
    (dead / "5f0c2a99.jsonl").write_text("{}\n")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "yaat").write_text(f'#!/bin/sh\nexec {sys.executable} -m yaat_core.cli "$@"\n')
    (tmp_path / "bin" / "yaat").chmod(0o755)
    return tmp_path


def environ(folder: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("YAAT_", "XDG_"))}
    return {**kept, "HOME": str(folder), "PATH": f"{folder / 'bin'}:{kept['PATH']}", **more}


def completed(folder: Path, words: str, **more: str) -> list[str]:
    """What bash's script is told."""
    done = subprocess.run(
        [sys.executable, "-m", "yaat_core.cli"],
        env=environ(folder, _YAAT_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(len(words.split(" ")) - 1)),
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


def test_names(folder: Path) -> None:
    assert completed(folder, "yaat dead replay l") == ["local", "lake"]
    assert completed(folder, "yaat queue purge la") == ["lake"]
    assert completed(folder, "yaat dead show 5f") == ["5f0c2a99"]
    assert "YAAT-E701" in completed(folder, "yaat explain yaat-e70")
    assert "yaat-plugin-duckdb" in completed(folder, "yaat plugins show yaat-plugin-d")
    assert completed(folder, "yaat query --format par") == ["parquet"]
    assert "--plot" in completed(folder, "yaat query --pl")


def test_names_of_included_files_points_types_and_keys(folder: Path) -> None:
    (folder / "yaat.yaml").write_text(CONFIG + "include: [conf.d/*.yaml]\nprocessors:\n  - {type: scrub}\n")
    (folder / "conf.d").mkdir()
    more = "sources:\n  apache: {type: file, paths: [x.log]}\nprocessors:\n  - {type: filter, name: noise}\n"
    (folder / "conf.d" / "more.yaml").write_text(more)
    assert completed(folder, "yaat sources edit ap") == ["app", "apache"]
    assert completed(folder, "yaat sources remove apa") == ["apache"]
    assert completed(folder, "yaat sinks test la") == ["lake"]
    assert completed(folder, "yaat processors test ") == ["scrub", "noise"]
    assert completed(folder, "yaat processors add x --before n") == ["noise"]
    assert completed(folder, "yaat sources add x --type fi") == ["file"]
    assert completed(folder, "yaat tap q") == ["queue"]
    assert completed(folder, "yaat tap sources.") == ["sources.app", "sources.apache"]
    assert completed(folder, "yaat tap no") == ["noise"]
    assert completed(folder, "yaat config unset sinks.lo") == ["sinks.local.type"]
    assert completed(folder, "yaat config set processors.no") == [
        "processors.noise.type=",
        "processors.noise.name=",
    ]
    assert completed(folder, "yaat query --sink la") == ["lake"]
    assert completed(folder, "yaat service st") == ["start", "status", "stop"]


def test_a_broken_configuration_completes_to_nothing(folder: Path) -> None:
    (folder / "yaat.yaml").write_text("sinks: {a: [")
    assert completed(folder, "yaat dead replay ") == []
    (folder / "yaat.yaml").write_text("- 1\n")
    assert completed(folder, "yaat dead replay ") == []


def test_nothing_heavy_is_loaded(folder: Path) -> None:
    code = "import sys\nfrom yaat_core.cli.main import cli\ntry: cli.main()\nexcept SystemExit: pass\nprint(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environ(folder, _YAAT_COMPLETE="bash_complete", COMP_WORDS="yaat dead replay l", COMP_CWORD="3"),
        cwd=folder, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "yaat_core.cli.completing" in loaded
    assert not loaded & {"pyarrow", "numpy", "trio", "duckdb", "httpx", "prompt_toolkit", "plotext", "cattrs"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_in_a_real_shell(folder: Path, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    start: dict[str, tuple[list[str], str]] = {
        "bash": (["bash", "--norc", "--noprofile"], "PS1='ready> '; source <(yaat completion bash)"),
        "zsh": (
            ["zsh", "-f"],
            "PS1='ready> '; autoload -U compinit; compinit -D; source <(yaat completion zsh)",
        ),
        "fish": (
            ["fish", "--private"],
            "function fish_prompt; echo 'ready> '; end; yaat completion fish | source",
        ),
    }
    command, script = start[shell]
    more: dict[str, Any] = {"environ": environ(folder), "cwd": folder}
    with Terminal(command, columns=100, rows=30, **more) as terminal:
        terminal.read(0.5)
        terminal.type(script)
        terminal.send("enter")
        terminal.wait(lambda screen: screen.rstrip().splitlines()[-1].strip() == "ready>", what="the prompt")
        terminal.type("yaat queue purge la")
        terminal.send("tab")
        terminal.wait_for("yaat queue purge lake")


def test_how_to_install_it_is_in_it(folder: Path) -> None:
    for shell in ("bash", "zsh", "fish"):
        done = subprocess.run(
            [sys.executable, "-m", "yaat_core.cli", "completion", shell],
            env=environ(folder), cwd=folder, capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        first, second, *_ = done.stdout.splitlines()
        assert "# install:" in (second if shell == "zsh" else first)[:10]
        assert (first == "#compdef yaat") is (shell == "zsh")
