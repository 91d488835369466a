"""How many queries run at one time: of one key, and of all. A query has its seat until its last row is sent."""

from __future__ import annotations

import collections
import contextlib
from collections.abc import Iterator

import trio

from yaat_plugin_gateway.access.caller import Caller
from yaat_plugin_gateway.web.refusal import Refused


class Seats:
    """Counts queries."""

    def __init__(self, at_once: int, per_key: int) -> None:
        self.threads = trio.CapacityLimiter(at_once)
        """For the threads of the queries that have a seat."""
        self._at_once = at_once
        self._per_key = per_key
        self._taken: collections.Counter[str] = collections.Counter()

    @contextlib.contextmanager
    def one(self, caller: Caller) -> Iterator[None]:
        """A seat for as long as the block lasts.

        Raises:
            Refused: 429 when the key has as many as it may, 503 when all are taken.
        """
        if self._taken[caller.key_id] >= self._per_key:
            raise Refused(
                429,
                "too_many_queries",
                f"{self._per_key} queries run with the key {caller.prefix} already",
                fix="wait for one to end",
                headers={"Retry-After": "1"},
            )
        if self._taken.total() >= self._at_once:
            raise Refused(
                503,
                "busy",
                f"{self._at_once} queries run already",
                fix="ask again in a moment",
                headers={"Retry-After": "1"},
            )
        self._taken[caller.key_id] += 1
        try:
            yield
        finally:
            self._taken[caller.key_id] -= 1
            if not self._taken[caller.key_id]:
                del self._taken[caller.key_id]
