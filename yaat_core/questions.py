"""Questions that are often asked of stored events, as SQL that is ready to run."""

from __future__ import annotations

from typing import Final, Literal

import attrs

from yaat_core.sql_words import TAG_NAMES

Chart = Literal["", "line", "bars"]


@attrs.frozen
class Question:
    """``chart``: how the answer is best drawn; empty: as rows."""

    title: str
    sql: str
    chart: Chart = ""


_HOUR: Final = "timestamp > now() - INTERVAL '1 hour'"
_DAY: Final = "timestamp > now() - INTERVAL '1 day'"

QUESTIONS: Final = (
    Question(
        "Newest events",
        "SELECT timestamp, level, service_name, event_type, coalesce(metric_name, operation, message) AS what\n"
        "FROM events ORDER BY timestamp DESC LIMIT 500",
    ),
    Question(
        "Errors of the last hour",
        "SELECT timestamp, service_name, level, message, stacktrace\n"
        f"FROM logs WHERE level IN ('error', 'critical') AND {_HOUR}\n"
        "ORDER BY timestamp DESC LIMIT 1000",
    ),
    Question(
        "What fails most, last day",
        "SELECT service_name, message, count(*) AS times, max(timestamp) AS last\n"
        f"FROM logs WHERE level IN ('error', 'critical') AND {_DAY}\n"
        "GROUP BY ALL ORDER BY times DESC LIMIT 200",
    ),
    Question(
        "Events a minute by level, last hour",
        "SELECT time_bucket(INTERVAL '1 minute', timestamp) AS minute, coalesce(level, event_type) AS level, count(*) AS events\n"
        f"FROM events WHERE {_HOUR}\nGROUP BY ALL ORDER BY minute",
        "line",
    ),
    Question(
        "Events by service",
        "SELECT service_name, count(*) AS events\nFROM events GROUP BY ALL ORDER BY events DESC LIMIT 100",
        "bars",
    ),
    Question(
        "Events by source",
        "SELECT tags['yaat.source'] AS source, event_type, count(*) AS events, max(timestamp) AS last\n"
        "FROM events GROUP BY ALL ORDER BY events DESC",
    ),
    Question(
        "Top messages",
        "SELECT message, count(*) AS times, max(timestamp) AS last\n"
        "FROM logs GROUP BY ALL ORDER BY times DESC LIMIT 200",
    ),
    Question(
        "Slowest operations",
        "SELECT service_name, operation, count(*) AS calls, round(median(duration_ms), 1) AS median_ms,\n"
        "  round(quantile_cont(duration_ms, 0.95), 1) AS p95_ms, round(max(duration_ms), 1) AS max_ms\n"
        "FROM spans WHERE duration_ms IS NOT NULL\nGROUP BY ALL ORDER BY p95_ms DESC LIMIT 100",
    ),
    Question(
        "Slowest traces, last day",
        "SELECT trace_id, min(timestamp) AS began, count(*) AS spans, round(max(duration_ms), 1) AS longest_ms,\n"
        "  arg_max(operation, duration_ms) AS operation\n"
        f"FROM spans WHERE trace_id IS NOT NULL AND {_DAY}\nGROUP BY ALL ORDER BY longest_ms DESC LIMIT 100",
    ),
    Question(
        "Status codes by service",
        "SELECT service_name, status_code, count(*) AS times\n"
        "FROM events WHERE status_code IS NOT NULL\nGROUP BY ALL ORDER BY times DESC LIMIT 200",
    ),
    Question(
        "Metrics by name",
        "SELECT metric_name, count(*) AS values, arg_max(metric_value, timestamp) AS last, min(metric_value) AS least,\n"
        "  max(metric_value) AS most, max(timestamp) AS last_at\n"
        "FROM metrics GROUP BY ALL ORDER BY metric_name",
    ),
    Question("Names of tags", TAG_NAMES.replace(" FROM (SELECT", "\nFROM (SELECT", 1)),
)
