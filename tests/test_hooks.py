"""Each hook is documented with its signature, and does its work when a plugin answers it."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.agents import AgentProcess, wait_until
from support.probing import ask
from support.terminal import Terminal

from yaat_core import hookspecs

ROOT = Path(__file__).resolve().parent.parent
GUIDE = (ROOT / "docs" / "plugin-authoring.md").read_text(encoding="utf-8")
HOOKS = {name: value for name, value in vars(hookspecs).items() if hasattr(value, "yaat_spec")}

PAPER = '''
from yaat_core import Done, EventBatch, Register, Sink, configuration, hookimpl, option


@configuration
class PaperConfig:
    """Keeps nothing."""

    ink: str = option(help="Its colour.")


class Paper(Sink):
    async def deliver(self, batch, position):
        return Done()


@hookimpl
def register_components(register: Register) -> None:
    register.sink("paper", PaperConfig, lambda config, context: Paper())
'''

SECRET = """
from yaat_core import hookimpl


@hookimpl
def resolve_secret(name):
    return {"ink": "violet"}.get(name)
"""

ANSWER = """
import pyarrow as pa

from yaat_core import hookimpl


class Answer:
    truncated = False

    def __init__(self, table):
        self.table, self.schema = table, table.schema

    def __iter__(self):
        return iter(self.table.to_batches())

    def close(self):
        pass


@hookimpl
def query(sink, context, request):
    if type(sink).__name__ in ("Paper", "PaperConfig"):
        return Answer(pa.table({"asked": [request.sql], "ink": [sink.ink]}))
"""

CONFIG = """\
version: 1
state_dir: state
health: {{listen: "off"}}
sources:
  app: {{type: file, paths: [app.log]}}
sinks:
  out: {{type: paper, ink: "{ink}"}}
"""


DETECTOR = """
from yaat_core import hookimpl
from yaat_core.detection import Detection, Detector


@hookimpl
def detectors():
    return [Detector(name="shop", detect=lambda machine: [Detection(service="shop", what="a shop")])]
"""

WANTS_SOURCES = """
from yaat_core import hookimpl


@hookimpl
def default_sources(registry, detectors):
    assert registry.find("sources", "file")
    return {one.name: {"type": "file", "paths": [f"/var/log/{one.name}.txt"]} for one in detectors}
"""


ROUTE = """
from yaat_core import hookimpl
from yaat_core.health_routes import HealthAnswer, HealthRoute


@hookimpl
def health_routes(agent):
    async def uptime(request):
        status = await agent.status()
        return HealthAnswer(body=f"up in {status.state}".encode(), content_type="text/plain")

    return [HealthRoute(path="/uptime", answer=uptime)]
"""


PANEL = """
from yaat_core import hookimpl
from yaat_core.panels import Panel
from yaat_core.tui.layout import Pane
from yaat_core.tui.screen import Screen
from yaat_core.tui.widgets.viewing import Viewer


class Inkwell(Screen):
    def layout(self):
        return Pane(Viewer("the inkwell is full"), "Ink")


@hookimpl
def panels():
    return [Panel(name="ink", title="Ink", summary="how much ink there is", screen=f"{__name__}:Inkwell", key="9")]
