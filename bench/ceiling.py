"""The ceiling: one DuckDB statement from the file to the table that the agent fills, with redactions, then CHECKPOINT.

python bench/ceiling.py lines.json out.duckdb
"""

from __future__ import annotations

import os
import sys

import duckdb

#: Pattern and replacement; the main ones of what the agent's `secrets` and `email` look for.
REDACTIONS = [
    (r"(?i)(password|passwd|pwd)=[^\s&;,]+", r"\1=[password]"),
    (r"(?i)(api[_-]?key|token|secret)=[^\s&;,]+", r"\1=[secret]"),
    (r"(?i)bearer [a-z0-9._~+/=-]+", "Bearer [token]"),
    (r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", "[aws_key]"),
    (r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}", "[email]"),
]

_FIELDS = ("logger", "host", "thread", "request_id")

TABLE = """
    CREATE TABLE yaat_events (
        sequence BIGINT, organization_id VARCHAR, service_name VARCHAR, environment VARCHAR, event_id UUID,
        timestamp TIMESTAMPTZ, received_at TIMESTAMPTZ, event_type VARCHAR, level VARCHAR, message VARCHAR,
        stacktrace VARCHAR, trace_id VARCHAR, span_id VARCHAR, parent_span_id VARCHAR, operation VARCHAR,
        duration_ms DOUBLE, status_code USMALLINT, metric_name VARCHAR, metric_value DOUBLE,
        tags MAP(VARCHAR, VARCHAR));
    CREATE VIEW events AS SELECT * EXCLUDE sequence FROM yaat_events
"""


def statement(source: str) -> str:
    """The INSERT: the agent's columns and tags. A STRUCT cast to a MAP is DuckDB's quickest way to make one."""
    message = "message"
    for pattern, replacement in REDACTIONS:
        message = f"regexp_replace({message}, '{pattern}', '{replacement}', 'g')"
    columns = ", ".join(f"{name}: 'VARCHAR'" for name in ("timestamp", "level", "message", *_FIELDS))
    return f"""
        INSERT INTO yaat_events (sequence, organization_id, service_name, environment, event_id, timestamp,
                                 received_at, event_type, level, message, tags)
        SELECT row_number() OVER (), 'local', 'app', 'production', uuidv7(), timestamp::TIMESTAMPTZ,
               now(), 'log', level, {message}, CAST({_tags(source)} AS MAP(VARCHAR, VARCHAR))
        FROM read_json('{source}', format='newline_delimited', columns={{{columns}}})
    """


def _tags(source: str) -> str:
    fixed = {"host.name": os.uname().nodename, "log.file.path": source, "yaat.source": "sources.app"}
    pairs = [f"'{name}': {name}" for name in _FIELDS] + [
        f"'{name}': '{value}'" for name, value in fixed.items()
    ]
    return "{" + ", ".join(pairs) + "}"


def main() -> None:
    source, database = sys.argv[1:]
    connection = duckdb.connect(database)
    connection.execute(TABLE)
    connection.execute(statement(source))
    connection.execute("CHECKPOINT")
    connection.close()


if __name__ == "__main__":
    main()
