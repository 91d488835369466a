"""The values of a histogram in one window: exact while they are few, a KLL sketch beyond.

KLL (Karnin, Lang, Liberty, "Optimal Quantile Approximation in Streams", 2016; Apache DataSketches): the value that
is given for a quantile q has, with 99 % confidence, a rank within `RANK_ERROR` of q. Minimum, maximum, count and sum are exact.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, Final

import attrs
import numpy as np
from datasketches import kll_doubles_sketch

#: Up to so many values of one rate are kept as they are.
EXACT: Final = 1024
_K: Final = 2000
#: Of the rank, for this ``k``: p99 is between p98.85 and p99.15.
RANK_ERROR: Final = 0.0015
#: Points that stand for a sketch where values of several sample rates are put together.
_POINTS: Final = 2000


@attrs.define(slots=True, eq=False)
class Values:
    """Values of one weight (1/rate). ``add`` takes the text of one."""

    weight: float = 1.0
    recent: array[float] = attrs.field(factory=lambda: array("d"))
    count: int = 0
    total: float = 0.0
    low: float = float("inf")
    high: float = float("-inf")
    sketch: Any = None

    def add(self, raw: bytes) -> None:
        """One value.

        Raises:
            ValueError: not a finite number.
        """
        value = float(raw)
        if value - value != 0.0 or b"_" in raw:
            raise ValueError("not a finite number")
        self.recent.append(value)
        if len(self.recent) > EXACT:
            self._press()

    def take(self) -> Values | None:
        """What came since the last time, or None; begins anew."""
        if not self.recent and not self.count:
            return None
        taken = Values(self.weight, self.recent, self.count, self.total, self.low, self.high, self.sketch)
        self.recent = array("d")
        self.count, self.total, self.low, self.high = 0, 0.0, float("inf"), float("-inf")
        self.sketch = None
        return taken

    def settle(self) -> None:
        """Everything counted. What there is of values is in `sketch`, or in `recent` when that is None."""
        if not self.recent:
            return
        values = np.frombuffer(self.recent, np.float64)
        self.count += len(values)
        self.total += float(values.sum())
        self.low = min(self.low, float(values.min()))
        self.high = max(self.high, float(values.max()))
        if self.sketch is not None:
            self.sketch.update(values)

    def points(self) -> Any:
        """The values, or as many that stand for them, sorted."""
        if self.sketch is None:
            return np.sort(np.frombuffer(self.recent, np.float64))
        number = min(self.count, _POINTS)
        return np.asarray(self.sketch.get_quantiles(((np.arange(number) + 0.5) / number).tolist()))

    def _press(self) -> None:
        if self.sketch is None:
            self.sketch = kll_doubles_sketch(_K)
        self.settle()
        self.recent = array("d")


@attrs.frozen(kw_only=True)
class Summary:
    """A histogram's window. ``count`` and ``sum`` are scaled by the sample rates; ``quantiles`` are in the order asked for."""

    count: float
    sum: float
    low: float
    high: float
    quantiles: Sequence[float]


def summary(parts: Sequence[Values], wanted: Sequence[float]) -> Summary:
    """One summary of values of several weights; takes the parts over. Quantiles are values that came (nearest rank)."""
    for part in parts:
        part.settle()
    return Summary(
        count=sum(part.count * part.weight for part in parts),
        sum=sum(part.total * part.weight for part in parts),
        low=min(part.low for part in parts),
        high=max(part.high for part in parts),
        quantiles=_quantiles(parts, wanted) if wanted else (),
    )


def _quantiles(parts: Sequence[Values], wanted: Sequence[float]) -> Sequence[float]:
    if len(parts) == 1 and parts[0].sketch is not None:
        return [float(value) for value in parts[0].sketch.get_quantiles(list(wanted))]
    points = [part.points() for part in parts]
    if len(parts) == 1:
        picks = np.ceil(np.asarray(wanted) * len(points[0])).astype(int) - 1
        return [float(value) for value in points[0][np.maximum(picks, 0)]]
    weights = [
        np.full(len(some), part.weight * part.count / len(some))
        for part, some in zip(parts, points, strict=True)
    ]
    values = np.concatenate(points)
    order = np.argsort(values, kind="stable")
    ranks = np.cumsum(np.concatenate(weights)[order])
    picks = np.searchsorted(ranks, np.asarray(wanted) * ranks[-1] * (1 - 1e-12))
    return [float(value) for value in values[order][np.minimum(picks, len(values) - 1)]]
