"""Options of the sink."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from yaat_core.config.options import Duration, Size, configuration, option, positive

_LEAST_MEMORY: Final = 16 * 2**20
_LEAST_QUERY_MEMORY: Final = 32 * 2**20
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


def _some_threads(_instance: Any, attribute: Any, value: int) -> None:
    if not 1 <= value <= _MOST_THREADS:
        raise ValueError(f"{attribute.name} must be from 1 to {_MOST_THREADS}, got {value}")


@configuration
class DuckDBConfig:
    """A local DuckDB database, asked with `yaat query`."""

    remote: ClassVar[bool] = False

    path: str = option(
        "events.duckdb",
        help="Its first file, relative to `state_dir`; the later ones lie in the folder of this name with `.d` after it.",
        example="events.duckdb",
        validator=_not_empty,
    )
    retention: Duration | None = option(
        "7d",
        help="How long events are kept, counted from when the queue took them, and up to an eighth longer; `none` keeps "
        "them.",
        example="30d",
        validator=positive,
    )
    max_bytes: Size = option(
        "10GiB",
        help="How much disk the database may take before its oldest events are removed.",
        example="50GiB",
        validator=_at_least(_LEAST_DATABASE),
    )
    memory_limit: Size = option(
        "24MiB",
        help="Memory that DuckDB may use for writing; moving very long texts into the file takes more for that long.",
        example="64MiB",
        validator=_at_least(_LEAST_MEMORY),
    )
    query_memory: Size = option(
        "128MiB",
        help="Memory that DuckDB may use beyond that while queries run, for all of them together.",
        example="512MiB",
        validator=_at_least(_LEAST_QUERY_MEMORY),
    )
    threads: int = option(
        1, help="Threads that DuckDB may use for one statement.", example=2, validator=_some_threads
    )
    checkpoint_interval: Duration = option(
        "1m",
        help="How long rows may stay in DuckDB's log (and the events in the queue) before they are moved into the file.",
        example="5m",
        validator=positive,
    )
    checkpoint_bytes: Size = option(
        "128MiB",
        help="How large DuckDB's log may grow before its rows are moved into the file.",
        validator=_at_least(2**20),
    )
    spill_bytes: Size = option(
        "1GiB", help="Disk space that queries larger than the memory may use while they run; 0B for none."
    )
