"""What a configuration with a gateway may say, and what `yaat gateway serve` runs without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from yaat_core import config
from yaat_core.cli.door import Door
from yaat_core.config.model import Configuration
from yaat_core.config.problems import ConfigError
from yaat_core.plugins import load_plugins
from yaat_plugin_gateway.cli.serve import with_gateway
from yaat_plugin_gateway.config import GatewayConfig


def refused(folder: Path, text: str) -> str:
    (folder / "yaat.yaml").write_text(f"version: 1\n{text}")
    with pytest.raises(ConfigError) as caught:
        config.load(folder / "yaat.yaml", load_plugins(()), detect=False)
    return caught.value.render()


def test_an_agent_has_one_gateway(tmp_path):
    text = "sources:\n  a: {type: gateway}\n  b: {type: gateway, listen: 'tcp://127.0.0.1:9'}\n"
    said = refused(tmp_path, text)
    assert "two sources of type `gateway`, a and b" in said
    assert "yaat.yaml:4" in said


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ("listen: 'udp://127.0.0.1:1'", "must be an address like tcp://"),
        ("listen: '127.0.0.1:8320'", "tcp://127.0.0.1"),
        ("listen: 'tcp://0.0.0.0:8320', access: none", "takes a listener on loopback"),
        ("tls_key: key.pem", "needs `tls_certificate`"),
        ("tls_minimum: '1.0'", "1.2"),
        ("max_events: 0", "more than 0"),
        ("remember_events: -1", "0 or more"),
        ("raw_payloads: {keep: 0s}", "more than 0"),
    ],
)
def test_options_that_are_none(tmp_path, options, problem):
    assert problem in refused(tmp_path, f"sources:\n  a: {{type: gateway, {options}}}\n")


def served(path: Path | None, capsys: pytest.CaptureFixture[str]) -> tuple[Configuration, str]:
    plugins = load_plugins(())
    made = with_gateway(config.load(path, plugins, detect=False), plugins, Door())
    return made, capsys.readouterr().err


def test_without_a_configuration_a_gateway_is_all_that_is_read(capsys):
    made, said = served(None, capsys)
    assert {name: entry.type.name for name, entry in made.sources.items()} == {"ingest": "gateway"}
    assert made.sources["ingest"].options == GatewayConfig()
    assert [entry.type.name for entry in made.processors] == ["scrub"]
    assert [entry.type.name for entry in made.sinks.values()] == ["duckdb"]
    assert not said


def test_a_configuration_with_a_gateway_is_run_as_it_is(tmp_path, capsys):
    path = tmp_path / "yaat.yaml"
    path.write_text("version: 1\nsources:\n  in: {type: gateway}\n  app: {type: file, paths: [app.log]}\n")
    made, said = served(path, capsys)
    assert list(made.sources) == ["in", "app"]
    assert not said


def test_one_without_a_gateway_gets_one_and_its_sources_are_not_read(tmp_path, capsys):
    path = tmp_path / "yaat.yaml"
    path.write_text("version: 1\nservice_name: s\nsources:\n  app: {type: file, paths: [app.log]}\n")
    made, said = served(path, capsys)
    assert list(made.sources) == ["ingest"]
    assert made.service_name == "s"
    assert "no source of type gateway" in said
