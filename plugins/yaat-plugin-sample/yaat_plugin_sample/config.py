"""Options of the processors."""

from __future__ import annotations

import difflib
from typing import Any, Final

from yaat_core.config.options import Duration, configuration, option, positive

#: Columns that a key may be made of, besides `tags.NAME`.
COLUMNS: Final = (
    "organization_id",
    "service_name",
    "environment",
    "event_type",
    "level",
    "message",
    "stacktrace",
    "trace_id",
    "span_id",
    "parent_span_id",
    "operation",
    "status_code",
    "metric_name",
)


def _expression(instance: Any, attribute: Any, value: str | None) -> None:
    if value is not None:
        from yaat_kit.expressions import expression

        expression(instance, attribute, value)


def _field(value: str) -> None:
    if value in COLUMNS or (value.startswith("tags.") and len(value) > len("tags.")):
        return
    near = difflib.get_close_matches(value, COLUMNS, 1)
    guess = f"did you mean `{near[0]}`? " if near else ""
    raise ValueError(f"no field {value!r}: {guess}There are {', '.join(COLUMNS)} and tags.NAME")


def _fields(_instance: Any, attribute: Any, value: tuple[str, ...]) -> None:
    if not value:
        raise ValueError(f"{attribute.name} is empty: name at least one field, such as service_name")
    for one in value:
        _field(one)


def _optional_field(_instance: Any, _attribute: Any, value: str) -> None:
    _field(value)


def _percent(_instance: Any, _attribute: Any, value: float) -> None:
    if not 0 < value <= 100:
        raise ValueError(
            f"percent must be more than 0 and at most 100, got {value:g}; `filter` drops all of a kind"
        )


@configuration
class FilterConfig:
    """Keeps or drops events by an expression."""

    keep: str | None = option(
        default=None,
        help="A DuckDB boolean expression over an event: only events for which it is true go on.",
        example="level <> 'debug' OR tags['app'] = 'shop'",
        validator=_expression,
    )
    drop: str | None = option(
        default=None,
        help="The other way round: events for which it is true are dropped.",
        example="operation = 'GET /health' AND status_code < 400",
        validator=_expression,
    )

    def __attrs_post_init__(self) -> None:
        if (self.keep is None) == (self.drop is None):
            raise ValueError("write one of `keep` and `drop`, e.g. drop: \"level = 'debug'\"")


@configuration
class SampleConfig:
    """Keeps a share of the events, whole traces together."""

    percent: float = option(help="How many of 100 events go on.", example=10, validator=_percent)
    by: str = option(
        default="trace_id",
        help="Events that are equal in this field are kept or dropped together, in every agent; those without it one by one.",
        example="tags.user",
        validator=_optional_field,
    )
    when: str | None = option(
        default=None,
        help="Sample only events for which this expression is true; the others all go on.",
        example="level IN ('debug', 'info')",
        validator=_expression,
    )


@configuration
class ThrottleConfig:
    """So many events of each key in each window of time."""

    rate: int = option(
        help="How many events of one key go on in one window.", example=1000, validator=positive
    )
    per: Duration = option(default="1s", help="Length of a window.", example="1m", validator=positive)
    key: tuple[str, ...] = option(
        default=("service_name",),
        help="Fields that make the key: one that is noisy does not take the share of others. Events with none of them go on.",
        example=["tags.container.name"],
        validator=_fields,
    )
    when: str | None = option(
        default=None,
        help="Count only events for which this expression is true; the others all go on.",
        example="level = 'debug'",
        validator=_expression,
    )
    max_keys: int = option(
        default=10_000,
        help="How many keys and windows are remembered; beyond, the one that was seen least recently is forgotten.",
        validator=positive,
    )


@configuration
class DedupeConfig:
    """Repeated events once in each window of time, with a count."""

    by: tuple[str, ...] = option(
        default=("service_name", "level", "message", "stacktrace"),
        help="Events that are equal in all these fields are repetitions of each other.",
        example=["tags.host.name", "message"],
        validator=_fields,
    )
    window: Duration = option(
        default="1m", help="How long after the first one repetitions are dropped.", validator=positive
    )
    ignore_numbers: bool = option(
        default=False,
        help="Texts that differ in digits only are equal: `took 12 ms` and `took 15 ms`.",
        example=True,
    )
    when: str | None = option(
        default=None,
        help="Look only at events for which this expression is true; the others all go on.",
        example="event_type = 'log'",
        validator=_expression,
    )
    max_keys: int = option(
        default=100_000,
        help="How many different events are remembered; beyond, the one that was seen least recently is forgotten.",
        validator=positive,
    )
