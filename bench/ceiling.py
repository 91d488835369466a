"""The ceiling: one DuckDB statement from the file to the table that the agent fills, with redactions, then CHECKPOINT.

python bench/ceiling.py lines.json out.duckdb
"""

from __future__ import annotations

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

_TAGS = ("logger", "host", "thread", "request_id")


def statement(source: str, tags_type: str) -> str:
    """The INSERT. ``tags_type`` is the type of the table's tags column: VARCHAR (JSON text) or a MAP."""
    message = "message"
    for pattern, replacement in REDACTIONS:
        message = f"regexp_replace({message}, '{pattern}', '{replacement}', 'g')"
    pairs = ", ".join(f"'{tag}', {tag}" for tag in _TAGS)
    tags = f"json_object({pairs})" if tags_type in ("VARCHAR", "JSON") else _map()
    columns = ", ".join(f"{name}: 'VARCHAR'" for name in ("timestamp", "level", "message", *_TAGS))
    return f"""
        INSERT INTO events (organization_id, service_name, environment, event_id, timestamp, received_at,
                            event_type, level, message, tags)
        SELECT 'local', 'app', 'production', uuidv7(), timestamp::TIMESTAMPTZ, now(), 'log', level, {message}, {tags}
        FROM read_json('{source}', format='newline_delimited', columns={{{columns}}})
    """


def _map() -> str:
    keys = ", ".join(f"'{tag}'" for tag in _TAGS)
    return f"map([{keys}], [{', '.join(_TAGS)}])"


TABLE = """
    CREATE TABLE events (
        organization_id VARCHAR, service_name VARCHAR, environment VARCHAR, event_id UUID, timestamp TIMESTAMPTZ,
        received_at TIMESTAMPTZ, event_type VARCHAR, level VARCHAR, message VARCHAR, stacktrace VARCHAR,
        trace_id VARCHAR, span_id VARCHAR, parent_span_id VARCHAR, operation VARCHAR, duration_ms DOUBLE,
        status_code USMALLINT, metric_name VARCHAR, metric_value DOUBLE, tags {tags_type})
"""


def main() -> None:
    source, database = sys.argv[1:3]
    tags_type = sys.argv[3] if len(sys.argv) > 3 else "VARCHAR"
    connection = duckdb.connect(database)
    connection.execute(TABLE.format(tags_type=tags_type))
    connection.execute(statement(source, tags_type))
    connection.execute("CHECKPOINT")
    connection.close()


if __name__ == "__main__":
    main()
