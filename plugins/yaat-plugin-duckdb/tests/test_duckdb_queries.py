"""What queries may do: the SQL that people write over their events, and how it ends."""

# ruff: noqa: E501 - one query a line
from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from yaat_core.components import QueryRequest
from yaat_core.errors import QueryFailed, QueryRefused, QueryTimeout
from yaat_plugin_duckdb import plugin
from yaat_plugin_duckdb.sink import DuckDBSink

#: Seconds in which what ends at all has ended, on a machine that has much else to do.
PATIENCE = 60

GOOD = """
    SELECT count(*) FROM events
    FROM logs
    TABLE spans
    VALUES (1, 'a')
    SELECT * FROM main.metrics
    SELECT level, count(*) AS n FROM events GROUP BY ALL HAVING n > 1 ORDER BY n DESC LIMIT 10 OFFSET 1
    SELECT time_bucket(INTERVAL '5 minutes', timestamp) AS t, count(*) FROM events GROUP BY 1 ORDER BY 1
    SELECT date_trunc('minute', timestamp) AS minute, count(*) FILTER (WHERE level = 'error') FROM logs GROUP BY 1
    SELECT operation, quantile_cont(duration_ms, 0.99), quantile_cont(duration_ms, [0.5, 0.9]) FROM spans GROUP BY 1
    SELECT approx_quantile(duration_ms, 0.99), approx_count_distinct(trace_id), median(duration_ms) FROM events
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_ms) FROM events
    SELECT * FROM events WHERE timestamp > now() - INTERVAL 1 HOUR AND message ILIKE '%x%' ORDER BY timestamp DESC
    SELECT tags['n'], tags['host.name'] AS host, map_keys(tags), cardinality(tags) FROM events
    SELECT t.key, count(*) FROM events, unnest(map_entries(tags)) AS u(t) GROUP BY 1
    WITH slow AS (SELECT * FROM spans WHERE duration_ms > 100) SELECT operation, count(*) FROM slow GROUP BY 1
    WITH a AS MATERIALIZED (SELECT * FROM events), b AS (SELECT * FROM a) SELECT * FROM b JOIN a USING (event_id)
    WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 10) SELECT * FROM r
    SELECT *, row_number() OVER (PARTITION BY service_name ORDER BY timestamp) AS n FROM events QUALIFY n = 1
    SELECT lag(timestamp) OVER w, avg(duration_ms) OVER (ORDER BY timestamp ROWS 5 PRECEDING) FROM events WINDOW w AS (ORDER BY timestamp)
    SELECT list_transform([1, 2], lambda x: x + 1), [x * 2 FOR x IN [1, 2] IF x > 1], {'a': 1}.a, map {'a': 1}['a']
    SELECT message.upper(), message[1:3], message || '!' FROM events
    SELECT regexp_extract(message, '(\\d+)', 1), regexp_replace(message, '\\d+', 'N', 'g'), split_part(message, ' ', 1) FROM events
    SELECT CASE WHEN level = 'error' THEN 1 ELSE 0 END, coalesce(level, '?'), TRY_CAST(message AS INTEGER) FROM events
    SELECT * EXCLUDE (tags) REPLACE (upper(message) AS message) FROM events
    SELECT DISTINCT ON (level) level, message FROM events ORDER BY level, timestamp
    SELECT COLUMNS('.*_id') FROM events
    SELECT level FROM events GROUP BY ROLLUP (level)
    SELECT * FROM events TABLESAMPLE 10%
    SELECT a.message FROM events a ASOF JOIN events b ON a.service_name = b.service_name AND a.timestamp >= b.timestamp
    SELECT m, count(event_id) FROM generate_series(TIMESTAMP '2026-01-01', TIMESTAMP '2026-01-02', INTERVAL 1 HOUR) AS g(m) LEFT JOIN events ON date_trunc('hour', timestamp) = m GROUP BY 1
    PIVOT (SELECT level, service_name FROM events) ON level IN ('info', 'error') USING count(*)
    UNPIVOT (SELECT duration_ms, metric_value FROM events) ON duration_ms, metric_value
    SELECT message FROM events UNION ALL SELECT message FROM logs EXCEPT SELECT 'x'
    SELECT * FROM events WHERE event_id = '019b79e6-7c00-8000-8000-000000000000'
    SELECT * FROM events WHERE trace_id IN (SELECT trace_id FROM spans WHERE status_code >= 500)
    SELECT json_extract_string(message, '$.a') FROM events WHERE json_valid(message)
    SELECT strftime(timestamp, '%H:%M'), extract(hour FROM timestamp), timestamp AT TIME ZONE 'Europe/Paris', age(timestamp) FROM events
    SELECT lpad(message, 20, '.'), repeat('-', 40), bar(1, 0, 10, 20), format('{:>10}', level) FROM events
    SELECT histogram(level), list(message), string_agg(message, ','), arg_max(message, timestamp), any_value(level ORDER BY timestamp) FROM events
    SELECT sum(metric_value), corr(duration_ms, metric_value), stddev(duration_ms) FROM events
    DESCRIBE events
    DESCRIBE SELECT 1
    SUMMARIZE events
    SHOW TABLES
    EXPLAIN SELECT * FROM events
    explain analyze select count(*) from events
    SELECT 'DROP TABLE x; -- /* '
    SELECT count(*) FROM events;
    /* why */ SELECT 1 -- because
"""


