"""Windows: idle series, limits, sketches and their errors."""

from __future__ import annotations

import random

import numpy as np
import pytest

from yaat_core.config.options import Duration
from yaat_plugin_statsd.distinct import EXACT as MEMBERS
from yaat_plugin_statsd.distinct import RELATIVE_ERROR, Members
from yaat_plugin_statsd.quantiles import EXACT, RANK_ERROR, Values, summary


def test_a_window_ends_and_the_next_begins_empty(bench):
    box = bench().read("c:1|c", "g:1|g", "t:1|ms", "s:1|s")
    assert len(box.cut()) == 2 + 1 + 8 + 1
    assert box.cut() == []
    assert box.read("c:1|c").values() == {"c": 1, "c.rate": 0.1}


def test_idle_series_expire(bench):
    box = bench(expiry=Duration(20), max_series=1).read("g:5|g")
    assert box.values() == {"g": 5}
    box.cut()
    assert box.read("g:+1|g").values() == {"g": 6}
    box.cut()
    box.cut()
    assert len(box.window) == 0
    assert box.read("g:+1|g").values() == {"g": 1}, (
        "a line known by its bytes must not fill a forgotten series"
    )
    box.cut(seconds=20)
    assert box.read("other:1|g").values() == {"other": 1}


def test_idle_series_are_repeated_on_request(bench):
    box = bench(repeat_idle=True, expiry=Duration(25), counters=("count",)).read(
        "c:1|c", "g:7|g", "t:1|ms", "s:1|s"
    )
    box.cut()
    assert box.values() == {"c": 0, "g": 7}
    assert box.values() == {"c": 0, "g": 7}
    assert box.values() == {}


def test_more_series_than_allowed_are_counted(bench):
    box = bench(max_series=10, counters=("count",))
    for _ in range(2):
        box.read(*(f"c{number}:1|c" for number in range(15)))
    assert box.window.refused == 10
    assert box.values() == {f"c{number}": 2 for number in range(10)}


def test_one_name_of_two_types_is_two_series(bench):
    rows = bench(counters=("count",), aggregates=("sum",)).read("a:1|c", "a:2|g", "a:3|h", "a:4|d").cut()
    assert [(row.metric_name, row.metric_value, row.tags["statsd_type"]) for row in rows] == [
        ("a", 1, "c"), ("a", 2, "g"), ("a.sum", 3, "h"), ("a.sum", 4, "d"),
    ]  # fmt: skip


def test_too_many_rates_of_one_series(bench):
    box = bench(aggregates=("count",)).read(*(f"t:1|ms|@{1 / 2**n}" for n in range(20)))
    assert box.rejected() == {"too_many_rates": 4}
    assert box.values() == {"t.count": 2**16 - 1}


def test_what_a_double_cannot_hold_is_left_out_and_counted(bench):
    box = bench(counters=("count",)).read("c:1e308|c", "c:1e308|c", "ok:1|c")
    assert box.values() == {"ok": 1}


def test_batches_are_of_bounded_size_and_keep_their_tags(bench):
    box = bench(counters=("count",), max_series=30_000).read(
        *(f"c{n % 100}:1|c|#n:{n}" for n in range(20_000))
    )
    rows = box.cut()
    assert len(rows) == 20_000
    assert {(row.metric_name, row.tags["n"]) for row in rows} == {
        (f"c{n % 100}", str(n)) for n in range(20_000)
    }


def gathered(values, weight=1.0):
    part = Values(weight)
    for value in values:
        part.add(repr(float(value)).encode())
    return part.take()


def nearest_rank(values, q):
    return np.sort(values)[max(int(np.ceil(q * len(values))) - 1, 0)]


@pytest.mark.parametrize("count", [1, 2, 3, 100, EXACT])
def test_few_values_are_exact(count):
    values = np.random.default_rng(count).lognormal(size=count)
    found = summary([gathered(values)], [0.0, 0.5, 0.95, 0.999])
    assert found.quantiles == [nearest_rank(values, q) for q in (0.0, 0.5, 0.95, 0.999)]
    assert (found.low, found.high, found.count) == (values.min(), values.max(), count)


def rank_distance(values, found, q):
    """How far the rank of a value is from what was asked."""
    ranks = np.searchsorted(np.sort(values), [found, np.nextafter(found, np.inf)]) / len(values)
    return max(ranks[0] - q, q - ranks[1], 0)


@pytest.mark.parametrize("count", [EXACT + 1, 50_000])
@pytest.mark.parametrize("shape", ["normal", "lognormal", "sorted"])
def test_many_values_are_within_the_stated_error(count, shape):
    random.seed(1)
    numbers = np.random.default_rng(1)
    values = np.arange(count) / 7 if shape == "sorted" else getattr(numbers, shape)(size=count)
    wanted = [0.5, 0.9, 0.95, 0.99, 0.999]
    found = summary([gathered(values)], wanted)
    assert (found.low, found.high, found.count) == (values.min(), values.max(), count)
    assert found.sum == pytest.approx(values.sum())
    # 1.5 times: the error holds with a confidence of 99 %, and the sketch draws its own random numbers.
    assert (
        max(rank_distance(values, v, q) for v, q in zip(found.quantiles, wanted, strict=True))
        < 1.5 * RANK_ERROR
    )


def test_sketches_of_different_rates_are_put_together():
    numbers = np.random.default_rng(2)
    often, seldom = numbers.normal(10, 1, 20_000), numbers.normal(20, 1, 2_000)
    found = summary([gathered(often), gathered(seldom, 10.0)], [0.25, 0.5, 0.75])
    assert found.count == pytest.approx(40_000)
    everything = np.concatenate([often, np.repeat(seldom, 10)])
    for value, q in zip(found.quantiles, (0.25, 0.5, 0.75), strict=True):
        assert rank_distance(everything, value, q) < 0.005


def test_members_are_exact_while_few_and_estimated_beyond():
    few, many = Members(), Members()
    for number in range(MEMBERS):
        few.add(b"%d" % number)
        few.add(b"%d" % number)
    assert few.count() == MEMBERS
    for number in range(100_000):
        many.add(b"a member with quite a long name, number %d" % number)
    assert many.count() == pytest.approx(100_000, rel=4 * RELATIVE_ERROR)
    taken = many.take()
    assert taken is not None
    assert taken.count() > 90_000
    assert many.take() is None


def test_a_set_counts_anew_in_each_window(bench):
    box = bench().read("s:a|s", "s:b|s", "s:a|s")
    assert box.values() == {"s": 2}
    assert box.read("s:a|s").values() == {"s": 1}
