"""The options of each type."""

from __future__ import annotations

from typing import Any, Final

from yaat_core.config.options import configuration, option

_TIMEZONE_HELP: Final = (
    "Zone of times that name none: UTC, an offset like +02:00, or a name like Europe/Berlin."
)
_MOST_DEPTH: Final = 64


def _zone(_instance: Any, attribute: Any, value: str) -> None:
    from yaat_plugin_parse.zones import zone_of

    zone_of(value)


def _depth(_instance: Any, attribute: Any, value: int) -> None:
    if not 1 <= value <= _MOST_DEPTH:
        raise ValueError(f"{attribute.name} must be from 1 to {_MOST_DEPTH}, got {value}")


def _pattern(_instance: Any, attribute: Any, value: str) -> None:
    from yaat_plugin_parse.patterns import check_pattern

    check_pattern(value)


@configuration
class JsonConfig:
    """JSON, one object a line: known keys become columns, all others tags."""

    timezone: str = option("UTC", help=_TIMEZONE_HELP, example="Europe/Berlin", validator=_zone)
    max_depth: int = option(
        8,
        help="Objects nested deeper than this stay JSON text; up to it their keys are joined by dots.",
        validator=_depth,
    )


@configuration
class NginxConfig:
    """nginx's access log (`combined`, `main`, with a request time or without) as spans."""

    timezone: str = option("UTC", help=_TIMEZONE_HELP, example="Europe/Berlin", validator=_zone)


@configuration
class PythonConfig:
    """Python's `logging` in its common formats."""

    timezone: str = option("UTC", help=_TIMEZONE_HELP, example="Europe/Berlin", validator=_zone)


@configuration
class RegexConfig:
    """Lines that a regular expression describes: named groups become columns and tags."""

    pattern: str = option(
        help="RE2 expression with named groups. Those named like a column go there, all others to tags.",
        example=r"^(?P<timestamp>\S+) (?P<level>\w+) (?P<message>.*)$",
        validator=_pattern,
    )
    timezone: str = option("UTC", help=_TIMEZONE_HELP, example="Europe/Berlin", validator=_zone)


@configuration
class RawConfig:
    """Lines as they are, nothing looked for."""


@configuration
class AutoConfig:
    """The format is found out for each stream, and again when its lines change."""

    timezone: str = option("UTC", help=_TIMEZONE_HELP, example="Europe/Berlin", validator=_zone)
    max_depth: int = option(
        8,
        help="JSON objects nested deeper than this stay JSON text; up to it their keys are joined by dots.",
        validator=_depth,
    )
