"""Who calls: a key that was recognized, with its rights and its scope; and the two doors that every request passes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

import attrs

from yaat_core.components import QueryScope

Right = Literal["ingest", "read", "admin"]
"""``admin`` manages keys, organizations and quotas of its organization; none includes another."""


@attrs.frozen(kw_only=True)
class Caller:
    """A recognized key. Never holds the key itself."""

    key_id: str
    prefix: str
    """The first characters of the key, to recognize it by; not secret."""
    rights: frozenset[Right]
    scope: QueryScope
    """Its organization, and the services and environments that it may send for and read (empty: all)."""


class Access(Protocol):
    """Recognizes keys."""

    async def caller(self, token: str | None, address: str = "") -> Caller:
        """Who has this key (the text after ``Bearer``; None when the request has none). Quick: cached, revocation at once.

        ``address`` is where the request comes from: wrong keys are counted by it. `web.endpoint.authenticate` gives both.

        Raises:
            Refused: 401, unknown, expired or revoked; 429 after too many wrong keys; 503 without the database.
        """
        ...


@attrs.frozen(kw_only=True)
class Admission:
    """A request that may pass: the ``RateLimit-*`` headers to answer with."""

    headers: Mapping[str, str] = attrs.field(factory=dict)


class Limits(Protocol):
    """Rates and quotas: asked before a batch is taken, told when it is durable."""

    async def admit(self, caller: Caller, events: Mapping[str, int], size: int) -> Admission:
        """May so many events by type (`log`, `span`, `metric`), ``size`` bytes of JSON together, pass now?

        Raises:
            Refused: 429 with Retry-After, ``RateLimit-*`` headers and which limit it was.
        """
        ...

    def used(self, caller: Caller, events: Mapping[str, int], size: int) -> None:
        """These were taken: they count in the usage of the day and the month."""
        ...