"""


class Bench:
    """A configuration with the sink `paper`, and loose plugins; every hook call is traced."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plugins = folder / "plugins"
        self.plugins.mkdir()
        self.write("paper", PAPER)
        self.configure("blue")
        self.traced = ""

    def write(self, name: str, text: str) -> None:
        (self.plugins / f"{name}.py").write_text(text, encoding="utf-8")

    def configure(self, ink: str) -> None:
        (self.folder / "yaat.yaml").write_text(CONFIG.format(ink=ink), encoding="utf-8")

    def yaat(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "yaat_core.cli", arguments[0], *arguments[1:]],
            cwd=self.folder,
            env={**os.environ, "YAAT_PLUGINS_DIR": str(self.plugins), "YAAT_TRACE_PLUGINS": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.traced += done.stderr
        return done


@pytest.fixture
def bench(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Fails the test `test_hook_NAME` when the hook NAME was never called."""
    made = Bench(tmp_path)
    yield made
    hook = request.node.name.removeprefix("test_hook_")
    assert re.search(rf"^hook {hook}\(.*\) to (?!nobody)", made.traced, re.M), f"{hook} was not called"


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_is_documented_with_its_signature(name: str) -> None:
    signature = f"{name}({', '.join(inspect.signature(HOOKS[name]).parameters)})"
    assert re.search(rf"^### `{re.escape(signature)}`$", GUIDE, re.M), (
        f"docs/plugin-authoring.md: no ### `{signature}`"
    )


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_has_a_docstring_and_a_test(name: str) -> None:
    assert HOOKS[name].__doc__
    test = globals()[f"test_hook_{name}"]
    assert "bench" in inspect.signature(test).parameters, "the fixture that sees whether the hook is called"


def test_no_hook_is_documented_that_is_not_there() -> None:
    section = GUIDE.partition("## Hooks")[2].partition("\n## ")[0]
    assert set(re.findall(r"^### `(\w+)\(", section, re.M)) == set(HOOKS)


def test_argument_names_come_from_the_vocabulary() -> None:
    assert hookspecs.__doc__
    vocabulary = set(re.findall(r"^    (\w+) +\S", hookspecs.__doc__, re.M))
    used = {name for hook in HOOKS.values() for name in inspect.signature(hook).parameters}
    assert used == vocabulary


def test_hook_register_components(bench: Bench) -> None:
    assert bench.yaat("validate", "--offline").returncode == 0
    bench.configure('blue"}\n  two: {type: papper, ink: "x')
    refused = bench.yaat("validate", "--offline")
    assert refused.returncode == 2
    assert "paper" in refused.stderr


def test_hook_resolve_secret(bench: Bench) -> None:
    bench.configure("${secret:ink}")
    assert bench.yaat("validate", "--offline").returncode == 2
    bench.write("vault", SECRET)
    done = bench.yaat("validate", "--offline")
    assert done.returncode == 0, done.stderr


def test_hook_query(bench: Bench) -> None:
    bench.write("answer", ANSWER)
    done = bench.yaat("query", "SELECT of all", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [{"asked": "SELECT of all", "ink": "blue"}]


def default_sources(bench: Bench) -> dict[str, object]:
    bench.write("detector", DETECTOR)
    bench.write("wants", WANTS_SOURCES)
    text = (bench.folder / "yaat.yaml").read_text()
    (bench.folder / "yaat.yaml").write_text(re.sub(r"sources:\n  app: .*\n", "", text))
    shown = bench.yaat("config", "show", "--effective", "--json")
    assert shown.returncode == 0, shown.stderr
    sources = json.loads(shown.stdout)["sources"]
    assert isinstance(sources, dict)
    return sources


def test_hook_detectors(bench: Bench) -> None:
    assert "shop" in default_sources(bench)


def test_hook_default_sources(bench: Bench) -> None:
    sources = json.dumps(default_sources(bench))
    assert sources.count("/var/log/shop.txt") == 2, "read by its own source, excluded from the other"


def test_hook_health_routes(bench: Bench) -> None:
    bench.write("route", ROUTE)
    config = bench.folder / "yaat.yaml"
    config.write_text(config.read_text().replace('"off"', '"127.0.0.1:0"'))
    environ = {"YAAT_PLUGINS_DIR": str(bench.plugins), "YAAT_TRACE_PLUGINS": "1"}
    with AgentProcess(config, environ=environ).start() as agent:
        wait_until(lambda: ask(agent, "/uptime").text == "up in running", what=agent.log()[-2000:])
        assert agent.terminate() == 0
        bench.traced += agent.log()


def test_hook_panels(bench: Bench) -> None:
    bench.write("inkwell", PANEL)
    with Terminal(
        [sys.executable, "-m", "yaat_core.cli", "tui", "--screen", "ink"],
        cwd=bench.folder,
        environ={
            "YAAT_PLUGINS_DIR": str(bench.plugins),
            "YAAT_TRACE_PLUGINS": "1",
            "YAAT_TUI_SETTINGS": str(bench.folder / "tui.yaml"),
        },
    ) as terminal:
        terminal.wait_for("the inkwell is full", "9 Ink")
        terminal.send("c-q")
        assert terminal.ended() == 0
        bench.traced += terminal.raw.decode("utf-8", "replace").replace("\r\n", "\n")
