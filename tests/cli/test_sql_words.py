"""What can stand where the cursor is in SQL."""

from __future__ import annotations

import pytest

from yaat_core.sql_words import COLUMNS, Place, place, values_sql, words


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("", Place("any", "")),
        ("SELECT serv", Place("any", "serv")),
        ("SELECT * FROM ", Place("table", "")),
        ("select * from lo", Place("table", "lo")),
        ("SELECT logs.", Place("column", "")),
        ("SELECT tags['ho", Place("tag", "ho")),
        ("SELECT tags[ 'it''s", Place("tag", "it''s")),
        ("FROM logs WHERE tags['host'] = 'we", Place("tag value", "we", "host")),
        ("FROM logs WHERE tags['host'] IN ('a', 'we", Place("tag value", "we", "host")),
        ("FROM logs WHERE level = 'e", Place("column value", "e", "level")),
        ("FROM logs WHERE level NOT IN ('info', '", Place("column value", "", "level")),
        ("SELECT 'free text", Place("nothing")),
        ("SELECT 'done', mess", Place("any", "mess")),
    ],
)
def test_places(before: str, expected: Place) -> None:
    assert place(before) == expected


def texts(before: str, **known: list[str]) -> list[str]:
    return [word.text for word in words(place(before), **known)]


def test_words_that_fit() -> None:
    assert texts("SELECT * FROM l") == ["logs"]
    assert texts("SELECT * FROM ") == ["events", "logs", "spans", "metrics"]
    assert texts("SELECT logs.st") == ["stacktrace", "status_code"]
    assert texts("SELECT serv") == ["service_name"]
    assert texts("sel")[0] == "select"
    assert texts("SEL")[0] == "SELECT"
    assert "time_bucket(" in texts("SELECT time_b")
    assert texts("SELECT tag") == ["tags['"]
    assert texts("SELECT ") == []


def test_tags_and_values_come_from_the_database() -> None:
    assert texts("SELECT tags['h", tags=["host", "it's", "http.path"]) == ["host']", "http.path']"]
    assert texts("SELECT tags['it", tags=["it's"]) == ["it''s']"]
    assert texts("FROM logs WHERE tags['host'] = 'w", values=["web-1", "db"]) == ["web-1'"]
    assert texts("FROM logs WHERE level = 'err") == ["error'"]


def test_only_what_has_few_values_is_listed() -> None:
    assert values_sql("message", tag=False) is None
    assert values_sql("stacktrace", tag=False) is None
    assert "tags['it''s']" in str(values_sql("it's", tag=True))
    assert set(COLUMNS) >= {"timestamp", "tags", "message"}
    assert COLUMNS["timestamp"][0] == "TIMESTAMPTZ"
