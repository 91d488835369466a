"""What one series gathers in a window. `route` gives the function that takes a value's text: the hot path holds on to it."""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import Final

from yaat_plugin_statsd.distinct import Members
from yaat_plugin_statsd.grammar import Rejected, number
from yaat_plugin_statsd.quantiles import Values

Take = Callable[[bytes], None]
"""Takes the text of a value; raises ValueError when it is none."""

#: Different sample rates of one histogram series.
_RATES: Final = 16


class Cell(abc.ABC):
    """State of one series."""

    __slots__ = ("idle",)

    def __init__(self) -> None:
        self.idle = 0.0
        """Seconds for which nothing came, up to the last cut."""

    @abc.abstractmethod
    def route(self, weight: float) -> Take:
        """What takes values of this weight (1/rate)."""

    @abc.abstractmethod
    def take(self) -> object | None:
        """What the window ends with, or None when nothing came; begins a new one."""


class Counter(Cell):
    """A sum."""

    __slots__ = ("fresh", "total")

    def __init__(self) -> None:
        super().__init__()
        self.total = 0.0
        self.fresh = False

    def add(self, raw: bytes) -> None:
        """One more value."""
        value = float(raw)
        if value - value != 0.0 or b"_" in raw:
            raise ValueError("not a finite number")
        self.total += value
        self.fresh = True

    def route(self, weight: float) -> Take:
        """As `Cell.route`."""
        if weight == 1.0:
            return self.add

        def scaled(raw: bytes) -> None:
            self.total += number(raw) * weight
            self.fresh = True

        return scaled

    def take(self) -> float | None:
        """The sum."""
        if not self.fresh:
            return None
        total, self.total, self.fresh = self.total, 0.0, False
        return total


class Gauge(Cell):
    """The last value."""

    __slots__ = ("fresh", "value")

    def __init__(self) -> None:
        super().__init__()
        self.value = 0.0
        self.fresh = False

    def add(self, raw: bytes) -> None:
        """A new value."""
        self.value = number(raw)
        self.fresh = True

    def route(self, weight: float) -> Take:
        """As `Cell.route`."""
        return self.add

    def take(self) -> float | None:
        """The value; it stays."""
        if not self.fresh:
            return None
        self.fresh = False
        return self.value


class ChangingGauge(Gauge):
    """A gauge to which values with a sign are added; the first one is added to 0."""

    __slots__ = ()

    def add(self, raw: bytes) -> None:
        """A new value, or a change."""
        value = number(raw)
        self.value = self.value + value if raw[:1] in (b"+", b"-") else value
        self.fresh = True


class Histogram(Cell):
    """Values by their weight."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        super().__init__()
        self._parts: dict[float, Values] = {}

    def route(self, weight: float) -> Take:
        """As `Cell.route`.

        Raises:
            Rejected: too_many_rates.
        """
        if weight not in self._parts:
            if len(self._parts) >= _RATES:
                raise Rejected("too_many_rates")
            self._parts[weight] = Values(weight)
        return self._parts[weight].add

    def take(self) -> list[Values] | None:
        """The values."""
        return [taken for part in self._parts.values() if (taken := part.take())] or None


class Distinct(Cell):
    """The members of a set."""

    __slots__ = ("_members",)

    def __init__(self) -> None:
        super().__init__()
        self._members = Members()

    def route(self, weight: float) -> Take:
        """As `Cell.route`."""
        return self._members.add

    def take(self) -> Members | None:
        """The members."""
        return self._members.take()
