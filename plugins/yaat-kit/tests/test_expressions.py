"""Expressions over events: what they answer, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.batches import at, batch

from yaat_core.event import EventBatch
from yaat_kit.expressions import LONGEST, Expression

EVENTS = batch(
    at(0, message="GET /a", level="info", tags={"k": "v", "n": "5"}),
    at(1, message="it's", status_code=503, event_type="span", duration_ms=1.5),
    at(2, message=None, level="error"),
)


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ("level = 'info'", [True, False, False]),
        ("tags['k'] = 'v'", [True, False, False]),
        ("tags['k'] IS NULL", [False, True, True]),
        ("tags['n']::INT > 4", [True, False, False]),
        ("status_code >= 500 OR level IN ('error')", [False, True, True]),
        ("message LIKE 'GET %' AND NOT message LIKE '%b'", [True, False, False]),
        ("message = 'it''s' -- as SQL quotes it", [False, True, False]),
        ("regexp_matches(message, '^G')", [True, False, False]),
        ("event_id IS NOT NULL", [True, True, True]),
        ("CASE WHEN level = 'info' THEN true END", [True, False, False]),
        ("timestamp < now() AND duration_ms BETWEEN 1 AND 2", [False, True, False]),
        ("NULL::BOOLEAN", [False, False, False]),
    ],
)
def test_answers(text: str, answers: list[bool]) -> None:
    assert Expression(text).mask(EVENTS).to_pylist() == answers


def test_an_empty_batch_and_a_slice() -> None:
    expression = Expression("level = 'error'")
    assert expression.mask(EventBatch.empty()).to_pylist() == []
    assert expression.mask(EVENTS.slice(1)).to_pylist() == [False, True]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "true) FROM batch; DROP TABLE x; --",
        "true), (true",
        "true) WHERE (true",
        "true) FROM batch UNION SELECT (true",
        "EXISTS (SELECT 1)",
        "message IN (SELECT message FROM batch)",
        "read_text('/etc/passwd') LIKE '%'",
        "getenv('HOME') = ''",
        "count(*) > 1",
        "row_number() OVER () = 1",
        "random() < 0.5",
        "repeat(message, 1000000) = ''",
        "? = 1",
        "$x = 1",
        "COLUMNS('level') = 'x'",
        "batch IS NULL",
        "level",
        "status_code + 1",
        "'a' || 1",
        "level = 'x' ORDER BY 1",
        "x" * (LONGEST + 1),
        "level = '\0'",
        "(" * 5_000 + "true" + ")" * 5_000,
    ],
)
def test_what_is_no_expression_over_one_event_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Expression(text)


@settings(max_examples=60)
@given(st.text(alphabet="abtruefalsNOTAD ()='\";-*/,%$?[]:\n0123456789_\\", max_size=40))
def test_any_text_is_an_expression_or_a_value_error(text: str) -> None:
    try:
        expression = Expression(text)
    except ValueError:
        return
    assert len(expression.mask(EVENTS)) == len(EVENTS)
