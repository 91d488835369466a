"""Checks side by side: one that hangs or raises is a finding, and the others have their say."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest

from yaat_core.checks.base import GROUPS, Check, Looking, Surroundings
from yaat_core.checks.running import _ALWAYS, Examiner

NOWHERE = cast(Surroundings, None)


def well(name: str, group: str = "agent") -> Looking:
    return Looking(name=name, group=group, look=lambda _: [Check(name=name, level="ok", what="well")])


@pytest.fixture
def stuck() -> Iterator[Any]:
    """A check that ends when the test does."""
    let_go = threading.Event()

    def look(_: Surroundings) -> Iterator[Check]:
        let_go.wait()
        yield Check(name="stuck", level="ok", what="too late")

    yield Looking(name="stuck", group="sinks", component="sinks.far", look=look, seconds=0.2)
    let_go.set()


async def test_one_that_hangs_is_a_finding(stuck: Looking) -> None:
    found = await Examiner().examine(NOWHERE, [stuck, well("a"), well("b", "disk")])
    assert [one.name for one in found] == ["a", "stuck", "b"], "in the order of the groups"
    hung = found[1]
    assert (hung.level, hung.component) == ("error", "sinks.far")
    assert "did not end within 0.2 s" in hung.what
    assert hung.advice


async def test_those_that_hang_for_good_do_not_keep_others_from_the_next_time(stuck: Looking) -> None:
    examiner = Examiner()
    for _ in range(3):
        found = await examiner.examine(NOWHERE, [stuck, well("a")])
        assert {one.level for one in found} == {"ok", "error"}


async def test_one_that_raises_is_a_finding() -> None:
    def look(_: Surroundings) -> Iterator[Check]:
        yield Check(name="first", level="ok", what="well")
        raise RuntimeError("boom")

    found = await Examiner().examine(NOWHERE, [Looking(name="broken", group="disk", look=look), well("a")])
    assert [(one.name, one.level) for one in found] == [("a", "ok"), ("broken", "warn")]
    assert "RuntimeError: boom" in found[1].what


def test_every_check_has_a_known_group_and_a_limit() -> None:
    assert {looking.group for looking in _ALWAYS} <= set(GROUPS)
    assert all(looking.seconds > 0 for looking in _ALWAYS)
    names = [looking.name for looking in _ALWAYS]
    assert len(names) == len(set(names))
