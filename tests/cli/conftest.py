"""`yaat` with one loose plugin and a configuration of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner

from yaat_core.cli.main import cli

HERE = Path(__file__).parent
CONFIG = """\
version: 1
state_dir: state
health: {listen: "off"}
sources:
  app: {type: words, words: [one, two]}
processors:
  - type: shout
queue: {type: kept}
sinks:
  local: {type: numbers}
"""


@attrs.frozen
class Result:
    """How a command ended."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@attrs.frozen
class Yaat:
    """Runs commands in a folder of their own: in this process by calling it, in another by `process`."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "yaat.yaml"

    @property
    def state_dir(self) -> Path:
        return self.folder / "state"

    def __call__(self, *args: str, stdin: str = "", **env: str) -> Result:
        settings = {name: None for name in os.environ if name.startswith("YAAT_")} | self.settings() | env
        done = CliRunner().invoke(cli, list(args), input=stdin, env=settings, color=True)
        if not isinstance(done.exception, SystemExit | None):
            raise done.exception
        return Result(done.exit_code, done.stdout_bytes, done.stderr_bytes.decode())

    def process(self, *args: str, **env: str) -> Result:
        done = subprocess.run(
            self.command(*args),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=self.folder,
            env=self.environ(**env),
            timeout=60,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr.decode())

    def start(self, *args: str, **more: Any) -> subprocess.Popen[bytes]:
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
        return subprocess.Popen(self.command(*args), cwd=self.folder, env=self.environ(), **pipes)

    def command(self, *args: str) -> list[str]:
        return [sys.executable, "-m", "yaat_core.cli", *args]

    def settings(self) -> dict[str, str]:
        return {
            "HOME": str(self.folder),
            "YAAT_PLUGINS_DIR": str(HERE / "plugins"),
            "YAAT_LOAD_PLUGINS": "demo",
        }

    def environ(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("YAAT_")}
        paths = os.pathsep.join([str(HERE.parent.parent), str(HERE / "modules"), kept.get("PYTHONPATH", "")])
        return {**kept, "PYTHONPATH": paths, **self.settings(), **more}

    def configure(self, old: str, new: str) -> None:
        text = self.config.read_text()
        assert old in text
        self.config.write_text(text.replace(old, new))


@pytest.fixture
def yaat(monkeypatch: pytest.MonkeyPatch) -> Iterator[Yaat]:
    """In a folder whose path is short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="yaat-"))
    (folder / "yaat.yaml").write_text(CONFIG)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(HERE / "modules"))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    yield Yaat(folder)
    monkeypatch.undo()
    shutil.rmtree(folder)
