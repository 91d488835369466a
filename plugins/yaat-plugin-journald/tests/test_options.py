"""Options that are wrong are refused with what to write instead."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yaat_plugin_journald.checkpoint import Checkpoint
from yaat_plugin_journald.child_reader import arguments, filters, start_argument
from yaat_plugin_journald.config import JournaldConfig
from yaat_plugin_journald.cursors import Cursor
from yaat_plugin_journald.matching import Nothing, alternatives, unit_name
from yaat_plugin_journald.places import Places
from yaat_plugin_journald.readers import Asked
from yaat_plugin_journald.since import AtBoot, AtCursor, AtTime, Start, start_of

hexadecimal = st.integers(0, 2**64 - 1).map(lambda number: f"{number:x}")
identities = st.integers(0, 2**128 - 1).map(lambda number: f"{number:032x}")
cursors = st.builds(
    "s={};i={};b={};m={};t={};x={}".format, identities, *[hexadecimal, identities, *[hexadecimal] * 3]
)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"priority": "eror"}, "did you mean err"),
        ({"priority": "8"}, "0 to 7"),
        ({"since": "yesterday"}, "a duration like 1h, or a time like 2026"),
        ({"fields": ("lower",)}, "not a field of the journal: 'lower'"),
        ({"matches": ({},)}, "write FIELD: value"),
        ({"matches": ({"A=B": "c"},)}, "not a field"),
        ({"namespace": "../x"}, "not a journal namespace"),
        ({"journal_directory": "/x", "files": ("/y",)}, "exclude each other"),
        ({"files": ("/y",), "journal": "user"}, "of no use with files"),
        ({"journal_directory": "/x", "merge": True}, "of no use here"),
        ({"max_fields": 0}, "more than 0"),
    ],
)
def test_what_is_wrong_is_said(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        JournaldConfig(**options)


def test_options_that_leave_nothing_are_refused() -> None:
    with pytest.raises(Nothing, match="exclude each other"):
        JournaldConfig(transports=("kernel",), matches=({"_TRANSPORT": "stdout"},))


def test_units_are_named_as_systemd_names_them() -> None:
    assert unit_name("nginx") == "nginx.service"
    assert unit_name("dbus.socket") == "dbus.socket"
    assert unit_name("app.v2") == "app.v2.service"
    assert unit_name("app-*") == "app-*"


def test_since_is_a_word_a_duration_or_a_time() -> None:
    present = datetime(2026, 1, 5, 8, tzinfo=UTC)
    us = int(present.timestamp() * 1_000_000)
    assert start_of("beginning", present, "b") == AtTime(0)
    assert start_of("boot", present, "b") == AtBoot("b")
    assert start_of("now", present, "b") == AtTime(us)
    assert start_of("1h", present, "b") == AtTime(us - 3_600_000_000)
    assert start_of("2026-01-05T07:00:00Z", present, "b") == AtTime(us - 3_600_000_000)
    assert start_of("1000000h", present, "b") == AtTime(0)


@given(cursors, st.integers(0, 2**62), st.integers(0, 2**62))
def test_checkpoints_come_back(cursor: str, first: int, seen: int) -> None:
    starts: list[Start] = [AtCursor(cursor), AtTime(seen), AtBoot("0" * 31 + "a")]
    for start in starts:
        checkpoint = Checkpoint(first_seen_ms=first, start=start, seen_us=seen)
        assert Checkpoint.decode(checkpoint.encode()) == checkpoint
    assert Cursor.parse(cursor).text == cursor


@given(st.binary(max_size=200))
def test_checkpoints_that_are_none_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a checkpoint"):
        Checkpoint.decode(data)


def test_journalctl_is_asked_for_all_boots_and_exactly_the_same() -> None:
    config = JournaldConfig(units=("web",), priority="err")
    asked = Asked(
        places=Places(directory="/j"),
        alternatives=tuple(alternatives(config, "")),
        fields=frozenset(["MESSAGE"]),
    )
    assert "--boot=all" in arguments(asked, 252)
    assert "--boot=all" not in arguments(asked, 247)
    assert "--directory=/j" in arguments(asked, 252)
    said = filters(asked)
    assert said[:2] == ["--output-fields=MESSAGE", "--"]
    assert said[2:7] == ["_SYSTEMD_UNIT=web.service", "PRIORITY=0", "PRIORITY=1", "PRIORITY=2", "PRIORITY=3"]
    assert said.count("+") == 3
    assert start_argument(AtTime(1_500_000)) == "--since=@1.500000"