@pytest.fixture(scope="module")
def running(make_bench: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    bench = make_bench(tmp_path_factory.mktemp("queries"))
    bench.open()
    bench.deliver(1, 600)
    bench.deliver(601, 100, event_type="span", duration_ms=12.5, operation="GET /", status_code=500)
    bench.deliver(701, 50, event_type="metric", metric_name="m", metric_value=1.5)
    yield bench
    bench.close()


@pytest.mark.parametrize("sql", [line.strip() for line in GOOD.strip().splitlines()])
def test_runs(running: Any, sql: str) -> None:
    running.ask(sql)


def test_views_and_types(running: Any) -> None:
    assert running.ask("SELECT (SELECT count(*) FROM logs) AS l, (SELECT count(*) FROM spans) AS s, "
                       "(SELECT count(*) FROM metrics) AS m, count(*) AS e FROM events") == [
        {"l": 600, "s": 100, "m": 50, "e": 750}
    ]  # fmt: skip
    (types,) = running.ask(
        "SELECT typeof(tags['n']) AS tag, typeof(tags['none']) AS none, tags['none'] AS absent, tags['n'] AS n, "
        "typeof(event_id) AS id, typeof(timestamp) AS at, typeof(duration_ms) AS d, typeof(status_code) AS c "
        "FROM events WHERE message = 'event 7'"
    )
    assert types == {
        "tag": "VARCHAR", "none": "VARCHAR", "absent": None, "n": "7", "id": "UUID",
        "at": "TIMESTAMP WITH TIME ZONE", "d": "DOUBLE", "c": "USMALLINT",
    }  # fmt: skip
    assert [row["name"] for row in running.ask("SHOW TABLES")] == ["events", "logs", "metrics", "spans"]
    columns = [row["column_name"] for row in running.ask("DESCRIBE events")]
    assert "sequence" not in columns
    assert columns[-1] == "tags"


def test_rows_are_cut_at_the_limit(running: Any) -> None:
    for limit, rows, truncated in [
        (10, 10, True),
        (749, 749, True),
        (750, 750, False),
        (751, 750, False),
        (0, 0, True),
    ]:
        answer = running.writer.answers.ask(
            running.writer.cursor,
            QueryRequest(sql="SELECT * FROM events", rows=limit),
        )
        assert (sum(piece.num_rows for piece in answer), answer.truncated) == (rows, truncated)
        answer.close()


def test_answers_come_as_they_are_made(running: Any) -> None:
    """The first rows of a billion: not after all of them."""
    began = time.monotonic()
    assert len(running.ask("SELECT * FROM range(1000000000)", rows=10)) == 10
    assert time.monotonic() - began < PATIENCE


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT sum(a.range * b.range) FROM range(1000000000) a, range(1000000000) b",
        "WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r) SELECT max(i) FROM r",
        "SELECT max(range) FROM range(1000000000000000)",
        "EXPLAIN ANALYZE SELECT sum(range) FROM range(1000000000000000)",
    ],
)
def test_time_ends_a_query(running: Any, sql: str) -> None:
    began = time.monotonic()
    with pytest.raises(QueryTimeout) as caught:
        running.ask(sql, seconds=0.5)
    assert caught.value.exit_code == 124
    assert time.monotonic() - began < PATIENCE


def test_time_ends_a_query_whose_reader_sleeps(running: Any) -> None:
    answer = running.writer.answers.ask(
        running.writer.cursor,
        QueryRequest(sql="SELECT * FROM range(1000000000)", seconds=0.5),
    )
    pieces = iter(answer)
    next(pieces)
    deadline = time.monotonic() + PATIENCE
    while running.writer.answers.running and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not running.writer.answers.running, "the cursor was not freed"
    with pytest.raises(QueryTimeout):
        list(pieces)


def test_an_answer_that_nobody_wants_ends(running: Any) -> None:
    answer = running.writer.answers.ask(
        running.writer.cursor,
        QueryRequest(sql="SELECT * FROM range(1000000000000)", rows=10**12, seconds=600),
    )
    failed: list[str] = []

    def read() -> None:
        try:
            for _ in answer:
                pass
        except QueryFailed as error:
            failed.append(error.what)
        finally:
            answer.close()

    reader = threading.Thread(target=read)
    reader.start()
    answer.interrupt()
    reader.join(PATIENCE)
    assert failed == ["the query was stopped"]
    answer.interrupt()
    assert not running.writer.answers.running


