"""Quotas against the plainest model there is: a list of all that came."""

from __future__ import annotations

import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from yaat_plugin_gateway.access.meters import Meter, Today, shares
from yaat_plugin_gateway.state.records import Quota

TYPES = ("log", "span", "metric")
QUOTAS = [
    Quota(event_type="log", period="day", events=50, bytes=700),
    Quota(event_type="span", period="month", events=80),
    Quota(event_type="all", period="day", bytes=1_500),
    Quota(event_type="all", period="month", events=200),
]
BATCH = st.dictionaries(st.sampled_from(TYPES), st.integers(0, 30), max_size=3)


class Quotas(RuleBasedStateMachine):
    """A meter, and the list of what it let pass."""

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime.datetime(2026, 11, 28, 13, tzinfo=datetime.UTC)
        self.came: list[tuple[datetime.date, str, int, int]] = []
        self.meter = Meter(QUOTAS, self.today(), {})

    def today(self) -> Today:
        return Today.at(self.now.timestamp())

    def used(self, quota: Quota) -> tuple[int, int]:
        same = [
            one
            for one in self.came
            if quota.event_type in (one[1], "all")
            and (one[0] == self.now.date() if quota.period == "day" else one[0].month == self.now.month)
        ]
        return sum(one[2] for one in same), sum(one[3] for one in same)

    @rule(hours=st.integers(1, 40))
    def time_passes(self, hours: int) -> None:
        self.now += datetime.timedelta(hours=hours)
        self.meter.turn(self.today())

    @rule(events=BATCH, size=st.integers(0, 400))
    def a_batch_comes(self, events: dict[str, int], size: int) -> None:
        amounts = shares(events, size)
        fits = all(
            self.used(quota)[unit] + sum(
                amount[unit] for name, amount in amounts.items() if quota.event_type in (name, "all")
            ) <= allowed
            for quota in QUOTAS
            if quota.event_type == "all" or quota.event_type in amounts
            for unit, allowed in enumerate((quota.events, quota.bytes))
            if allowed is not None
        )  # fmt: skip
        assert (self.meter.exceeded(amounts) is None) == fits
        if fits:
            self.meter.add(amounts)
            self.came += [(self.now.date(), name, *amount) for name, amount in amounts.items()]

    @rule()
    def the_gateway_is_started_again(self) -> None:
        """With the sums that the database has."""
        totals: dict[tuple[str, str], tuple[int, int]] = {}
        for day, name, events, size in self.came:
            if day.month == self.now.month:
                before = totals.get((day.isoformat(), name), (0, 0))
                totals[day.isoformat(), name] = (before[0] + events, before[1] + size)
        self.meter = Meter(QUOTAS, self.today(), totals)

    @invariant()
    def what_it_says_is_so(self) -> None:
        for stand in self.meter.stands(TYPES):
            used = self.used(stand.quota)[stand.unit == "bytes"]
            assert stand.used == used <= stand.allowed
            assert stand.left == stand.allowed - used


TestQuotas = Quotas.TestCase
TestQuotas.settings = settings(max_examples=60, stateful_step_count=30)


@given(BATCH, st.integers(0, 10**9))
def test_bytes_are_shared_out_whole(events: dict[str, int], size: int) -> None:
    shared = shares(events, size)
    assert {name: one[0] for name, one in shared.items()} == {name: n for name, n in events.items() if n}
    assert sum(one[1] for one in shared.values()) == (size if shared else 0)
    assert all(one[1] >= 0 for one in shared.values())


@given(st.datetimes(datetime.datetime(2020, 1, 1), datetime.datetime(2040, 1, 1)))
def test_days_and_months_end_when_they_do(moment: Any) -> None:
    now = moment.replace(tzinfo=datetime.UTC)
    today = Today.at(now.timestamp())
    day_ends = datetime.datetime.fromtimestamp(today.day_ends, datetime.UTC)
    month_ends = datetime.datetime.fromtimestamp(today.month_ends, datetime.UTC)
    assert now < day_ends <= now + datetime.timedelta(days=1)
    assert today.day == (day_ends - datetime.timedelta(seconds=1)).date().isoformat()
    assert (month_ends.day, month_ends.time()) == (1, datetime.time())
    assert today.month == (month_ends - datetime.timedelta(seconds=1)).date().isoformat()[:7]
