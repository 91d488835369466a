"""An agent with something to show, and the TUI on it in a real pseudo-terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import attrs

from support.agents import AgentProcess, wait_until
from support.terminal import Terminal
from yaat_core.actions.agent import STATUS
from yaat_core.actions.base import Nothing
from yaat_core.control.client import Client
from yaat_core.errors import YaatError

YAAT = [sys.executable, "-m", "yaat_core.cli"]

#: A destination that refuses lines with `bad` until the file `mended` is there, and keeps the others.
_PICKY = '''
"""A destination that is hard to please."""
from yaat_core import Done, Partial, Register, Sink, configuration, hookimpl

@configuration
class PickyConfig:
    """Refuses what is bad."""

class PickySink(Sink):
    def __init__(self, config, context):
        self.folder = context.state_dir.parent

    async def deliver(self, batch, position):
        mended = (self.folder / "mended").exists()
        texts = batch.column("message").to_pylist()
        dead = [] if mended else [(row, "it is bad\\x1b[2J") for row, text in enumerate(texts) if "bad" in text]
        return Partial(dead, attempts=3, answer="422 not that one") if dead else Done()

@hookimpl
def register_components(register: Register) -> None:
    register.sink("picky", PickyConfig, PickySink)
'''

_CONFIG = """\
version: 1
service_name: shop
state_dir: state
health: {listen: "off"}
sources:
  app: {type: file, paths: [logs/*.log], poll: 200ms}
sinks:
  local: {type: duckdb, path: events.duckdb}
  picky: {type: picky}
"""

#: Lines with what terminals obey, and signs of two columns.
HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07 bad 漢字の行 🚀" + "長" * 60,
    "plain bad line",
    "a good line",
    "naïve café ₿ bad",
)


@attrs.define(eq=False)
class Site:
    """A folder with a configuration, a plugin and logs; its agent when it is started."""

    folder: Path
    agent: AgentProcess

    @classmethod
    def made(cls, folder: Path) -> Site:
        (folder / "plugins").mkdir(parents=True)
        (folder / "logs").mkdir()
        (folder / "plugins" / "picky.py").write_text(_PICKY)
        (folder / "yaat.yaml").write_text(_CONFIG)
        environ = {
            "YAAT_PLUGINS_DIR": str(folder / "plugins"),
            "YAAT_TUI_SETTINGS": str(folder / "tui.yaml"),
        }
        return cls(folder, AgentProcess(folder / "yaat.yaml", environ=environ))

    @property
    def config(self) -> Path:
        return self.folder / "yaat.yaml"

    def write(self, *lines: str) -> None:
        with open(self.folder / "logs" / "app.log", "a", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)

    def account(self, sink: str) -> Mapping[str, int]:
        """The sink's account, as the running agent tells it."""
        try:
            with Client(self.folder / "state") as client:
                found = client.call(STATUS, Nothing()).accounting.by_sink.get(sink)
        except YaatError:
            return {}
        return {} if found is None else attrs.asdict(found)

    def pid(self) -> int:
        """The running agent's."""
        with Client(self.folder / "state") as client:
            return client.call(STATUS, Nothing()).pid

    def wait_account(self, sink: str, **wanted: int) -> None:
        wait_until(
            lambda: wanted.items() <= self.account(sink).items(),
            what=f"{wanted} of {sink}; it has {self.account(sink)}\n{self.agent.log()[-2000:]}",
        )

    def tui(self, *arguments: str, columns: int = 80, rows: int = 24, **environ: str) -> Terminal:
        """The TUI, not yet waited for."""
        return Terminal(
            [*YAAT, "tui", "-c", str(self.config), *arguments],
            columns=columns,
            rows=rows,
            cwd=self.folder,
            environ={**self.agent.environ, **environ},
        )


def shown(terminal: Terminal, key: str, *texts: str, columns: int = 80, rows: int = 24) -> Terminal:
    """A TUI that other tests use too, at this size, with the screen of a key in front and its first pane chosen."""
    if (terminal.columns, terminal.rows) != (columns, rows):
        terminal.resize(columns, rows)
        terminal.wait(lambda _: terminal.lines[0].rstrip().endswith("UTC"), what="the bar at the new width")
    terminal.send(key)
    terminal.wait_for(*texts)
    return terminal
