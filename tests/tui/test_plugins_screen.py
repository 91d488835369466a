"""Plugins are turned off and on from their screen: in the configuration, with a way back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.agents import yaat
from support.tui import Site

from yaat_core.config.editing import disabling
from yaat_core.plugins import PluginState


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A running agent; each test leaves the configuration as it was."""
    made = Site.made(tmp_path_factory.mktemp("plugins"))
    with made.agent.start():
        yield made


def test_one_is_turned_off_and_on(shop: Site) -> None:
    before = shop.config.read_text()
    with shop.tui("--screen", "plugins", columns=120, rows=30) as terminal:
        terminal.wait_for("healthy", "Plugins: ", "statsd")
        terminal.send("/")
        terminal.type("statsd")
        terminal.wait_for("/statsd", "1 of 1")
        terminal.send("enter", "D")
        terminal.wait_for(
            "Do not load statsd?",
            "yaat-plugin-statsd",
            "from the agent's next start on",
            "The same: yaat config set 'plugins.disable=",
            "Turn it off",
        )
        terminal.send("enter")
        terminal.wait_gone("Turn it off")
        assert shop.config.read_text() == before, "Cancel has the focus"
        terminal.send("D")
        terminal.wait_for("Turn it off")
        terminal.send("tab", "enter")
        terminal.wait_for("statsd is not loaded any more after a restart")
        assert "yaat-plugin-statsd" in shop.config.read_text()
        listed = yaat("plugins", "list", "--json", "-c", str(shop.config), **shop.agent.environ)
        assert '"disabled"' in listed.stdout
        terminal.send("u")
        terminal.wait_for("taken back")
        assert shop.config.read_text() == before
        done = yaat("config", "set", "plugins.disable=[yaat-plugin-statsd]", "--yes", "-c", str(shop.config),
                    **shop.agent.environ)  # fmt: skip
        assert done.returncode == 0, done.stderr
        terminal.send("D")
        terminal.wait_for("Load statsd again?", "Turn it on")
        terminal.send("enter")
        terminal.wait_for("statsd is loaded again after a restart")
        assert "yaat-plugin-statsd" not in shop.config.read_text()
    shop.config.write_text(before)


def test_what_is_used_is_not_turned_off(shop: Site) -> None:
    before = shop.config.read_text()
    with shop.tui("--screen", "plugins", columns=120, rows=30) as terminal:
        terminal.wait_for("healthy", "Plugins: ", "picky")
        terminal.send("/")
        terminal.type("picky")
        terminal.wait_for("/picky", "1 of 1")
        terminal.send("enter", "D")
        terminal.wait_for("sinks.picky needs picky: take that out of the configuration first")
    assert shop.config.read_text() == before


def test_the_list_of_what_is_off() -> None:
    one = PluginState(name="stdout", distribution="yaat-plugin-stdout", version="1", state="loaded",
                      components={"sinks": {"stdout": ""}, "queue": {"q": ""}, "processors": {"p": ""}})  # fmt: skip
    loose = PluginState(name="picky", distribution="/plugins/picky.py", version="", state="loaded")
    assert disabling.change([], one, off=True) == ["yaat-plugin-stdout"]
    assert disabling.change(["a", "stdout", "Yaat_Plugin.stdout"], one, off=False) == ["a"]
    assert disabling.change(["a"], loose, off=True) == ["a", "picky"]
    assert disabling.listed(["STDOUT"], one)
    assert not disabling.listed(["a"], one)
    configuration = {
        "sinks": {"out": {"type": "stdout"}, "local": {"type": "duckdb"}},
        "processors": [{"type": "p"}, {"type": "p", "name": "second"}, {"type": "x"}],
        "queue": {"type": "q"},
    }
    assert disabling.users(one, configuration) == [
        "sinks.out", "processors.p", "processors.second", "queue",
    ]  # fmt: skip
