"""The editor of texts: it says what was wanted, and no other line has changed."""

from __future__ import annotations

import difflib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yaat_core.config.editing.page import Page
from yaat_core.config.editing.reaching import reach, with_value, without
from yaat_core.config.editing.rendering import flow, same
from yaat_core.config.problems import ConfigError
from yaat_core.errors import UsageError

from .conftest import CONFIG

_KEYS = st.sampled_from(["a", "b", "c", "d", "e f", "no", "x:", "type", "ü", '"', "- z", "1"])
_ODD = ["no", "1:30", "a: b", "# c", "x #y", "a\nb", "a\n\nb\n", "a\n\n", " lead\nb", "|", "${env:X}"]
_ODD += ["\x85", "\u2028", "\ufeff", "\x00", "'", '"', "[a", "a,b", "null", "~", "", "-", "1e3", "😀", "\t"]
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    st.sampled_from(_ODD),
)
_VALUES: Any = st.recursive(
    _SCALARS,
    lambda below: st.one_of(st.lists(below, max_size=3), st.dictionaries(_KEYS, below, max_size=3)),
    max_leaves=8,
)
_WHOLES = st.dictionaries(_KEYS, _VALUES, max_size=4)


def written(value: Any, *, flat: bool, crlf: bool, comments: int) -> str:
    """A file that says this, with comments and blank lines where they can stand."""
    text = f"# head\n{flow(value)}  # tail\n" if flat else reach("# head\n", value)
    if comments and "|" not in text:
        lines: list[str] = []
        for number, line in enumerate(text.split("\n")):
            if number % 2 == comments % 2:
                lines.append(" " * (len(line) - len(line.lstrip())) + f"# note {number}")
            lines.append(line)
            if comments == 3:
                lines.append("")
        text = "\n".join(lines)
    return text.replace("\n", "\r\n") if crlf else text


@settings(max_examples=150)
@given(_WHOLES, _WHOLES, st.booleans(), st.booleans(), st.integers(0, 3))
def test_any_text_comes_to_mean_anything(one: Any, two: Any, flat: bool, crlf: bool, comments: int) -> None:
    text = written(one, flat=flat, crlf=crlf, comments=comments)
    assert same(Page.of(text).value or {}, one)
    after = reach(text, two)
    assert same(Page.of(after).value or {}, two)
    assert reach(after, two) == after
    if crlf and same(one, two):
        assert after == text


def changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """Lines that went, lines that came."""
    diff = [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "-+"]
    return [line[2:] for line in diff if line[0] == "-"], [line[2:] for line in diff if line[0] == "+"]


@pytest.mark.parametrize(
    ("path", "value", "gone", "came"),
    [
        (("sources", "app", "start_at"), "end", ["    start_at: beginning"], ["    start_at: end"]),
        (
            ("sources", "app", "paths"),
            ["app.log", "b c.log"],
            ['    paths: ["app.log"]   # one line an order'],
            ['    paths: ["app.log", b c.log]   # one line an order'],
        ),
        (("sources", "web", "paths", 1), "x.log", ["      - 'more/*.log'"], ["      - 'x.log'"]),
        (("sources", "web", "paths", 2), "x.log", [], ["      - x.log"]),
        (("sources", "app", "poll"), "5s", [], ["    poll: 5s"]),
        (
            ("processors", 0, "detectors"),
            ["secrets", "email"],
            ["  detectors: [secrets]"],
            ["  detectors: [secrets, email]"],
        ),
        (
            ("sinks", "local", "retention"),
            "7d",
            ["sinks: {local: {type: duckdb, path: e.duckdb}}"],
            ["sinks: {local: {type: duckdb, path: e.duckdb, retention: 7d}}"],
        ),
        (("service_name",), "no", [], ["", 'service_name: "no"']),
        (("version",), 2, ["version: 1"], ["version: 2"]),
    ],
)
def test_a_change_touches_the_lines_that_it_is_about(
    path: Any, value: Any, gone: list[str], came: list[str]
) -> None:
    before = Page.of(CONFIG).value
    after = reach(CONFIG, with_value(before, path, value))
    assert changed(CONFIG, after) == (gone, came)


def test_a_component_goes_with_its_comments_and_leaves_the_others() -> None:
    before = Page.of(CONFIG).value
    after = reach(CONFIG, without(before, ("sources", "app")))
    gone, came = changed(CONFIG, after)
    assert not came
    assert gone[0] == "  # the shop writes here"
    assert gone[-1] == ""
    assert "    # format: json" in gone
    assert "sources:\n  web:\n" in after


def test_a_component_comes_as_a_block_below_the_others() -> None:
    before = Page.of(CONFIG).value
    new = {"type": "file", "paths": ["n.log"], "tags": {"tier": "front"}}
    after = reach(CONFIG, with_value(before, ("sources", "new"), new))
    assert changed(CONFIG, after)[0] == []
    assert "\n\n  new:\n    type: file\n    paths: [n.log]\n    tags: {tier: front}\n" in after


def test_anchors_and_mistakes_elsewhere_stay_as_they_are() -> None:
    text = "a: &one {x: 1}\nb: *one\nunknown: [1,   2]\nc: 1\n"
    after = reach(text, {**Page.of(text).value, "c": 2})
    assert after == text.replace("c: 1", "c: 2")


def test_nothing_to_change_changes_nothing() -> None:
    assert reach(CONFIG, Page.of(CONFIG).value) == CONFIG


@pytest.mark.parametrize("text", ["", "# only a note", "---\n", "\n\n"])
def test_an_empty_file_gets_what_is_wanted(text: str) -> None:
    after = reach(text, {"sources": {"a": {"type": "file"}}})
    assert after.startswith(text.rstrip("\n"))
    assert Page.of(after).value == {"sources": {"a": {"type": "file"}}}


def test_what_is_no_yaml_is_refused_with_its_place() -> None:
    with pytest.raises(ConfigError) as error:
        reach("a: [1\nb: 2\n", {})
    assert error.value.problems[0].line


@pytest.mark.parametrize("value", [{1: 2}, {"a": object()}, {"": 1}, "\ud800"])
def test_what_no_configuration_holds_is_refused(value: Any) -> None:
    with pytest.raises(UsageError):
        reach("", {"x": value})
