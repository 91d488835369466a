"""Plugins are loaded one by one; what fails is named and left out whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from yaat_core.errors import PluginError
from yaat_core.hookspecs import hookimpl
from yaat_core.plugins import Plugins, PluginState, load_plugins, register
from yaat_core.registry import Register

GOOD = """
from yaat_core import Register, configuration, hookimpl, option


@configuration
class {name}Config:
    '''Sheets of {name}.'''

    ink: str = option("blue", help="Its colour.")


@hookimpl
def register_components(register: Register) -> None:
    register.sink("{type}", {name}Config, lambda config, context: None)


@hookimpl
def resolve_secret(name: str):
    return "value of {name}" if name == "{name}" else None
"""

Bench = Callable[..., Plugins]


def good(name: str, type: str | None = None) -> str:
    return GOOD.format(name=name, type=type or name)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Write loose files and load them, and nothing else."""

    def load(*disable: str, _more: dict[str, str] | None = None, **files: str) -> Plugins:
        for name, text in files.items():
            suffix = ".toml" if name.endswith("_toml") else ".py"
            (tmp_path / f"{name.removesuffix('_toml')}{suffix}").write_text(text)
        only = ",".join(path.stem for path in tmp_path.glob("*.py")) or "none"
        environ = {"YAAT_PLUGINS_DIR": str(tmp_path), "YAAT_LOAD_PLUGINS": only, **(_more or {})}
        return load_plugins(disable, environ=environ)

    return load


def state(plugins: Plugins, name: str) -> PluginState:
    return next(one for one in plugins.states if one.name == name)


def test_what_a_plugin_provides(bench: Bench) -> None:
    plugins = bench(paper=good("paper"))
    loaded = state(plugins, "paper")
    assert (loaded.state, loaded.reason, loaded.hooks) == ("loaded", "", ("resolve_secret",))
    assert loaded.components == {"sinks": {"paper": "Sheets of paper."}}
    found = plugins.registry.find("sinks", "paper")
    assert found is not None
    assert found.distribution == "paper.py"
    assert plugins.manager.hook.resolve_secret(name="paper") == "value of paper"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import there_is_no_such_module", "it did not import: No module named 'there_is_no_such_module'"),
        ("raise SystemExit(3)", "it called sys.exit(3)"),
        ("1 / 0", "it raised ZeroDivisionError"),
        ("def (", "it raised SyntaxError"),
        (
            "from yaat_core import hookimpl\n@hookimpl\ndef query(sink, wrong): pass",
            "wrong",
        ),
        (
            "from yaat_core import hookimpl\n@hookimpl\ndef resolve_secrets(name): pass",
            "there is no hook `resolve_secrets`, did you mean `resolve_secret`?",
        ),
        (
            good("bad").replace('"bad", badConfig', '"Bad Name", badConfig'),
            "is no name for a sinks type",
        ),
        (good("bad").replace("@configuration", ""), "is no attrs class"),
        (
            good("bad").replace("ink: str", "queue: str"),
            "the option `queue` of `bad` has the name of a key that every component in sinks has",
        ),
        (good("bad") + "\n    raise OSError(5, 'half-way')\n".replace("    raise", "raise"), "half-way"),
    ],
)
def test_a_plugin_that_fails_is_left_out_whole(text: str, told: str, bench: Bench) -> None:
    plugins = bench(bad=text, paper=good("paper"))
    failed = state(plugins, "bad")
    assert failed.state == "failed"
    assert told in failed.reason
    assert "bad.py" in failed.traceback or "Error" in failed.traceback
    assert plugins.registry.names("sinks") == ["paper"]
    assert [name for name, _ in plugins.manager.list_name_plugin()] == ["paper"]
    assert plugins.manager.hook.resolve_secret(name="bad") is None


