"""What charts have in common: series, colours, signs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import attrs

from yaat_core.display import terminal_safe
from yaat_core.errors import YaatError

#: Colours of a terminal's own sixteen, in the order in which series get them.
COLORS: Final = {"cyan": 6, "yellow": 3, "green": 2, "magenta": 5, "blue": 4, "red": 1, "gray": 8}
_ORDER: Final = ("cyan", "yellow", "green", "magenta", "blue", "red")
_MOST: Final = 1e300
_SIGNS: Final = "*+ox#@"
_RESET: Final = "\x1b[0m"

#: Values of a chart; None and NaN are gaps.
Values = Sequence[float | None]


class PlotsMissing(YaatError):
    """The libraries that draw are not installed."""

    code = "YAAT-E721"
    exit_code = 2


@attrs.frozen(kw_only=True)
class Look:
    """How a chart is drawn: with colours, and with braille and block signs or with plain ASCII."""

    color: bool = True
    unicode: bool = True

    def painted(self, text: str, color: str | None) -> str:
        """The text in a colour of `COLORS`."""
        if not self.color or color is None or not text:
            return text
        return f"\x1b[38;5;{COLORS[color]}m{text}{_RESET}"


@attrs.frozen
class Series:
    """Values over time with a name; ``color`` is one of cyan, yellow, green, magenta, blue, red, gray."""

    values: Values
    name: str = ""
    color: str | None = None


def colored(series: Sequence[Series]) -> list[Series]:
    """Each with a colour and a name that is safe to print."""
    return [
        attrs.evolve(one, color=one.color or _ORDER[index % len(_ORDER)], name=terminal_safe(one.name))
        for index, one in enumerate(series)
    ]


def signs(look: Look, count: int) -> list[str]:
    """What each of so many series is drawn with: where colours can't tell them apart, signs of their own."""
    if look.unicode and (look.color or count == 1):
        return ["braille"] * count
    return [_SIGNS[index % len(_SIGNS)] for index in range(count)]


def number(value: float | None) -> float | None:
    """The value where it can be drawn: gaps are None, and what is beyond all measure is as much as can be drawn."""
    if value is None or not math.isfinite(value):
        return None
    return 0.0 if abs(value) < 1 / _MOST else min(max(float(value), -_MOST), _MOST)


def known(values: Values) -> list[float]:
    """The values that are numbers."""
    return [found for value in values if (found := number(value)) is not None]


def missing(error: ImportError) -> PlotsMissing:
    """What to say when a library can't be imported."""
    return PlotsMissing(
        f"charts need a library that is not installed: {error.name or error}",
        effect="everything that draws no chart works",
        fix="pip install 'yaat-core[tui]'",
    )
