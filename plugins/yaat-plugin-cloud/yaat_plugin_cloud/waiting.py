"""How long to wait: full-jitter backoff, the server's Retry-After, the circuit breaker."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import attrs

from yaat_plugin_cloud.config import CircuitBreakerConfig, RetryConfig

#: What a server may ask for at most, in seconds.
RETRY_AFTER_LIMIT: Final = 3_600.0
#: Added to what a server asks for, so that not everybody comes back in the same moment: a part of it.
_SPREAD: Final = 0.1
_SECONDS: Final = re.compile(r"\d{1,12}")


def backoff(failures: int, retry: RetryConfig) -> float:
    """Seconds before the next attempt after so many failures in a row: anything up to a doubling bound.

    Full jitter ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
    """
    bound = min(float(retry.max_delay), float(retry.initial) * 2.0 ** min(failures - 1, 40))
    return random.uniform(0.0, bound)


def retry_after(value: str | None, date: str | None = None) -> float | None:
    """Seconds that ``Retry-After`` asks for (RFC 9110, section 10.2.3), bounded; None when it says nothing usable.

    A time is taken relative to the server's own ``Date``, so that a wrong clock on either side does no harm.
    """
    if value is None:
        return None
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), RETRY_AFTER_LIMIT)
    until = _time(value)
    if until is None:
        return None
    now = (_time(date) if date else None) or datetime.now(UTC)
    return min(max(0.0, (until - now).total_seconds()), RETRY_AFTER_LIMIT)


def spread(asked: float) -> float:
    """A wait that the server asked for, and a little more."""
    return asked + random.uniform(0.0, asked * _SPREAD)


def _time(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@attrs.define(eq=False)
class CircuitBreaker:
    """Open after so many failed requests in a row: then one small request is the next, and decides."""

    config: CircuitBreakerConfig
    failures: int = 0

    @property
    def open(self) -> bool:
        """Only a probe may be sent."""
        threshold = self.config.failure_threshold
        return threshold is not None and self.failures >= threshold

    def succeeded(self) -> None:
        """The server answered as it should."""
        self.failures = 0

    def failed(self) -> None:
        """It did not, or not at all."""
        self.failures += 1
