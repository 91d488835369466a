"""Options as people type them."""

from __future__ import annotations

import pytest

from yaat_core.config.editing import typed
from yaat_core.config.editing.rendering import same
from yaat_core.config.editing.types import OptionInfo, types_of
from yaat_core.errors import UsageError

from .conftest import plugins

EVERY = [option for type in types_of(plugins()) for option in type.options]


def option(shape: str, words: str, **more: object) -> OptionInfo:
    facts: dict[str, object] = {"name": "x", "required": False, "default": None, "help": "", "example": None}
    return OptionInfo(shape=shape, words=words, **{**facts, **more})  # type: ignore[arg-type]


LIST = option("list", "a list of texts", item="text")


def test_what_is_shown_of_every_option_is_read_back_as_it_was() -> None:
    tried = 0
    for one in EVERY:
        for value in (one.default, one.example):
            if value not in (None, [], {}):
                assert same(typed.value_of(one, typed.text_of(one, value)), value), one
                tried += 1
    assert tried > 100


@pytest.mark.parametrize(
    ("of", "text", "value"),
    [
        (LIST, "/a/*.log, b.log ,", ["/a/*.log", "b.log"]),
        (LIST, "[a, 'b, c']", ["a", "b, c"]),
        (option("integer", "a whole number"), "12", 12),
        (option("integer", "a whole number"), "${env:N}", "${env:N}"),
        (option("text", "a text"), "12", "12"),
        (option("text", "a text"), "level = 'x', [", "level = 'x', ["),
        (option("duration", "a duration"), " 10s ", "10s"),
        (option("boolean", "true or false"), "false", False),
        (option("mapping", "a mapping"), "tier: front\nzone: a", {"tier": "front", "zone": "a"}),
        (option("choice", "a format"), "nginx", "nginx"),
        (option("choice", "a format"), "{type: csv, delimiter: ';'}", {"type": "csv", "delimiter": ";"}),
    ],
)  # fmt: skip
def test_what_is_typed(of: OptionInfo, text: str, value: object) -> None:
    assert same(typed.value_of(of, text), value)
    assert typed.problem_of(of, text) == ""


@pytest.mark.parametrize(
    ("of", "text"),
    [
        (option("integer", "a whole number"), "ten"),
        (option("boolean", "true or false"), "maybe"),
        (option("mapping", "a mapping"), "front"),
        (option("mapping", "a mapping"), "{tier: front"),
        (LIST, "[a"),
    ],
)
def test_what_can_not_be_meant_is_told(of: OptionInfo, text: str) -> None:
    with pytest.raises(UsageError):
        typed.value_of(of, text)
    assert typed.problem_of(of, text)


def test_only_what_was_touched_changes() -> None:
    options = [
        LIST,
        option("duration", "a duration", name="poll", default="1s"),
        option("text", "a text", name="t"),
    ]
    before = {"x": ["${env:A}", "b"], "t": "old"}
    typed_ = {one.name: typed.shown_of(one, before) for one in options}
    assert typed.changes(options, before, typed_) == ({}, [])
    assert typed.changes(options, before, {**typed_, "poll": "2s", "t": ""}) == ({"poll": "2s"}, ["t"])
    assert typed.changes(options, before, {**typed_, "poll": "1s"}) == ({}, []), "the default is not written"


def test_assignments_are_read_back_by_the_command_line() -> None:
    from yaat_core.cli.values import assigned

    given = {
        "paths": ["/a b/*.log"],
        "t": "12",
        "u": "level <> 'x'",
        "n": 5,
        "b": True,
        "m": {"type": "csv"},
        "e": "",
    }
    assert assigned(typed.assignments(given)) == given