@pytest.mark.parametrize(
    ("sql", "what", "fix"),
    [
        ("SELECT levl FROM events", "levl", "level"),
        ("SELEC 1", "syntax error", ""),
        ("SELECT cuont(*) FROM events", "cuont", "count"),
        ("SELECT * FROM evnts", "evnts", "events"),
        ("SELECT message + 1 FROM events", "no function matches", ""),
        ("SELECT level, count(*) FROM events", "GROUP BY", ""),
    ],
)
def test_errors_say_what_and_how(running: Any, sql: str, what: str, fix: str) -> None:
    with pytest.raises((QueryFailed, QueryRefused)) as caught:
        running.ask(sql)
    error = caught.value
    assert what.lower() in error.what.lower(), error.render()
    assert fix in error.fix, error.render()
    assert "yaat_" not in error.render()
    assert len(error.render()) < 1500


def test_memory_ends_a_query(running: Any) -> None:
    with pytest.raises(QueryFailed, match="memory"):
        running.ask("SELECT quantile_cont(range, 0.5) FROM range(1000000000)")
    assert running.ask("SELECT 1 AS one") == [{"one": 1}]


HOSTILE = [
    "SELECT count(*) FROM events a, events b, events c, events d",
    "SELECT quantile_cont(range, 0.5) FROM range(1000000000)",
    "SELECT * FROM range(100000000) ORDER BY hash(range)",
    "SELECT count(DISTINCT hash(range)) FROM range(1000000000)",
    "WITH RECURSIVE r AS (SELECT 'x' AS s UNION ALL SELECT s || s FROM r) SELECT max(length(s)) FROM r",
    "SELECT length(string_agg(a.message)) FROM events a, events b, events c",
    "SELECT list(a) FROM events a, events b",
    "SELECT max(length(repeat(message, 200))) FROM events, range(1000000)",
]


@pytest.mark.parametrize(
    "sql", [HOSTILE[0], *(pytest.param(sql, marks=pytest.mark.faults) for sql in HOSTILE[1:])]
)
def test_hostile_query_does_not_stop_the_writer(bench: Any, sql: str) -> None:
    """While it runs, and after it: every batch arrives, once."""
    bench.open()
    bench.deliver(1, 2000)
    over = threading.Event()

    def ask() -> None:
        try:
            bench.ask(sql, seconds=1)
        except QueryFailed:
            pass
        finally:
            over.set()

    thread = threading.Thread(target=ask)
    thread.start()
    delivered = 0
    deadline = time.monotonic() + PATIENCE
    while not over.is_set() or delivered < 3:
        assert time.monotonic() < deadline, "the query did not end"
        first = 2001 + delivered * 1000
        assert type(bench.deliver(first, 1000)).__name__ == "Done"
        delivered += 1
    thread.join()
    assert bench.sequences() == list(range(1, 2001 + delivered * 1000))


async def test_through_the_hook_live_and_offline(tmp_path: Path, make_bench: Any) -> None:
    """The `query` hook: the running sink, its options alone, and what is somebody else's."""
    bench = make_bench(tmp_path)
    sink = DuckDBSink(bench.config, bench.context)
    request = QueryRequest(sql="SELECT count(*) AS n FROM events")
    with pytest.raises(QueryFailed, match="no database yet"):
        plugin.query(sink=bench.config, context=bench.context, request=request)
    await sink.open()
    live = plugin.query(sink=sink, context=bench.context, request=request)
    assert live is not None
    assert live.schema.names == ["n"]
    assert [piece.to_pylist() for piece in live] == [[{"n": 0}]]
    live.close()
    await sink.aclose()
    assert plugin.query(sink=object(), context=bench.context, request=request) is None


def test_offline_reads_a_pending_log_and_changes_nothing(bench: Any) -> None:
    bench.open()
    bench.deliver(1, 10)
    bench.close()
    # rows in the log, as a killed agent leaves them
    writer = bench.open(checkpoint_interval=3600.0)
    bench.deliver(11, 10)
    writer.holder.close()
    bench.writer = None
    before = {file.name: file.read_bytes() for file in bench.path.parent.iterdir() if file.is_file()}
    assert bench.wal.name in before
    answer = plugin.query(
        sink=bench.config, context=bench.context, request=QueryRequest(sql="SELECT count(*) AS n FROM events")
    )
    assert answer is not None
    assert [piece.to_pylist() for piece in answer] == [[{"n": 20}]]
    answer.close()
    after = {file.name: file.read_bytes() for file in bench.path.parent.iterdir() if file.is_file()}
    assert after == before
