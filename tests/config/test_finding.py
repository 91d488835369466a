"""Which file is read, and where state goes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from yaat_core import config
from yaat_core.config.problems import ConfigError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return tmp_path


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    return path


def test_the_order(home: Path) -> None:
    environ = {"HOME": str(home)}
    if not Path("/etc/yaat/yaat.yaml").exists():
        assert config.find_config(None, environ) is None
    in_home = put(home / ".config/yaat/yaat.yaml")
    assert config.find_config(None, environ) == in_home
    put(Path("yaat.yaml"))
    assert config.find_config(None, environ) == Path("yaat.yaml")
    named = put(home / "named.yaml")
    assert config.find_config(None, {**environ, "YAAT_CONFIG": str(named)}) == named
    explicit = put(home / "explicit.yaml")
    assert config.find_config(str(explicit), {**environ, "YAAT_CONFIG": str(named)}) == explicit
    assert config.find_config(None, {**environ, "YAAT_CONFIG": ""}) == Path("yaat.yaml")


def test_xdg_config_home(home: Path) -> None:
    found = put(home / "xdg/yaat/yaat.yaml")
    assert config.find_config(None, {"HOME": str(home), "XDG_CONFIG_HOME": str(home / "xdg")}) == found


@pytest.mark.parametrize(("explicit", "environ"), [("none.yaml", {}), (None, {"YAAT_CONFIG": "none.yaml"})])
def test_a_file_that_was_named_has_to_be_there(
    explicit: str | None, environ: dict[str, str], home: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        config.find_config(explicit, {"HOME": str(home), **environ})
    assert caught.value.problems[0].code == "YAAT-E108"
    assert "there is no file none.yaml" in caught.value.render()
    assert ("YAAT_CONFIG" in caught.value.render()) == (explicit is None)


def test_a_place_that_can_not_be_looked_at_is_not_skipped(home: Path) -> None:
    (home / ".config").symlink_to(".config")  # a loop: refused to root as well
    with pytest.raises(ConfigError, match="1 problem"):
        config.find_config(None, {"HOME": str(home)})


def test_state_dir(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert config.default_state_dir({"HOME": "/root", "XDG_STATE_HOME": "/x"}) == Path("/var/lib/yaat")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert config.default_state_dir({"HOME": "/base/a"}) == Path("/base/a/.local/state/yaat")
    assert config.default_state_dir({"HOME": "/base/a", "XDG_STATE_HOME": "/x"}) == Path("/x/yaat")
    assert config.default_state_dir({"HOME": "/base/a", "XDG_STATE_HOME": "rel"}) == Path(
        "/base/a/.local/state/yaat"
    )


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("plugins: {disable: [a, b]}", ("a", "b")),
        ("plugins: {disable: a}", ("a",)),
        ("plugins: {}", ()),
        ("plugins: [", ()),
        ("- x", ()),
        ("", ()),
    ],
)
def test_what_a_file_disables_is_known_before_plugins_are(
    text: str, names: tuple[str, ...], tmp_path: Path
) -> None:
    path = tmp_path / "yaat.yaml"
    path.write_text(text)
    assert config.disabled_in(path) == names
    assert config.disabled_in(None) == config.disabled_in(tmp_path / "none.yaml") == ()
