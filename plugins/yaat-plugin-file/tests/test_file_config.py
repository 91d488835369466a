"""The options as YAML gives them."""

from __future__ import annotations

import pytest

from yaat_core.config.parsing import parse
from yaat_core.config.problems import Misfits
from yaat_core.config.structure import Structurer
from yaat_kit.joining import JoinRule
from yaat_plugin_file.config import FileConfig


def read(text: str) -> FileConfig:
    return Structurer().build(parse(text, "yaat.yaml").root, FileConfig)


def test_all_defaults():
    config = read("paths: [/var/log/*.log]")
    assert config.multiline is None
    assert config.start_at == "beginning"
    assert config.max_line_bytes == 1 << 20
    assert config.exclude[0] == "*.gz"


def test_multiline_is_a_preset_or_a_pattern():
    assert read("{paths: [a], multiline: python}").multiline == "python"
    assert read("{paths: [a], multiline: [java, python]}").multiline == ("java", "python")
    assert read("{paths: [a], multiline: {start: '^x'}}").multiline == JoinRule(start="^x")
    rule = read("{paths: [a], multiline: {start: BEGIN, end: END}}").multiline
    assert rule == JoinRule(start="BEGIN", end="END")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("paths: []", "names no file"),
        ("{paths: [a], multiline: cobol}", "python, java"),
        ("{paths: [a], multiline: {start: '('}}", "not a regular expression"),
        ("{paths: [a], multiline: [python, cobol]}", "python, java"),
        ("{paths: [a], multiline: {start: a, halt: b}}", "halt"),
        ("{paths: [a], multiline: {end: a, unfinished: b}}", "only one of these"),
        ("{paths: [a], multiline: {start: 'a(?=b)'}}", "no lookahead"),
        ("{paths: [a], multiline: {}}", "names no pattern"),
        ("{paths: [a], encoding: ebcdic}", "utf-16"),
        ("{paths: [a], encoding: utf-7}", "can't be cut into lines"),
        ("{paths: [a], event_lines: 1}", "at least 2"),
        ("{paths: [a], event_bytes: 10B}", "1KiB"),
        ("{paths: [a], max_line_bytes: 1GiB}", "64MiB"),
        ("{paths: [a], max_open_files: 0}", "more than 0"),
        ("{paths: [a], poll: 0s}", "more than 0"),
    ],
)
def test_what_is_wrong_is_told(text, told):
    with pytest.raises(Misfits) as caught:
        read(text)
    [misfit] = caught.value.found
    assert told in f"{misfit.what} {misfit.expected} {misfit.cause} {misfit.fix}"
