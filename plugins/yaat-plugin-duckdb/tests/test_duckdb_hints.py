"""What of a scoped query's WHERE is repeated below the barrier; `test_duckdb_scope` shows that this hides as much as before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from yaat_plugin_duckdb.hints import hints
from yaat_plugin_duckdb.sandbox import checked


@pytest.fixture
def cursor() -> Iterator[Any]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (
            "trace_id = 'a' AND message LIKE 'b%' AND 500 <= status_code",
            ["trace_id = 'a'", "status_code >= 500"],
        ),
        ("e.level IN ('error', 'fatal') AND tags['a'] = 'b'", ["level IN ('error', 'fatal')"]),
        ("timestamp >= '2026-01-01 12:00:00+02'", ["timestamp >= TIMESTAMPTZ '2026-01-01 10:00:00+00'"]),
        (
            "timestamp BETWEEN DATE '2026-01-01' AND now()",
            ["timestamp >= TIMESTAMPTZ '2026-01-01 00:00:00+00'"],
        ),
        ("level = 'a' OR trace_id = 'b'", []),
        ("NOT (level = 'a')", []),
        ("lower(level) = 'a'", []),
        ("timestamp < now() - INTERVAL 1 HOUR", []),
        ("timestamp > now() - INTERVAL (status_code) HOUR", []),
        ("timestamp > 'soon'", []),
        ("duration_ms > 5", []),
        ("level = message", []),
        ("level = 'a' AND trace_id IN (SELECT trace_id FROM events)", []),
    ],
)
def test_what_is_repeated_below_the_barrier(cursor: Any, where: str, expected: list[str]) -> None:
    """Comparisons with what is known beforehand, by operators that can't fail; nothing else."""
    tree = checked(cursor, f"SELECT count(*) FROM events e WHERE {where}").tree
    assert tree is not None
    assert hints(cursor, tree) == expected


def test_a_time_before_the_present_is_repeated(cursor: Any) -> None:
    tree = checked(cursor, "FROM events WHERE timestamp > now() - INTERVAL '1 hour'").tree
    assert tree is not None
    (hint,) = hints(cursor, tree)
    assert hint.startswith("timestamp > TIMESTAMPTZ '20")
