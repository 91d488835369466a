"""The effective configuration as it could be written, and the JSON Schema for editors."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yaat_core import config
from yaat_core.config.model import Configuration
from yaat_core.config.options import Duration, Size
from yaat_core.config.problems import ConfigError
from yaat_core.plugins import Plugins

Load = Callable[..., Configuration]
TESTDATA = Path(__file__).parent / "testdata"


def as_yaml(document: dict[str, Any]) -> str:
    from ruamel.yaml import YAML

    out = io.StringIO()
    YAML(typ="safe", pure=True).dump(document, out)
    return out.getvalue()


WRITTEN = """\
service_name: web
tags: {a: "1", b: "yes"}
sources:
  app: {type: file, paths: ["*.log"], poll: 1h30m, line_limit: 10KiB, format: {type: regex, pattern: x}}
processors:
  - {type: scrub, name: last, rules: [{name: r, pattern: "\\\\d"}]}
  - {type: json, sources: [app]}
sinks:
  local: {type: duckdb, retention: none, from: now, queue: {retention: none, when_full: drop_newest}}
"""


@pytest.mark.parametrize("text", [WRITTEN, ""])
def test_what_is_shown_loads_as_the_same(text: str, load: Load) -> None:
    made = load(text)
    again = load(as_yaml(config.show(made)))
    assert attrs.evolve(again, warnings=made.warnings) == made
    assert config.show(again) == config.show(made)


def test_written_forms(load: Load) -> None:
    shown = json.loads(json.dumps(config.show(load(WRITTEN))))
    assert shown["sources"]["app"]["poll"] == "90m"
    assert shown["sources"]["app"]["line_limit"] == "10KiB"
    assert shown["sinks"]["local"]["retention"] is None
    assert [one["name"] for one in shown["processors"]] == ["json", "last"]


@given(st.floats(0, 1e7).filter(lambda seconds: seconds == 0 or seconds >= 1e-6))
def test_a_shown_duration_is_read_as_nearly_the_same(seconds: float) -> None:
    assert Duration.parse(str(Duration(seconds))) == pytest.approx(seconds, abs=1e-6)


@given(st.integers(0, 2**60))
def test_a_shown_size_is_read_as_the_same(count: int) -> None:
    assert Size.parse(str(Size(count))) == count


@pytest.fixture
def validate(plugins: Plugins) -> Callable[[str], list[str]]:
    """Complaints of the schema about a text."""
    import jsonschema

    schema = config.schema(plugins)
    jsonschema.Draft202012Validator.check_schema(schema)
    checker = jsonschema.Draft202012Validator(schema)

    def check(text: str) -> list[str]:
        from ruamel.yaml import YAML

        document = YAML(typ="safe", pure=True).load(text) or {}
        return [error.message for error in checker.iter_errors(document)]

    return check


def test_the_schema_takes_what_the_loader_takes(load: Load, validate: Callable[[str], list[str]]) -> None:
    for text in (WRITTEN, "", 'sinks: {a: {type: cloud, endpoint: x, api_key: "${env:K}", low: "${env:N}"}}'):
        load(text, K="k", N="1")
        assert validate(text) == []


@pytest.mark.parametrize(
    "name",
    [
        "unknown_key",
        "unknown_key_at_the_top",
        "unknown_key_of_a_nested_class",
        "duration_as_text",
        "duration_without_unit",
        "size_without_unit",
        "int_as_text",
        "bool_as_yes",
        "text_as_number",
        "choice",
        "mapping_as_list",
        "list_as_mapping",
        "unknown_type",
        "no_type",
        "missing_option",
        "unknown_format",
        "component_name",
        "version",
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(name: str, validate: Callable[[str], list[str]]) -> None:
    assert validate((TESTDATA / f"{name}.yaml").read_text())


def test_every_key_of_the_schema_is_described(plugins: Plugins) -> None:
    def walk(node: Any, path: str) -> list[str]:
        if isinstance(node, list):
            return [found for index, one in enumerate(node) for found in walk(one, f"{path}[{index}]")]
        if not isinstance(node, dict):
            return []
        own = node.get("properties", {})
        silent = [f"{path}.{name}" for name, one in own.items() if not one.get("description")]
        return silent + [found for name, one in node.items() for found in walk(one, f"{path}.{name}")]

    schema = config.schema(plugins)
    assert walk(schema, "") == []
    assert json.loads(json.dumps(schema)) == schema
    paths = schema["properties"]["sources"]["additionalProperties"]["oneOf"][0]["properties"]
    assert paths["poll"]["default"] == "1s"


def test_a_config_class_with_names_that_are_not_there_is_a_plugin_error(plugins: Plugins) -> None:
    from yaat_core.errors import PluginError
    from yaat_core.registry import ComponentType

    @attrs.frozen
    class Lost:
        path: Nowhere  # type: ignore[name-defined]  # noqa: F821

    plugins.registry.add(
        ComponentType(kind="sources", name="lost", config=Lost, factory=lambda *_: None, distribution="x")
    )
    with pytest.raises((PluginError, ConfigError), match="can't be resolved"):
        config.schema(plugins)