def test_a_plugin_that_fails_half_way_leaves_nothing(bench: Bench) -> None:
    half = good("half").replace(
        "lambda config, context: None)", 'lambda config, context: None)\n    raise ValueError("half-way")'
    )
    plugins = bench(half=half)
    assert state(plugins, "half").state == "failed"
    assert plugins.registry.types == {}
    assert plugins.manager.get_plugins() == set()


def test_of_two_with_one_name_the_second_is_refused_and_both_are_named(bench: Bench) -> None:
    plugins = bench(bravo=good("bravo", "same"), alpha=good("alpha", "same"))
    assert state(plugins, "alpha").state == "loaded"
    refused = state(plugins, "bravo")
    assert refused.state == "failed"
    assert "alpha.py" in refused.reason
    assert "bravo.py" in refused.reason
    found = plugins.registry.find("sinks", "same")
    assert found is not None
    assert found.distribution == "alpha.py"
    assert plugins.manager.hook.resolve_secret(name="bravo") is None


def test_another_api_is_refused_before_the_import(bench: Bench, tmp_path: Path) -> None:
    mark = tmp_path / "imported"
    plugins = bench(late=f"open({str(mark)!r}, 'w')", late_toml='api = "7"\nsummary = "x"\n')
    assert "written for plugin API 7, this yaat has 1" in state(plugins, "late").reason
    assert not mark.exists()


def test_disabled_and_not_selected_are_not_imported(bench: Bench) -> None:
    plugins = bench(
        "off.py", off="raise SystemExit", paper=good("paper"), _more={"YAAT_LOAD_PLUGINS": "off,paper"}
    )
    assert (state(plugins, "off").state, state(plugins, "off").reason) == ("disabled", "in plugins.disable")
    plugins = bench(_more={"YAAT_LOAD_PLUGINS": "paper"})
    assert state(plugins, "off").state == "not_selected"


def test_what_a_failed_plugin_would_provide_is_known_from_its_manifest(bench: Bench) -> None:
    toml = 'api = "1"\nsummary = "x"\n[sinks.paper]\nsummary = "Sheets."\n'
    plugins = bench(bad="1 / 0", bad_toml=toml)
    assert [one.name for one in plugins.providing("sinks", "paper")] == ["bad"]
    assert plugins.providing("sources", "paper") == []


def test_an_interrupt_is_not_swallowed(bench: Bench) -> None:
    with pytest.raises(KeyboardInterrupt):
        bench(stop="raise KeyboardInterrupt")


def test_each_loading_is_fresh(bench: Bench) -> None:
    first = bench(paper=good("paper"))
    second = bench(paper=good("paper", "cardboard"))
    assert first.registry.names("sinks") == ["paper"]
    assert second.registry.names("sinks") == ["cardboard"]
    assert first.manager is not second.manager


def test_tracing_tells_of_calls_and_keeps_secrets(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    plugins = bench(paper=good("paper"), _more={"YAAT_TRACE_PLUGINS": "1"})
    assert plugins.manager.hook.resolve_secret(name="paper") == "value of paper"
    plugins.manager.hook.query(sink=object(), context=object(), request=object())
    told = capsys.readouterr().err
    assert "hook register_components(register=<Register>) to paper" in told
    assert "hook resolve_secret(name='paper') to paper" in told
    assert "ms, found" in told
    assert "value of paper" not in told
    assert "hook query(sink=<object>, context=<object>, request=<object>) to nobody" in told


def test_without_the_variable_nothing_is_traced(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench(paper=good("paper"), _more={"YAAT_TRACE_PLUGINS": "0"})
    assert capsys.readouterr().err == ""


def test_an_object_can_be_a_plugin(bench: Bench) -> None:
    class Wrong:
        @hookimpl
        def register_components(self, register: Register) -> None:
            register.sink("Wrong", str, lambda config, context: None)  # type: ignore[arg-type,return-value]

    plugins = bench()
    with pytest.raises(PluginError, match="is no name"):
        register(Wrong(), "wrong", plugins)
    assert plugins.manager.get_plugins() == set()
