"""The option `multiline`: rules against a plain definition, what is refused, streams that can't be read again."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.joins import join_all, lines_of, rows_of

from yaat_kit.joining import JoinRule, check_multiline, make_joiner, preset
from yaat_kit.multiline import Held, Limits

RULES = [
    JoinRule(start=r"^\*"),
    JoinRule(continuation=r"^\s"),
    JoinRule(unfinished=r"\\$"),
    JoinRule(end=r";$"),
    JoinRule(start=r"^\*", continuation=r"^\s"),
    JoinRule(start=r"^\*", unfinished=r"\\$"),
    JoinRule(start=r"^\*", end=r";$"),
    JoinRule(start=r"^\*", before="^$"),
]


def expected(texts, rule, limits):
    """Line by line: the events, and which go on in the next."""
    events, divided, grouped, before = [], [], True, ""
    for line in texts:
        joins = bool(events) and grouped and _joins(rule, before, line)
        over = joins and (
            len(events[-1]) == limits.lines
            or sum(len(one.encode()) + 1 for one in [*events[-1], line]) > limits.bytes
        )
        if joins and not over:
            events[-1].append(line)
        else:
            if events:
                divided[-1] = over
            events.append([line])
            divided.append(False)
            grouped = _alone(rule) or rule.start is None or bool(re.search(rule.start, line))
        before = line
    return ["\n".join(event) for event in events], divided


def _alone(rule):
    return rule.continuation is rule.unfinished is rule.end is rule.before is None


def _joins(rule, before, line):
    if rule.continuation is not None:
        return bool(re.search(rule.continuation, line))
    if rule.unfinished is not None:
        return bool(re.search(rule.unfinished, before))
    if rule.end is not None:
        return not re.search(rule.end, before)
    return not re.search(rule.start if rule.before is None else rule.before, line)


texts_of = st.lists(
    st.sampled_from(["* a", "b", "", " c", "d\\", "e;", "* f;", " * g", "* h\\", "é" * 20, "* x" * 9]),
    max_size=30,
)


@given(
    texts_of,
    st.lists(st.integers(1, 5), max_size=30),
    st.sampled_from([(2, 64), (3, 30), (1000, 50), (1000, 9999)]),
)
@settings(max_examples=60)
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_rules_join_as_defined_in_any_division(rule, texts, divisions, bounds):
    limits = Limits(lines=bounds[0], bytes=bounds[1])
    joiner = make_joiner(rule, limits)
    events, divided = expected(texts, rule, limits)
    whole = joiner.join(lines_of(texts), final=True)
    assert whole.message.to_pylist() == events
    assert whole.divided.tolist() == divided
    assert [row[0] for row in join_all(joiner, texts, divisions)] == events


def test_an_event_that_its_last_line_ends_does_not_wait():
    joined = make_joiner(JoinRule(end=";$"), Limits()).join(lines_of(["a", "b;", "c;", "d"]))
    assert (joined.message.to_pylist(), joined.lines) == (["a\nb;", "c;"], 3)
    joined = make_joiner(JoinRule(start="^BEGIN", end="^END"), Limits()).join(
        lines_of(["x", "BEGIN", "y", "END"])
    )
    assert joined.message.to_pylist() == ["x", "BEGIN\ny\nEND"]


def test_indented_lines_join_and_blank_ones_do_not():
    joined = preset("indent").join(lines_of(["a", "  b", "\tc", "", "d"]), final=True)
    assert joined.message.to_pylist() == ["a\n  b\n\tc", "", "d"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "names no pattern"),
        ({"start": "("}, "not a regular expression"),
        ({"start": "a(?=b)"}, "no lookahead"),
        ({"end": r"(a)\1"}, "no backreferences"),
        ({"end": "a", "continuation": "b"}, "only one of these"),
        ({"before": "a"}, "write {start: REGEX, before: REGEX}"),
    ],
)
def test_rules_that_are_refused(options, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        JoinRule(**options)


def test_presets_that_are_refused():
    with pytest.raises(ValueError, match="write one of auto, python, java"):
        preset("cobol")
    with pytest.raises(ValueError, match="only alone"):
        check_multiline(None, None, ("python", "indent"))
    with pytest.raises(ValueError, match="at least one"):
        check_multiline(None, None, ())


@given(texts_of, st.lists(st.integers(1, 5), max_size=30))
@settings(max_examples=40)
def test_a_stream_that_can_not_be_read_again_gives_the_same_events(texts, divisions):
    rule = JoinRule(start=r"^\*", end=";$")
    held, whole, rows, at = Held(make_joiner(rule, Limits())), lines_of(texts), [], 0
    for size in [*divisions, len(texts)]:
        rows += rows_of(held.add(whole.slice(at, at + size)))
        at = min(at + size, len(texts))
        done = sum(len(message.encode()) + 1 for message, _, _ in rows)
        assert held.first == (None if done == whole.ends[at - 1] else done) if at else held.first is None
    rows += rows_of(held.flush())
    assert held.first is None
    assert [row[0] for row in rows] == expected(texts, rule, Limits())[0]


def test_two_streams_do_not_mix():
    out, err = Held(preset("python")), Held(preset("python"))
    trace = ["Traceback (most recent call last):", '  File "x.py", line 1, in f', "ValueError: bad"]
    rows = rows_of(err.add(lines_of(["ERROR a", trace[0]])))
    rows += rows_of(out.add(lines_of(["INFO b", "INFO c"])))
    rows += rows_of(err.add(lines_of(trace[1:], 50)))
    rows += rows_of(out.flush()) + rows_of(err.flush())
    assert [row[:2] for row in rows] == [("INFO b", None), ("INFO c", None), ("ERROR a", "\n".join(trace))]


@pytest.mark.parametrize("name", ["auto", "indent"])
def test_what_is_held_is_bounded(name):
    limits = Limits(lines=100, bytes=4096)
    held, most, rows = Held(make_joiner(name, limits)), 0, 0
    for number in range(100):
        joined = held.add(
            lines_of(
                [f"\tat a.B.c(B.java:{number}{line}) {'x' * 100}" for line in range(10)], number * 10_000
            )
        )
        rows += sum(text.count("\n") + 1 for text in joined.original().to_pylist())
        most = max(most, len(held._lines))
    assert most <= 110
    rows += sum(text.count("\n") + 1 for text in held.flush().original().to_pylist())
    assert rows == 1000
