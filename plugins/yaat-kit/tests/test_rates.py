"""Rates over the time that passed, through wraps and new beginnings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yaat_kit.rates import Rates, growth


@given(st.integers(0, 2**63), st.integers(0, 2**31))
def test_growth_is_the_difference(before: int, grew: int) -> None:
    assert growth(before, before + grew) == grew


@pytest.mark.parametrize("bound", [2**32, 2**64])
@given(below=st.integers(1, 2**29), above=st.integers(0, 2**29))
def test_a_counter_that_wraps_went_on(bound: int, below: int, above: int) -> None:
    assert growth(bound - below, above) == below + above


@given(st.integers(1, 2**31), st.integers(0, 2**30))
def test_a_counter_that_begins_anew_has_no_growth(before: int, after: int) -> None:
    if after < before:
        assert growth(before, after) is None


def test_rates_are_over_the_time_that_really_passed() -> None:
    rates = Rates()
    rates.begin()
    assert rates.per_second("x", 100, 10.0) is None
    rates.begin()
    assert rates.per_second("x", 400, 13.0) == 100
    rates.begin()
    assert rates.per_second("x", 400, 3613.0) == 0


def test_what_was_not_there_in_a_round_begins_anew() -> None:
    rates = Rates()
    rates.begin()
    rates.per_second("usb", 100, 1.0)
    rates.begin()
    rates.begin()
    assert rates.per_second("usb", 5_000, 3.0) is None
