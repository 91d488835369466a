"""How a config class is written: `option` for each key, `Duration` and `Size` for what has a unit, `Secret` for the unshown.

    @configuration
    class FileConfig:
        \"\"\"Lines of text files, followed through rotation.\"\"\"

        paths: tuple[str, ...] = option(help="Globs of files to read.", example=["/var/log/app/*.log"])
        poll: Duration = option("1s", help="How often to look for new files.")

From the class come validation, the JSON Schema, the reference in the docs, help and forms.
Unknown keys are refused at every level. A value that is wrong beyond its type raises ValueError
from a validator (``validator=``) or from ``__attrs_post_init__``; the message says what to write.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, TypeVar, dataclass_transform

import attrs

T = TypeVar("T")

_UNITS: Final = {
    "us": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 604800.0,
}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m|h|d|w)")
_FACTORS: Final = {
    "": 1,
    "B": 1,
    "kB": 10**3,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([kKMGT]i?B|B)")


class Duration(float):
    """Seconds, written with a unit: ``500ms``, ``10s``, ``1h30m``, ``7d``."""

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read the written form.

        Raises:
            ValueError: not a duration; says how to write one.
        """
        if not isinstance(text, str) or not text or _DURATION.sub("", text):
            raise ValueError(f"must be a duration like 500ms, 10s, 5m or 1h30m, got {text!r}")
        return cls(sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(text)))

    def __str__(self) -> str:
        """The largest unit up to days that holds it whole; to the microsecond."""
        whole = round(float(self) * 1e6)
        for unit in ("d", "h", "m", "s", "ms"):
            amount, rest = divmod(whole, round(_UNITS[unit] * 1e6))
            if amount and not rest:
                return f"{amount}{unit}"
        return f"{whole}us" if whole else "0s"


class Size(int):
    """Bytes, written with a unit: ``512B``, ``64KiB``, ``10MiB``, ``1GB``."""

    @classmethod
    def parse(cls, text: str) -> Size:
        """Read the written form.

        Raises:
            ValueError: not a size; says how to write one.
        """
        match = _SIZE.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise ValueError(f"must be a size like 64KiB, 10MiB or 1GB, got {text!r}")
        return cls(Decimal(match[1]) * _FACTORS[match[2]])

    def __str__(self) -> str:
        for unit in ("TiB", "GiB", "MiB", "KiB"):
            if self and int(self) % _FACTORS[unit] == 0:
                return f"{int(self) // _FACTORS[unit]}{unit}"
        return f"{int(self)}B"


class Secret:
    """A text that is never shown: it prints as ``***``, and only `reveal` gives it.

    For options that are ``secret=True``: in a traceback, a log line or an f-string there is nothing to read.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))


def option(
    default: Any = attrs.NOTHING,
    *,
    help: str,
    example: Any = None,
    factory: Callable[[], Any] | None = None,
    validator: Callable[[Any, Any, Any], Any] | None = None,
    secret: bool = False,
    reference: bool = False,
) -> Any:
    """One key of a config class.

    ``help`` is one sentence, ``example`` a YAML value for the docs. No default means required. A default
    for a `Duration` or `Size` may be given as its written form. ``secret`` values print as ``***``. A ``reference``
    is refused when it stands in the file itself: it has to come whole from ``${file:}``, ``${env:}`` or ``${secret:}``.
    """
    metadata = {"help": help, "example": example, "secret": secret, "reference": reference}
    given: dict[str, Any] = {"factory": factory} if factory is not None else {"default": default}
    return attrs.field(validator=validator, metadata=metadata, repr=not secret, **given)


def positive(_instance: Any, _attribute: Any, value: float | None) -> None:
    """Validator: more than 0 (or absent).

    Raises:
        ValueError: it is not.
    """
    if value is not None and value <= 0:
        raise ValueError(f"must be more than 0, got {value if isinstance(value, Size) else f'{value:g}'}")


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(option, attrs.field))
def configuration(cls: type[T]) -> type[T]:
    """Make a config class: frozen, keyword-only attrs, defaults with units parsed."""
    return attrs.define(cls, frozen=True, kw_only=True, slots=True, field_transformer=_units)


def _units(cls: type, fields: list[attrs.Attribute[Any]]) -> list[attrs.Attribute[Any]]:
    """Parse written defaults of Duration and Size (annotations may be strings)."""
    return [
        field.evolve(default=kind.parse(field.default))
        if isinstance(field.default, str) and (kind := _unit_type(field.type))
        else field
        for field in fields
    ]


def _unit_type(annotation: Any) -> type[Duration] | type[Size] | None:
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    if "Duration" in text:
        return Duration
    return Size if "Size" in text else None
