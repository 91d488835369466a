"""What queries may not do, tried on a running writer. Each refusal is the sandbox's, not luck further down."""

from __future__ import annotations

import time
from typing import Any

import pytest

from yaat_core.errors import QueryFailed, QueryRefused
from yaat_core.sql_functions import FUNCTIONS, TABLE_FUNCTIONS

#: Seconds in which what ends at all has ended, on a machine that has much else to do.
PATIENCE = 60

ATTACKS = """
    SELECT * FROM read_text('/etc/passwd')
    SELECT * FROM read_csv('/etc/passwd')
    SELECT * FROM read_csv_auto('/etc/passwd')
    SELECT * FROM read_blob('/etc/shadow')
    SELECT * FROM read_json('/etc/passwd')
    SELECT * FROM read_parquet('x.parquet')
    SELECT * FROM parquet_metadata('x.parquet')
    SELECT * FROM sniff_csv('/etc/passwd')
    SELECT * FROM glob('/*')
    SELECT * FROM read_duckdb('other.duckdb')
    SELECT * FROM '/etc/passwd'
    SELECT * FROM 'events.duckdb.csv'
    SELECT * FROM "/etc/passwd"
    SELECT * FROM 'https://example.org/x.parquet'
    FROM '/etc/passwd'
    SUMMARIZE '/etc/passwd'
    DESCRIBE '/etc/passwd'
    DESCRIBE SELECT * FROM read_text('/etc/passwd')
    EXPLAIN SELECT * FROM read_text('/etc/passwd')
    EXPLAIN ANALYZE SELECT * FROM read_text('/etc/passwd')
    SELECT (SELECT content FROM read_text('/etc/passwd'))
    SELECT * FROM events WHERE message IN (SELECT content FROM read_text('/etc/passwd'))
    WITH x AS (SELECT * FROM read_text('/etc/passwd')) SELECT * FROM x
    WITH RECURSIVE x AS (SELECT 1 AS a UNION ALL SELECT 1 FROM read_text('/etc/passwd')) SELECT * FROM x
    SELECT * FROM events UNION ALL SELECT * FROM read_text('/etc/passwd')
    SELECT * FROM (SELECT * FROM (SELECT * FROM read_text('/etc/passwd')))
    SELECT * FROM events, LATERAL (SELECT * FROM read_text(message))
    PIVOT (SELECT * FROM read_text('/etc/passwd')) ON filename IN ('a') USING count(*)
    SELECT * FROM events ORDER BY (SELECT content FROM read_text('/etc/passwd'))
    SELECT * FROM events LIMIT (SELECT size FROM read_text('/etc/passwd'))
    SELECT count(*) FILTER (WHERE message = (SELECT content FROM read_text('/etc/passwd'))) FROM events
    SELECT list_transform([1], lambda x: (SELECT content FROM read_text('/etc/passwd')))
    SELECT sum(1) OVER (ORDER BY (SELECT content FROM read_text('/etc/passwd'))) FROM events
    VALUES ((SELECT content FROM read_text('/etc/passwd')))
    SELECT query('SELECT 1')
    SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')
    SELECT * FROM query_table('yaat_meta')
    SELECT * FROM query_table(['events'])
    SELECT * FROM json_execute_serialized_sql('{}')
    SELECT json_serialize_sql('SELECT 1')
    SELECT json_deserialize_sql('{}')
    SELECT * FROM yaat_meta
    SELECT * FROM yaat_events
    SELECT * FROM YAAT_POSITION
    SELECT * FROM main.yaat_checkpoints
    SELECT * FROM events.main.yaat_meta
    SELECT * FROM "yaat_meta"
    DESCRIBE yaat_meta
    SUMMARIZE yaat_checkpoints
    SHOW yaat_meta
    SHOW ALL TABLES
    SHOW DATABASES
    SHOW VARIABLES
    SELECT * FROM (SHOW TABLES)
    SELECT * FROM (SHOW ALL TABLES)
    WITH yaat_meta AS (SELECT 1) SELECT * FROM yaat_meta
    SELECT * FROM (WITH yaat_meta AS (SELECT 1) SELECT 1), yaat_meta
    WITH a AS (SELECT * FROM yaat_meta), yaat_meta AS (SELECT 1) SELECT * FROM a
    WITH "/etc/passwd" AS (SELECT 1) SELECT * FROM "/etc/passwd"
    WITH duckdb_secrets AS (SELECT 1) SELECT * FROM duckdb_secrets
    SELECT * FROM information_schema.tables
    SELECT * FROM pg_catalog.pg_class
    SELECT * FROM sqlite_master
    SELECT * FROM duckdb_tables
    SELECT * FROM duckdb_tables()
    SELECT * FROM duckdb_settings()
    SELECT * FROM duckdb_secrets()
    SELECT * FROM duckdb_functions()
    SELECT * FROM duckdb_logs
    SELECT * FROM duckdb_logs_parsed('QueryLog')
    SELECT * FROM duckdb_temporary_files()
    SELECT * FROM pragma_database_size()
    SELECT * FROM pragma_storage_info('yaat_events')
    SELECT * FROM pragma_table_info('yaat_meta')
    SELECT * FROM which_secret('s3://x', 's3')
    SELECT * FROM test_all_types()
    SELECT * FROM seq_scan('yaat_meta')
    SELECT * FROM arrow_scan(1, 2, 3)
    SELECT * FROM pandas_scan(1)
    SELECT * FROM python_map_function(1)
    SELECT * FROM repeat('x', 1000000000)
    SELECT * FROM checkpoint()
    SELECT * FROM force_checkpoint()
    SELECT * FROM enable_logging()
    SELECT * FROM truncate_duckdb_logs()
    SELECT getenv('HOME')
    SELECT current_setting('secret_directory')
    SELECT system.main.current_setting('memory_limit')
    SELECT getvariable('x')
    SELECT current_query()
    SELECT nextval('x')
    SELECT setseed(0.5)
    SELECT write_log('x')
    SELECT sleep_ms(100000)
    SELECT pg_sleep(100)
    SELECT error('x')
    SELECT create_sort_key(1, 'ASC')
    SELECT levenshtein(message, message) FROM events
    SELECT * FROM events AT (VERSION => 1)
    SELECT $1
    SELECT ?
    SELECT * FROM events WHERE message = $name
    INSERT INTO events SELECT * FROM events
    WITH x AS (INSERT INTO yaat_position VALUES (1) RETURNING *) SELECT * FROM x
    WITH x AS (DELETE FROM yaat_events RETURNING *) SELECT * FROM x
    WITH x AS (UPDATE yaat_position SET sequence = 0 RETURNING *) SELECT * FROM x
    DELETE FROM yaat_events
    UPDATE yaat_position SET sequence = 0
    TRUNCATE yaat_events
    DROP TABLE yaat_events
    DROP VIEW events
    ALTER TABLE yaat_events ADD COLUMN x INTEGER
    CREATE TABLE x (a INTEGER)
    CREATE TEMP TABLE x AS SELECT 1
    CREATE VIEW x AS SELECT 1
    CREATE MACRO x() AS 1
    CREATE OR REPLACE TEMP MACRO count(x) AS 1
    CREATE SECRET x (TYPE http)
    CREATE SEQUENCE x
    CREATE TYPE x AS ENUM ('a')
    ATTACH '/elsewhere/x.duckdb'
    ATTACH ':memory:' AS x
    DETACH events
    USE events
    COPY events TO '/elsewhere/x.csv'
    COPY (SELECT 1) TO '/elsewhere/x.csv'
    COPY yaat_events FROM '/etc/passwd'
    EXPORT DATABASE '/elsewhere/x'
    IMPORT DATABASE '/elsewhere/x'
    INSTALL httpfs
    LOAD httpfs
    PRAGMA database_list
    PRAGMA enable_profiling
    CALL pragma_version()
    CALL read_text('/etc/passwd')
    SET threads = 8
    SET memory_limit = '100GB'
    SET VARIABLE x = 1
    RESET threads
    BEGIN TRANSACTION
    COMMIT
    ROLLBACK
    CHECKPOINT
    VACUUM
    ANALYZE
    PREPARE x AS SELECT 1
    EXECUTE x
    DEALLOCATE x
    EXPLAIN DELETE FROM yaat_events
    EXPLAIN ANALYZE DELETE FROM yaat_events
    SELECT 1; SELECT 2
    SELECT 1; DROP TABLE yaat_events
    COMMIT; DELETE FROM yaat_events
    -- a comment alone
    ;
"""

