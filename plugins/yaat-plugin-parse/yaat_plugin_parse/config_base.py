"""What the options of formats have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final

from yaat_core.config.options import configuration, option

TIMEZONE_HELP: Final = (
    "Zone of times that name none: UTC, an offset like +02:00, or a name like Europe/Berlin."
)
_MOST_DEPTH: Final = 64
_MOST_FIELDS: Final = 10_000


def zone(_instance: Any, _attribute: Any, value: str) -> None:
    """Validator: a time zone."""
    from yaat_plugin_parse.zones import zone_of

    zone_of(value)


def depth(_instance: Any, attribute: Any, value: int) -> None:
    """Validator: how deep objects are taken apart."""
    if not 1 <= value <= _MOST_DEPTH:
        raise ValueError(f"{attribute.name} must be from 1 to {_MOST_DEPTH}, got {value}")


def count(_instance: Any, attribute: Any, value: int) -> None:
    """Validator: how many fields of an object become tags."""
    if not 1 <= value <= _MOST_FIELDS:
        raise ValueError(f"{attribute.name} must be from 1 to {_MOST_FIELDS}, got {value}")


def checked(target: str) -> Callable[[Any, Any, Any], None]:
    """A validator that calls ``module:function`` of this plugin, imported when it is needed; empty values pass."""

    def validator(_instance: Any, _attribute: Any, value: Any) -> None:
        import importlib

        module, _, name = target.partition(":")
        check: Any = importlib.import_module(f"yaat_plugin_parse.{module}")
        for part in name.split("."):
            check = getattr(check, part)
        if value:
            check(value)

    return validator


@configuration
class FormatConfig:
    """Any format."""

    is_format: ClassVar[bool] = True


@configuration
class TimedConfig(FormatConfig):
    """A format whose times may lack a zone."""

    timezone: str = option("UTC", help=TIMEZONE_HELP, example="Europe/Berlin", validator=zone)


def max_depth() -> Any:
    """The option of this name."""
    help = "Objects nested deeper than this stay JSON text; up to it their keys are joined by dots."
    return option(8, help=help, validator=depth)


def max_fields() -> Any:
    """The option of this name."""
    help = (
        "Fields of one object that become tags; the others stay together as JSON text in the tag `json.more`."
    )
    return option(200, help=help, validator=count)
