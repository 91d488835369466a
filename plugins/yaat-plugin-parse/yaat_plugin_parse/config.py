"""Options of the formats."""

from __future__ import annotations

from typing import Any, Final

from yaat_core.config.options import configuration, option

_MOST_DEPTH: Final = 32


def _zone(_instance: Any, _attribute: Any, value: str) -> None:
    from yaat_plugin_parse.zones import zone_of

    zone_of(value)


def _depth(_instance: Any, _attribute: Any, value: int) -> None:
    if not 1 <= value <= _MOST_DEPTH:
        raise ValueError(f"max_depth must be from 1 to {_MOST_DEPTH}, got {value}")


def _pattern(_instance: Any, _attribute: Any, value: str) -> None:
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(value, options)
    except re2.error as error:
        said = error.args[0]
        reason = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise ValueError(
            f"pattern is not RE2 (it has no lookaround and no backreferences): {reason}"
        ) from None
    if not compiled.groupindex:
        raise ValueError("pattern has no named group; write one as (?P<name>...), e.g. (?P<message>.*)")


_TIMEZONE_HELP: Final = "Zone of stamps that name none: UTC, +02:00 or Europe/Berlin."


@configuration
class JsonConfig:
    """JSON, one object a line."""

    timezone: str = option("UTC", help=_TIMEZONE_HELP, example="Europe/Berlin", validator=_zone)
    max_depth: int = option(
        8, help="Objects nested deeper than this stay JSON text in one tag.", example=4, validator=_depth
    )


@configuration
class NginxConfig:
    """nginx's access log (combined): each request becomes a span."""


@configuration
class PythonConfig:
    """Python's logging in its usual layouts."""

    timezone: str = option("UTC", help=_TIMEZONE_HELP, example="Europe/Berlin", validator=_zone)


@configuration
class RawConfig:
    """Lines as they are."""


@configuration
class RegexConfig:
    """A pattern of your own with named groups."""

    pattern: str = option(
        help="RE2 expression. Groups named like columns of the event go there, others become tags.",
        example="(?P<level>\\w+) (?P<message>.*)",
        validator=_pattern,
    )
    timezone: str = option("UTC", help=_TIMEZONE_HELP, example="Europe/Berlin", validator=_zone)


@configuration
class AutoConfig:
    """Whichever of the formats fits, found out for each file from its lines."""

    timezone: str = option("UTC", help=_TIMEZONE_HELP, example="Europe/Berlin", validator=_zone)
    max_depth: int = option(
        8, help="Objects nested deeper than this stay JSON text in one tag.", example=4, validator=_depth
    )
