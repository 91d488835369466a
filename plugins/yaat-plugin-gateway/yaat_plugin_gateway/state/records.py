"""What the state holds, as values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

import attrs

from yaat_core.components import QueryScope
from yaat_plugin_gateway.access import token
from yaat_plugin_gateway.access.caller import Caller, Right

RIGHTS: Final[tuple[Right, ...]] = ("ingest", "read", "admin")

EventType = Literal["log", "span", "metric", "all"]
Period = Literal["day", "month"]
Standing = Literal["active", "replaced", "expired", "revoked"]


@attrs.frozen(kw_only=True)
class Organization:
    """A tenant."""

    id: str
    name: str
    created_us: int


@attrs.frozen(kw_only=True)
class Rates:
    """A key's own limits, instead of the gateway's; None: the gateway's."""

    events_per_second: int | None = None
    bytes_per_second: int | None = None
    requests_per_second: int | None = None


@attrs.frozen(kw_only=True)
class Wanted:
    """What a new key shall be. Times are microseconds since 1970; None: never.

    ``services`` and ``environments``: what it may send for and read (empty: all).

    Raises:
        ValueError: no right, or the right `admin` together with a scope.
    """

    name: str
    rights: frozenset[Right]
    services: frozenset[str] = frozenset()
    environments: frozenset[str] = frozenset()
    expires_us: int | None = None
    rotate_us: int | None = None
    rates: Rates = Rates()

    def __attrs_post_init__(self) -> None:
        if not self.rights:
            raise ValueError(f"a key needs a right: {', '.join(RIGHTS)}")
        if "admin" in self.rights and (self.services or self.environments):
            raise ValueError(
                "a key with the right `admin` is for its whole organization: make one without services and environments"
            )


@attrs.frozen(kw_only=True)
class Key:
    """A key as it is kept: the hash of it, never itself."""

    id: str
    organization_id: str
    hash: bytes = attrs.field(repr=False)
    wanted: Wanted
    created_us: int
    revoked_us: int | None = None
    last_used_us: int | None = None
    replaced_by: str | None = None
    """The id of the key that it was rotated to; this one holds until `Wanted.expires_us`."""

    @property
    def prefix(self) -> str:
        """What it is recognized by."""
        return token.prefix(self.id)

    def standing(self, now_us: int) -> Standing:
        """How it stands. Only `active` and `replaced` (rotated, and not yet expired) are good for anything."""
        if self.revoked_us is not None:
            return "revoked"
        if self.wanted.expires_us is not None and self.wanted.expires_us <= now_us:
            return "expired"
        return "active" if self.replaced_by is None else "replaced"

    def is_due(self, now_us: int) -> bool:
        """It should have been rotated by now."""
        due = self.wanted.rotate_us
        return due is not None and due <= now_us and self.standing(now_us) == "active"

    def caller(self) -> Caller:
        """Who has this key."""
        scope = QueryScope(
            organization_id=self.organization_id,
            services=self.wanted.services,
            environments=self.wanted.environments,
        )
        return Caller(key_id=self.id, prefix=self.prefix, rights=self.wanted.rights, scope=scope)


@attrs.frozen(kw_only=True)
class Service:
    """A service in an environment that an organization's events came from."""

    service_name: str
    environment: str
    first_seen_us: int
    last_seen_us: int


@attrs.frozen(kw_only=True)
class Quota:
    """How much of a type of event an organization may bring in a day or a month (UTC). None: any amount."""

    event_type: EventType
    period: Period
    events: int | None = None
    bytes: int | None = None


@attrs.frozen(kw_only=True)
class Used:
    """What a key brought in on a day; also an increment of that."""

    organization_id: str
    key_id: str
    day: str
    """``2026-12-01``, UTC."""
    event_type: str
    events: int
    bytes: int


def rights_of(names: Iterable[str]) -> frozenset[Right]:
    """Rights by name.

    Raises:
        ValueError: something that is no right.
    """
    wanted = list(names)
    for name in wanted:
        if name not in RIGHTS:
            raise ValueError(f"no right {name!r}: there are {', '.join(RIGHTS)}")
    return frozenset(right for right in RIGHTS if right in wanted)
