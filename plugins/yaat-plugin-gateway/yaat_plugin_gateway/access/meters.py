"""What an organization used today and this month, held beside its quotas."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import attrs

from yaat_plugin_gateway.state.records import Period, Quota

#: Events and bytes.
Amount = tuple[int, int]
_ALL: Final = "all"


@attrs.frozen
class Today:
    """A day, by the clock of the wall, in UTC."""

    day: str
    month: str
    day_ends: float
    """Seconds since 1970."""
    month_ends: float

    @classmethod
    def at(cls, now: float) -> Today:
        """The day that this moment is in."""
        day = datetime.datetime.fromtimestamp(now, datetime.UTC).date()
        following = (day.replace(day=28) + datetime.timedelta(days=4)).replace(day=1)
        return cls(
            day=day.isoformat(),
            month=day.isoformat()[:7],
            day_ends=_midnight(day + datetime.timedelta(days=1)),
            month_ends=_midnight(following),
        )

    def ends(self, period: Period) -> float:
        """When the period is over."""
        return self.day_ends if period == "day" else self.month_ends


@attrs.frozen
class Stand:
    """How a quota stands: ``unit`` is `events` or `bytes`."""

    quota: Quota
    unit: str
    allowed: int
    used: int

    @property
    def left(self) -> int:
        """What may still come."""
        return max(0, self.allowed - self.used)


class Meter:
    """One organization's. The totals are read from the database once, and then counted here."""

    def __init__(
        self, quotas: Sequence[Quota], today: Today, totals: Mapping[tuple[str, str], Amount]
    ) -> None:
        self.quotas = quotas
        self._today = today
        self._used: dict[tuple[Period, str], list[int]] = {}
        for (day, event_type), amount in totals.items():
            self._count("month", event_type, amount)
            if day == today.day:
                self._count("day", event_type, amount)

    def turn(self, today: Today) -> None:
        """A day began, or a month: its count begins at 0."""
        if today.day == self._today.day:
            return
        over = {"day"} if today.month == self._today.month else {"day", "month"}
        self._used = {what: used for what, used in self._used.items() if what[0] not in over}
        self._today = today

    def add(self, amounts: Mapping[str, Amount]) -> None:
        """These were taken, by type."""
        for event_type, amount in amounts.items():
            self._count("day", event_type, amount)
            self._count("month", event_type, amount)

    def stands(self, event_types: Iterable[str]) -> Iterator[Stand]:
        """The quotas that these types count for."""
        wanted = {*event_types, _ALL}
        for quota in self.quotas:
            if quota.event_type in wanted:
                events, size = self._used.get((quota.period, quota.event_type), (0, 0))
                if quota.events is not None:
                    yield Stand(quota, "events", quota.events, events)
                if quota.bytes is not None:
                    yield Stand(quota, "bytes", quota.bytes, size)

    def exceeded(self, amounts: Mapping[str, Amount]) -> Stand | None:
        """The first quota that has no room for this."""
        return next((stand for stand, left in self.after(amounts) if left < 0), None)

    def after(self, amounts: Mapping[str, Amount]) -> Iterator[tuple[Stand, int]]:
        """The quotas that these types count for, with what would be left of each."""
        whole = (sum(one[0] for one in amounts.values()), sum(one[1] for one in amounts.values()))
        for stand in self.stands(amounts):
            event_type = stand.quota.event_type
            coming = whole if event_type == _ALL else amounts[event_type]
            yield stand, stand.allowed - stand.used - coming[stand.unit == "bytes"]

    def _count(self, period: Period, event_type: str, amount: Amount) -> None:
        for name in (event_type, _ALL):
            used = self._used.setdefault((period, name), [0, 0])
            used[0] += amount[0]
            used[1] += amount[1]


def shares(events: Mapping[str, int], size: int) -> dict[str, Amount]:
    """The bytes of a batch, shared out to its types by how many events each has; the sum stays what it is."""
    whole = sum(events.values())
    shared: dict[str, Amount] = {}
    seen = given = 0
    for event_type, count in events.items():
        if count:
            seen += count
            upto = math.floor(size * seen / whole) if seen < whole else size
            shared[event_type] = (count, upto - given)
            given = upto
    return shared


def _midnight(day: datetime.date) -> float:
    return datetime.datetime(day.year, day.month, day.day, tzinfo=datetime.UTC).timestamp()
