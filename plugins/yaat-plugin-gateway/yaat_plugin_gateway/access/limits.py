"""How much may come: token buckets by key, quotas by organization. The one place to change for several gateways at once.

Rates are counted here in memory. Quotas are counted in memory too, on top of what the database had when the organization
was first seen; the counts are written each second (`Ledger`). So a quota is exact but for what is on its way when
it is reached: a batch counts once it is durable, and batches that were let in before count after.

The headers are those of draft-ietf-httpapi-ratelimit-headers-06 (``RateLimit-Limit``, ``-Remaining``, ``-Reset``,
``-Policy``), the last draft with a header for each number, which is what clients read today. Of several limits the
one that is nearest to its end is told; ``RateLimit-Policy`` names all of the key's.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import attrs
import trio

from yaat_core.errors import YaatError
from yaat_plugin_gateway.access.bucket import Bucket
from yaat_plugin_gateway.access.caller import Admission, Caller
from yaat_plugin_gateway.access.ledger import Ledger
from yaat_plugin_gateway.access.meters import Amount, Meter, Stand, Today, shares
from yaat_plugin_gateway.access.rates import KeyLimits
from yaat_plugin_gateway.state.keys import Changes
from yaat_plugin_gateway.state.records import Rates
from yaat_plugin_gateway.state.store import State
from yaat_plugin_gateway.web.refusal import Refused

#: Seconds until quotas that could not be read are asked for again.
_AGAIN: Final = 1.0
_UNITS: Final = ("events", "bytes", "requests")


@attrs.frozen
class _Buckets:
    """A key's, by unit."""

    by_unit: Mapping[str, Bucket]
    policy: str

    @classmethod
    def of(cls, rates: Rates, limits: KeyLimits, now: float) -> _Buckets:
        made = {}
        for unit in _UNITS:
            name = f"{unit}_per_second"
            rate = getattr(rates, name) or getattr(limits, name)
            if rate is not None:
                made[unit] = Bucket(rate, max(1.0, rate * limits.burst), now)
        window = math.ceil(limits.burst)
        policy = ", ".join(f'{int(one.burst)};w={window};comment="{unit}"' for unit, one in made.items())
        return cls(made, policy)


@attrs.frozen
class _Tightest:
    """The limit that is nearest to its end."""

    limit: float
    left: float
    reset: float
    policy: str

    def headers(self) -> dict[str, str]:
        found = {
            "RateLimit-Limit": str(int(self.limit)),
            "RateLimit-Remaining": str(max(0, int(self.left))),
            "RateLimit-Reset": str(math.ceil(self.reset)),
        }
        return {**found, "RateLimit-Policy": self.policy} if self.policy else found


