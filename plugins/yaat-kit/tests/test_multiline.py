"""Joins: Python's own traces, and any division of the lines gives the same events."""

from __future__ import annotations

import io
import logging
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.joins import assert_nothing_is_lost, join_all, lines_of

from yaat_kit.joining import preset
from yaat_kit.multiline import SingleLines, start_pattern


def plain():
    raise ValueError("bad value")


def chained():
    try:
        plain()
    except ValueError as error:
        raise RuntimeError("while at it") from error


def during():
    try:
        chained()
    except RuntimeError:
        {}["missing"]


def grouped():
    try:
        plain()
    except ValueError as error:
        raise ExceptionGroup("many", [error, TypeError("t")]) from error


def trace_of(function) -> list[str]:
    try:
        function()
    except (ValueError, RuntimeError, KeyError, ExceptionGroup):
        return traceback.format_exc().splitlines()
    raise AssertionError("it raises")


TRACES = [trace_of(function) for function in (plain, chained, during, grouped)]
BARE_MESSAGES = [
    "ValueError: bad value",
    "RuntimeError: while at it",
    "KeyError: 'missing'",
    "ExceptionGroup: many (2 sub-exceptions)",
]


@pytest.mark.parametrize("trace", TRACES, ids=["plain", "chained", "during", "grouped"])
def test_a_trace_belongs_to_the_line_before_it(trace):
    texts = ["INFO up", "ERROR it failed", *trace, "INFO on we go", "INFO and on"]
    assert [(message, stack) for message, stack, _ in join_all(preset("python"), texts)] == [
        ("INFO up", None),
        ("ERROR it failed", "\n".join(trace)),
        ("INFO on we go", None),
        ("INFO and on", None),
    ]


def test_the_logging_module_as_it_writes():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    for count in range(3):
        try:
            during()
        except KeyError:
            logger.exception("order %d failed", count)
    rows = join_all(preset("python"), stream.getvalue().splitlines())
    assert [message.split(": ")[1] for message, _, _ in rows] == [
        f"order {count} failed" for count in range(3)
    ]
    assert all(
        stack.startswith("Traceback") and stack.endswith("KeyError: 'missing'") for _, stack, _ in rows
    )


@pytest.mark.parametrize(
    ("trace", "message"),
    list(zip(TRACES, BARE_MESSAGES, strict=True)),
    ids=["plain", "chained", "during", "grouped"],
)
def test_a_bare_trace_has_its_exception_as_message(trace, message):
    rows = join_all(preset("python"), [*trace, *TRACES[0], "", *TRACES[0]])
    assert [row[:2] for row in rows] == [
        (message, "\n".join(trace)),
        ("ValueError: bad value", "\n".join(TRACES[0])),
        ("", None),
        ("ValueError: bad value", "\n".join(TRACES[0])),
    ]


def test_a_trace_cut_off_by_the_next_record_ends_there():
    texts = [
        "ERROR a",
        "Traceback (most recent call last):",
        '  File "x.py", line 1, in f',
        "2026-01-05 INFO b",
        "c",
    ]
    assert [row[:2] for row in join_all(preset("python"), texts)] == [
        ("ERROR a", "\n".join(texts[1:3])),
        ("2026-01-05 INFO b", None),
        ("c", None),
    ]


def test_the_word_traceback_alone_starts_nothing():
    texts = ["see 'Traceback (most recent call last):' in the docs", "  indented", "end"]
    assert [row[0] for row in join_all(preset("python"), texts)] == texts


def test_the_last_line_waits_for_its_trace():
    joined = preset("python").join(lines_of(["a", "ERROR b"]))
    assert (joined.message.to_pylist(), joined.lines) == (["a"], 1)
    joined = preset("python").join(lines_of(["a", "ERROR b", *TRACES[0]]))
    assert (joined.message.to_pylist(), joined.lines) == (["a"], 1)


blocks = st.lists(
    st.one_of(
        st.sampled_from(TRACES),
        st.sampled_from(
            ["INFO x", "ERROR y", "", "  deep", "ValueError: z", "Traceback (most recent call last):"]
        ).map(lambda line: [line]),
        st.sampled_from(["During handling of the above exception, another exception occurred:"]).map(
            lambda line: ["", line, ""]
        ),
    ),
    max_size=12,
).map(lambda parts: [line for part in parts for line in part])


@given(blocks, st.lists(st.integers(1, 6), max_size=30))
def test_any_division_gives_the_same_traces(texts, divisions):
    rows = join_all(preset("python"), texts, divisions)
    assert rows == join_all(preset("python"), texts)
    assert_nothing_is_lost(texts, rows)


@given(
    st.lists(st.sampled_from(["* a", "b", "", "* c"]), max_size=20), st.lists(st.integers(1, 5), max_size=20)
)
def test_any_division_gives_the_same_joins(texts, divisions):
    rows = join_all(start_pattern(r"^\*"), texts, divisions)
    assert rows == join_all(start_pattern(r"^\*"), texts)
    assert "\n".join(row[0] for row in rows).split("\n") == (texts or [""])
    assert all(row[0].startswith("*") for row in rows[1:])


def test_single_lines_never_wait():
    joined = SingleLines().join(lines_of(["a", "b"]))
    assert (joined.message.to_pylist(), joined.lines) == (["a", "b"], 2)
