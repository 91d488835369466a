"""Options of the sink."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from yaat_core.config.options import Duration, Size, configuration, option

_LEAST_MEMORY: Final = 48 * 2**20
_LEAST_DATABASE: Final = 16 * 2**20
_MOST_THREADS: Final = 256


def _not_empty(_instance: Any, attribute: Any, value: str) -> None:
    if not value.strip():
        raise ValueError(f"{attribute.name} must name a file")


def _at_least(least: int) -> Any:
    def check(_instance: Any, attribute: Any, value: int) -> None:
        if value < least:
            raise ValueError(f"{attribute.name} must be {Size(least)} or more, got {Size(value)}")

    return check


def _lasting(_instance: Any, attribute: Any, value: float | None) -> None:
    if value is not None and value <= 0:
        raise ValueError(f"{attribute.name} must be longer than nothing, like 7d or 10s, got {value:g}s")


def _some_threads(_instance: Any, attribute: Any, value: int) -> None:
    if not 1 <= value <= _MOST_THREADS:
        raise ValueError(f"{attribute.name} must be from 1 to {_MOST_THREADS}, got {value}")


@configuration
class DuckDBConfig:
    """A local DuckDB database, asked with `yaat query`."""

    remote: ClassVar[bool] = False

    path: str = option(
        "events.duckdb",
        help="File of the database, relative to `state_dir`.",
        example="events.duckdb",
        validator=_not_empty,
    )
    retention: Duration | None = option(
        "7d",
        help="How long events are kept, counted from when they were stored; `none` keeps them.",
        example="30d",
        validator=_lasting,
    )
    max_bytes: Size = option(
        "10GiB",
        help="How large the database may grow before its oldest events are removed.",
        example="50GiB",
        validator=_at_least(_LEAST_DATABASE),
    )
    memory_limit: Size = option(
        "64MiB",
        help="Memory that DuckDB may use, for writing and queries together; moving very long texts into the file takes "
        "more for that long.",
        example="512MiB",
        validator=_at_least(_LEAST_MEMORY),
    )
    threads: int = option(
        1, help="Threads that DuckDB may use for one statement.", example=2, validator=_some_threads
    )
    checkpoint_interval: Duration = option(
        "1m",
        help="How long rows may stay in DuckDB's log (and the events in the queue) before they are moved into the file.",
        example="5m",
        validator=_lasting,
    )
    checkpoint_bytes: Size = option(
        "128MiB",
        help="How large DuckDB's log may grow before its rows are moved into the file.",
        validator=_at_least(2**20),
    )
    spill_bytes: Size = option(
        "1GiB", help="Disk space that queries larger than the memory may use while they run; 0B for none."
    )
