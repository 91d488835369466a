"""Whatever the text, the answer is a configuration or problems with places, soon."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yaat_core import config
from yaat_core.config.nodes import core_schema, plain_value
from yaat_core.config.parsing import parse
from yaat_core.config.problems import ConfigError, ConfigProblem
from yaat_core.plugins import Plugins

PIECES = [
    *"{}[],:-?&*!|>%@`#'\"\\ \t\n\r~<.\x85\u2028\ufeff\x00é日",
    "a",
    "1",
    "sources:\n",
    "  app:",
    "type: file",
    "paths: [x]",
    "processors:",
    "- ",
    "\n",
    "\n  ",
    ": ",
    "${env:X}",
    "${",
    "$${",
    "<<: ",
    "&a ",
    "*a",
    "!!str ",
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "|\n  text\n",
    "sinks: {a: {type: duckdb}}\n",
    "tags: {a: b}\n",
    "none",
    "10s",
    "'",
]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_any_text_is_a_configuration_or_has_problems_with_places(
    text: str, plugins: Plugins, tmp_path: Path
) -> None:
    path = tmp_path / "yaat.yaml"
    path.write_bytes(text.encode())
    problems: Sequence[ConfigProblem] = ()
    try:
        config.load(path, plugins, environ={"X": "10s"})
    except ConfigError as error:
        problems = error.problems
        json.dumps(error.to_json())
        assert problems
    for problem in problems:
        assert problem.line is not None or problem.code == "YAAT-E108"
        assert all(line.isprintable() for line in problem.render().split("\n")), problem


@settings(max_examples=50, deadline=None)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.text(min_size=1, max_size=50).filter(lambda key: key != "<<"), inner, max_size=4
            )
        ),
        max_leaves=20,
    )
)
def test_json_means_the_same(value: Any) -> None:
    document = parse(json.dumps(value), "x")
    assert document.misfits == []
    assert document.root is not None
    assert plain_value(document.root) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("Null", None),
        ("nUll", "nUll"),
        ("true", True),
        ("TRUE", True),
        ("yes", "yes"),
        ("off", "off"),
        ("0", 0),
        ("-12", -12),
        ("+7", 7),
        ("010", 10),
        ("0o10", 8),
        ("0xfF", 255),
        ("1_000", "1_000"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        (".inf", float("inf")),
        ("1:30", "1:30"),
        ("2020-01-01", "2020-01-01"),
        ("9" * 200, "9" * 200),
    ],
)
def test_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    got = core_schema(text)
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 20_000,
        "a: " + "{b: " * 20_000,
        "- " * 20_000,
        "a: [" + "b, " * 300_000,
        "\n".join(f"key{number}: [1, 2, 3]" for number in range(40_000)),
    ],
    ids=["brackets", "braces", "dashes", "wide", "many"],
)
def test_bombs_are_refused_soon(text: str) -> None:
    begun = time.process_time()
    assert parse(text, "x").misfits
    assert time.process_time() - begun < 10


def test_half_of_a_surrogate_pair() -> None:
    assert [misfit.code for misfit in parse(r'a: "\ud800"', "x").misfits] == ["YAAT-E100"]


def test_a_bomb_of_aliases_is_refused_where_it_begins() -> None:
    text = "a: &a [x, x]\n" + "".join(
        f"{name}: &{name} [*{before}, *{before}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    codes = {misfit.code for misfit in parse(text, "x").misfits}
    assert codes == {"YAAT-E107"}
