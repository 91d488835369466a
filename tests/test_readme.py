"""What README and documents show is true: commands run, links lead somewhere, everything is named."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import attrs
import pytest
from support.agents import AgentProcess, yaat
from support.documents import blocks

from yaat_core.cli.main import COMMANDS
from yaat_core.cli.mounted import plugin_commands
from yaat_core.config import model
from yaat_core.plugins import load_plugins

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/*.md", "bench/*.md", "plugins/*/README.md", "yaat_core/README.md")
    for page in ROOT.glob(pattern)
)
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as the usual viewers make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{target} is not there"
        assert not anchor or anchor in anchors(file), f"{target}: no such heading"


@each_page
def test_make_targets_are_there(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    assert set(re.findall(r"\bmake ([a-z][a-z-]+)\b(?=`| |$|\n)", _code_of(page))) <= targets


@each_page
def test_commands_are_there(page: Path) -> None:
    known = {*COMMANDS, *plugin_commands(), "yaat"}
    used = set(re.findall(r"(?:^|[`$/ ])yaat ([a-z][a-z-]*)\b", _code_of(page), re.M))
    assert used <= known


def _code_of(page: Path) -> str:
    """What is set as code on a page."""
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", page.read_text(encoding="utf-8"), re.S))


def test_the_readme_commands_work(tmp_path: Path) -> None:
    """The configuration of the README, on logs of our own; its commands one after the other, the agent running."""
    shown = list(blocks(README))
    (config,) = [block.body for block in shown if block.language == "yaml"]
    (typed,) = [block.body for block in shown if ".venv/bin/yaat" in block.body]
    (tmp_path / "app.log").write_text('{"level": "error", "msg": "no luck"}\nplain words\n', encoding="utf-8")
    text = config.replace("/var/log/app/*.log", str(tmp_path / "*.log")) + 'health: {listen: "off"}\n'
    (tmp_path / "yaat.yaml").write_text(text, encoding="utf-8")
    with AgentProcess(tmp_path / "yaat.yaml") as agent:
        for line in typed.splitlines():
            _, *arguments = shlex.split(line, comments=True)
            if arguments == ["run"]:
                agent.start()
                agent.wait_for(2)
            else:
                done = yaat(*arguments[:1], "-c", str(tmp_path / "yaat.yaml"), *arguments[1:])
                assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        assert agent.terminate() == 0


def test_every_plugin_is_in_the_readme() -> None:
    text = README.read_text(encoding="utf-8")
    for plugin in ROOT.glob("plugins/yaat-plugin-*"):
        assert f"[{plugin.name}](plugins/{plugin.name}/README.md)" in text


def test_every_key_is_documented() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    for settings in (
        model.DeadLetterSettings,
        model.PluginSettings,
        model.HealthSettings,
        model.ReloadSettings,
    ):
        for field in attrs.fields(settings):
            assert f"`{field.name}`" in text, f"{settings.__name__}.{field.name}"
    for (kind, name), known in load_plugins().registry.types.items():
        for field in attrs.fields(known.config):
            assert f"`{field.name}`" in text, f"{kind}.{name}: {field.name}"


def test_make_help_lists_every_target() -> None:
    listed = subprocess.check_output(
        ["make", "-s", "help"], cwd=ROOT, text=True, env={**os.environ, "MAKEFLAGS": ""}
    )
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert phony
    for target in phony[1].split():
        assert re.search(rf"^  make {target} ", listed, re.M)


def test_the_example_queries_answer(tmp_path: Path) -> None:
    """Each file of examples/queries runs on an empty database of ours."""
    (tmp_path / "app.log").write_text("one line\n", encoding="utf-8")
    config = tmp_path / "yaat.yaml"
    config.write_text(
        'version: 1\nstate_dir: state\nhealth: {listen: "off"}\n'
        "sources:\n  app: {type: file, paths: [app.log], start_at: beginning}\n"
        "sinks:\n  local: {type: duckdb, path: events.duckdb}\n",
        encoding="utf-8",
    )
    assert yaat("run", "--once", "-c", str(config)).returncode == 0
    for file in sorted((ROOT / "examples" / "queries").glob("*.sql")):
        done = yaat("query", file.read_text(encoding="utf-8").partition("\n")[2], "-c", str(config))
        assert done.returncode == 0, f"{file.name}\n{done.stderr}"
