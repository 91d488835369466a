"""What a query over HTTP may take."""

from __future__ import annotations

from yaat_core.config.options import Duration, Size, configuration, option, positive


@configuration
class QueryOptions:
    """What queries over HTTP may take, each and together."""

    sink: str | None = option(
        default=None,
        help="Name of the sink whose database is asked; not given: the first that answers SQL.",
        example="local",
    )
    max_rows: int = option(
        default=1_000_000, help="Rows of one answer; a query without `limit` gets 10,000.", validator=positive
    )
    max_bytes: Size = option(
        default="256MiB", help="Bytes of the rows of one answer; the rest is cut off.", validator=positive
    )
    max_time: Duration = option(default="60s", help="How long one query may take.", validator=positive)
    at_once: int = option(
        default=8, help="Queries at one time; more are refused for a moment (503).", validator=positive
    )
    at_once_per_key: int = option(
        default=2,
        help="Queries at one time with one key; more are refused for a moment (429).",
        validator=positive,
    )
