"""Token buckets keep what they promise, whatever comes when."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from yaat_plugin_gateway.access.bucket import Bucket

GAPS = st.floats(0, 30, allow_nan=False)
COSTS = st.integers(0, 5_000)


@given(st.integers(1, 1_000), st.integers(1, 10), st.lists(st.tuples(GAPS, COSTS), max_size=60))
def test_never_more_than_the_rate_and_the_burst(
    rate: int, seconds: int, coming: list[tuple[float, int]]
) -> None:
    burst = rate * seconds
    bucket, now, passed, largest = Bucket(rate, burst, 0.0), 0.0, 0, 0
    for gap, cost in coming:
        now += gap
        if bucket.wait(cost, now) == 0:
            bucket.take(cost, now)
            passed += cost
            largest = max(largest, cost)
        assert passed <= burst + rate * now + max(0, largest - burst) + 1e-3
        assert bucket.level(now) <= burst


@given(st.integers(1, 1_000), st.integers(1, 10), st.lists(COSTS, min_size=1, max_size=20))
def test_the_wait_is_the_truth(rate: int, seconds: int, costs: list[int]) -> None:
    bucket, now = Bucket(rate, rate * seconds, 100.0), 100.0
    for cost in costs:
        wait = bucket.wait(cost, now)
        if wait > 0.01:
            assert bucket.wait(cost, now + wait * 0.99) > 0
        now += wait
        assert bucket.wait(cost, now) < 1e-6
        bucket.take(cost, now)


@given(st.lists(GAPS, max_size=20))
def test_a_clock_that_stands_or_goes_back_gives_nothing(gaps: list[float]) -> None:
    bucket = Bucket(10, 100, 1_000.0)
    bucket.take(100, 1_000.0)
    for gap in gaps:
        assert bucket.level(1_000.0 - gap) == 0


def test_what_is_larger_than_the_bucket_passes_when_it_is_full_and_leaves_a_debt() -> None:
    bucket = Bucket(10, 100, 0.0)
    assert bucket.wait(1_000, 0.0) == 0
    bucket.take(1_000, 0.0)
    assert bucket.wait(1, 0.0) == 90.1
    assert bucket.wait(1_000, 0.0) == 100
    assert bucket.until_full(0.0) == 100
