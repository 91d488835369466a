"""A machine that has YAAT and no configuration: its file system, its state directory, and `yaat setup` on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from support.agents import yaat
from support.host_root import HostRoot
from support.terminal import Terminal
from support.tui import YAAT

LINE = "2026-12-01 04:00:{:02d} INFO login password=hunter2secret number {} of bob@example.com"


@attrs.frozen
class FirstStart:
    """``config`` is where the configuration would be written."""

    folder: Path
    host: HostRoot

    @property
    def config(self) -> Path:
        return self.folder / "etc" / "yaat.yaml"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def environ(self) -> dict[str, str]:
        return {
            **self.host.environ,
            "STATE_DIRECTORY": str(self.state),
            "YAAT_TUI_SETTINGS": str(self.folder / "tui.yaml"),
            "HOME": str(self.folder / "home"),
            "XDG_CONFIG_HOME": str(self.folder / "home" / "config"),
        }

    def files(self) -> set[str]:
        """Everything that is there, but for the machine."""
        found = {str(path.relative_to(self.folder)) for path in self.folder.rglob("*")}
        return {name for name in found if not name.startswith("host")}

    def wizard(self, *arguments: str, columns: int = 80, rows: int = 24) -> Terminal:
        words = arguments or ("setup", "-c", str(self.config))
        return Terminal([*YAAT, *words], columns=columns, rows=rows, cwd=self.folder, environ=self.environ)

    def count(self) -> list[dict[str, object]]:
        import json

        done = yaat("query", "-c", str(self.config), "--json",
                    "SELECT message FROM logs ORDER BY message", **self.environ)  # fmt: skip
        found: list[dict[str, object]] = json.loads(done.stdout)
        return found


@contextmanager
def first_start(folder: Path) -> Iterator[FirstStart]:
    """Whatever agent was started ends with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    made = FirstStart(folder, HostRoot.make(folder))
    made.host.write("/var/log/shop/app.log", "".join(LINE.format(i, i) + "\n" for i in range(40)))
    before = made.files()
    assert before == set()
    try:
        yield made
    finally:
        if made.config.exists():
            yaat("stop", "-c", str(made.config), **{**os.environ, **made.environ})
