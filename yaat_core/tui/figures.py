"""Figures from the agent's own numbers: quantiles of histograms, sums over components."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from yaat_core.actions.agent import Series

Buckets = list[tuple[float, int]]


def buckets(series: Iterable[Series]) -> Buckets:
    """Several histograms as one: (upper bound, count in the bucket); no bound is infinity."""
    total: dict[float, int] = {}
    for one in series:
        before = 0
        for bound, running in one.buckets:
            key = float("inf") if bound is None else bound
            total[key] = total.get(key, 0) + running - before
            before = running
    return sorted(total.items())


def since(now: Buckets, then: Buckets) -> Buckets:
    """What was added to a histogram."""
    before = dict(then)
    return [(bound, max(0, count - before.get(bound, 0))) for bound, count in now]


def quantile(of: Sequence[tuple[float, int]], share: float) -> float | None:
    """The upper bound of the bucket that the quantile is in, interpolated; None without values."""
    total = sum(count for _, count in of)
    if not total:
        return None
    wanted, seen, low = share * total, 0, 0.0
    for bound, count in of:
        if count and seen + count >= wanted:
            if bound == float("inf"):
                return low
            return low + (bound - low) * (wanted - seen) / count
        seen += count
        low = bound
    return low


def total(series: Iterable[Series]) -> float:
    """The sum of their values."""
    return sum(one.value or 0.0 for one in series)