GROWTH = """
    SELECT repeat('x', 1000000000)
    SELECT repeat('x', length(message) * 100000000) FROM events
    SELECT repeat(message, 100000) FROM events
    SELECT repeat([1], 1000000000)
    SELECT repeat(repeat('x', 10000), 10000)
    SELECT repeat(a, 1000) FROM (SELECT repeat('x', 10000) AS a)
    SELECT 'x' AS a, repeat(a, 10000) AS b, repeat(b, 10000) AS c
    WITH a AS (SELECT repeat('x', 10000) AS x), b AS (SELECT repeat(x, 10000) AS x FROM a) SELECT x FROM b
    SELECT lpad('x', 1000000000, 'y')
    SELECT rpad(message, 1000000000, 'y') FROM events
    SELECT range(1000000000)
    SELECT range(0, 1000000000, 1)
    SELECT generate_series(TIMESTAMP '1970-01-01', TIMESTAMP '2970-01-01', INTERVAL 1 SECOND)
    SELECT unnest(range(1000000000))
    SELECT * FROM unnest(range(1000000000))
    SELECT list_resize([1], 1000000000)
    SELECT list_transform(range(1000), lambda x: range(1000))
    SELECT [range(1000) FOR x IN range(1000)]
    SELECT format('{:1000000000}', 1)
    SELECT format('{:{}}', 1, 1000000000)
    SELECT format(message, 1) FROM events
    SELECT printf('%1000000000d', 1)
    SELECT printf('%*d', 1000000000, 1)
    SELECT replace(repeat('x', 10000), 'x', repeat('y', 10000))
    SELECT replace(message, 'e', message) FROM events
    SELECT regexp_replace(message, 'e', message) FROM events
    SELECT bar(1, 0, 10, 1000000000)
    SELECT bitstring('1', 1000000000)
"""


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


