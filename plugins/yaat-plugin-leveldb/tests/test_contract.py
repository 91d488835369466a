"""The contract of a queue, and its configuration."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import yaat_plugin_leveldb
from yaat_core.config.options import Size
from yaat_core.registry import Register, Registry
from yaat_core.testing import check_queue, make_context
from yaat_plugin_leveldb import plugin
from yaat_plugin_leveldb.config import LevelDBConfig


def test_contract(tmp_path: Path) -> None:
    registry = Registry()
    plugin.register_components(Register(registry, "yaat-plugin-leveldb"))
    kind = registry.find("queue", "leveldb")
    assert kind is not None
    config = LevelDBConfig(write_buffer=Size(2**20), reserve=Size(2**20))
    check_queue(lambda: kind.factory(config, make_context(tmp_path, "queue")))


def test_making_a_queue_opens_nothing(tmp_path: Path) -> None:
    context = make_context(tmp_path, "queue")
    plugin._make(LevelDBConfig(), context).close()
    assert list(context.state_dir.iterdir()) == []


def test_the_manifest_names_what_is_registered() -> None:
    text = (Path(yaat_plugin_leveldb.__file__).parent / "manifest.toml").read_text()
    assert list(tomllib.loads(text)["queue"]) == ["leveldb"]


@pytest.mark.parametrize("wrong", [{"path": " "}, {"write_buffer": Size(1)}, {"write_buffer": Size(2**40)}])
def test_options_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"must"):
        LevelDBConfig(**wrong)  # type: ignore[arg-type]