class Limiter:
    """Implements `Limits` for one process."""

    def __init__(
        self,
        state: State,
        limits: KeyLimits,
        rates_of: Callable[[str], Rates],
        *,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._state = state
        self._limits = limits
        self._rates_of = rates_of
        self._wall = wall
        self._buckets: dict[str, _Buckets] = {}
        self._meters: dict[str, Meter] = {}
        self._stale: dict[str, float] = {}
        self._today = Today.at(wall())
        self._latest = self._today.day
        self.ledger = Ledger(state)
        self.refused: dict[str, int] = {"rate": 0, "quota": 0}
        """Requests turned away since the start."""

    async def admit(self, caller: Caller, events: Mapping[str, int], size: int) -> Admission:
        """As `Limits.admit`. What is refused takes nothing from any limit."""
        today = self._turned()
        organization_id = caller.scope.organization_id
        meter = self._meters.get(organization_id)
        if meter is None or self._stale.get(organization_id, math.inf) <= trio.current_time():
            meter = await self._meter(organization_id)
        amounts = shares(events, size) if meter.quotas else {}
        if meter.quotas and (stand := meter.exceeded(amounts)) is not None:
            self.refused["quota"] += 1
            raise self._over_quota(stand, today)
        now = trio.current_time()
        buckets = self._buckets.get(caller.key_id)
        if buckets is None:
            buckets = self._buckets[caller.key_id] = _Buckets.of(
                self._rates_of(caller.key_id), self._limits, now
            )
        self._take(buckets, {"events": sum(events.values()), "bytes": size, "requests": 1}, now)
        tightest = min(
            [*self._of_buckets(buckets, now), *self._of_quotas(meter, amounts, buckets.policy)],
            key=lambda one: one.left / one.limit,
            default=None,
        )
        return Admission(headers=tightest.headers() if tightest else {})

    def used(self, caller: Caller, events: Mapping[str, int], size: int) -> None:
        """As `Limits.used`."""
        amounts = shares(events, size)
        today = self._turned()
        organization_id = caller.scope.organization_id
        self.ledger.add(organization_id, caller.key_id, today.day, amounts)
        if (meter := self._meters.get(organization_id)) is not None:
            meter.add(amounts)

    def changed(self, changes: Changes) -> None:
        """Keys or quotas changed: they are read again when they are needed next."""
        self._stale.update(dict.fromkeys(self._meters, 0.0))
        for key in changes.keys:
            self._buckets.pop(key.id, None)

    def tidy(self) -> None:
        """Forget the buckets that are full again: a new one is as good."""
        now = trio.current_time()
        full = [
            id
            for id, one in self._buckets.items()
            if all(bucket.level(now) >= bucket.burst for bucket in one.by_unit.values())
        ]
        for id in full:
            del self._buckets[id]

    # --- rates

    def _take(self, buckets: _Buckets, costs: Mapping[str, int], now: float) -> None:
        for unit, bucket in buckets.by_unit.items():
            if wait := bucket.wait(costs[unit], now):
                self.refused["rate"] += 1
                raise self._too_fast(unit, bucket, wait, buckets.policy, now)
        for unit, bucket in buckets.by_unit.items():
            bucket.take(costs[unit], now)

    def _of_buckets(self, buckets: _Buckets, now: float) -> Iterator[_Tightest]:
        for bucket in buckets.by_unit.values():
            yield _Tightest(bucket.burst, bucket.level(now), bucket.until_full(now), buckets.policy)

    def _too_fast(self, unit: str, bucket: Bucket, wait: float, policy: str, now: float) -> Refused:
        seconds = math.ceil(wait)
        told = _Tightest(bucket.burst, bucket.level(now), bucket.until_full(now), policy)
        return Refused(
            429,
            "rate_limited",
            f"the key may send {bucket.rate:,.0f} {unit} a second",
            fix=f"try again in {seconds} s, or send less at once",
            headers={"Retry-After": str(seconds), **told.headers()},
            more=_more(seconds, name=f"{unit}_per_second", of="key", allowed=int(bucket.rate)),
        )

    # --- quotas

    async def _meter(self, organization_id: str) -> Meter:
        """The organization's meter, read from the database when it is not known, or its quotas changed."""
        async with self.ledger.still:
            known = self._meters.get(organization_id)
            due = self._stale.pop(organization_id, math.inf) <= trio.current_time()
            if known is not None and not due:
                return known
            try:
                quotas = await self._state.ask(self._state.usage.quotas, organization_id)
                if known is None:
                    known = await self._read(organization_id)
            except YaatError:
                if known is None:
                    raise
                self._stale[organization_id] = trio.current_time() + _AGAIN  # those of before hold meanwhile
                return known
            known.quotas = quotas
            self._meters[organization_id] = known
            return known

    async def _read(self, organization_id: str) -> Meter:
        """Nothing is written meanwhile, so what was counted and not yet written comes on top."""
        today = self._turned()
        totals = await self._state.ask(self._state.usage.totals, organization_id, today.month)
        both = dict(totals)
        for used in self.ledger.waiting(organization_id):
            if used.day.startswith(today.month):
                events, size = both.get((used.day, used.event_type), (0, 0))
                both[used.day, used.event_type] = (events + used.events, size + used.bytes)
        return Meter((), today, both)

    def _turned(self) -> Today:
        now = self._wall()
        if not self._today.day_ends - 86_400 <= now < self._today.day_ends:
            self._today = Today.at(now)
            if self._today.day <= self._latest:
                self._meters.clear()  # the clock was set back: the database knows what that day had
            self._latest = max(self._latest, self._today.day)
            for meter in self._meters.values():
                meter.turn(self._today)
        return self._today

    def _of_quotas(self, meter: Meter, amounts: Mapping[str, Amount], policy: str) -> Iterator[_Tightest]:
        for stand, left in meter.after(amounts) if meter.quotas else ():
            reset = self._today.ends(stand.quota.period) - self._wall()
            yield _Tightest(max(1, stand.allowed), left, reset, policy)

    def _over_quota(self, stand: Stand, today: Today) -> Refused:
        quota = stand.quota
        seconds = max(1, math.ceil(today.ends(quota.period) - self._wall()))
        what = "events of any type" if quota.event_type == "all" else f"{quota.event_type} events"
        unit = what if stand.unit == "events" else f"bytes of {what}"
        told = _Tightest(max(1, stand.allowed), stand.left, seconds, "")
        return Refused(
            429,
            "quota_exceeded",
            f"the organization may send {stand.allowed:,} {unit} a {quota.period}, and has sent {stand.used:,}",
            fix=f"wait until the {quota.period} (UTC) is over, or have the quota raised: yaat gateway quotas set",
            headers={"Retry-After": str(seconds), **told.headers()},
            more=_more(
                seconds, name=f"{stand.unit}_per_{quota.period}", of="organization", event_type=quota.event_type,
                allowed=stand.allowed, used=stand.used,
            ),
        )  # fmt: skip


def _more(seconds: int, **limit: Any) -> dict[str, Any]:
    return {"limit": limit, "retry_seconds": seconds}