@pytest.fixture(scope="module")
def running(make_bench: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    bench = make_bench(tmp_path_factory.mktemp("sandbox"))
    bench.open()
    bench.deliver(1, 100)
    yield bench
    bench.close()


@pytest.mark.parametrize("sql", lines(ATTACKS))
def test_attack_is_refused(running: Any, sql: str) -> None:
    with pytest.raises(QueryRefused):
        running.ask(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "EXPLAIN EXPLAIN SELECT 1",
        "EXPLAIN (FORMAT json) SELECT * FROM yaat_meta",
        "EXPLAIN",
        "/* x */ EXPLAIN SELECT 1",
    ],
)
def test_other_forms_of_explain_do_not_run(running: Any, sql: str) -> None:
    with pytest.raises((QueryRefused, QueryFailed)):
        running.ask(sql)


@pytest.mark.parametrize("sql", lines(GROWTH))
def test_growth_is_refused(running: Any, sql: str) -> None:
    began = time.monotonic()
    with pytest.raises(QueryRefused):
        running.ask(sql)
    assert time.monotonic() - began < PATIENCE


def test_nothing_was_changed_by_all_this(running: Any) -> None:
    assert running.ask("SELECT count(*) AS n FROM events") == [{"n": 100}]
    running.deliver(101, 1)
    assert running.ask("SELECT count(*) AS n FROM events") == [{"n": 101}]


def test_names_that_double_are_refused_before_they_are_planned(running: Any) -> None:
    doubling = ", ".join(f"a{number} || a{number} AS a{number + 1}" for number in range(40))
    began = time.monotonic()
    with pytest.raises(QueryRefused, match="expressions"):
        running.ask(f"SELECT message AS a0, {doubling} FROM events")
    assert time.monotonic() - began < PATIENCE


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT " + "(" * 3000 + "1" + ")" * 3000,
        "SELECT " + "-" * 5000 + "1",
        "SELECT '" + "x" * 200_000 + "'",
    ],
)
def test_depth_and_length_are_answers_not_crashes(running: Any, sql: str) -> None:
    with pytest.raises((QueryRefused, QueryFailed)):
        running.ask(sql)


def test_a_hundred_nested_subqueries_run(running: Any) -> None:
    sql = "SELECT count(*) AS n FROM events"
    for depth in range(100):
        sql = f"SELECT * FROM ({sql}) AS s{depth}"
    assert running.ask(sql)


def test_python_variables_are_no_tables(running: Any) -> None:
    batch = "secret"
    with pytest.raises(QueryRefused):
        running.ask("SELECT * FROM batch")
    assert batch


def test_every_listed_function_exists(running: Any) -> None:
    """A name that DuckDB does not know would be dead weight, or a typing error."""
    cursor = running.writer.cursor()
    rows = cursor.execute("SELECT DISTINCT lower(function_name) FROM duckdb_functions()").fetchall()
    cursor.close()
    parsed_away = {
        "coalesce",
        "ifnull",
        "unnest",
        "current_timestamp",
        "fill",
        "formatreadabledecimalsize",
        "formatreadablesize",
        "<>",
        "->",
    }
    known = {name for (name,) in rows} | parsed_away
    listed = {name.lower() for name in FUNCTIONS | TABLE_FUNCTIONS}
    assert listed <= known, sorted(listed - known)
