"""Keys, organizations, quotas and usage as they are told and ordered: over HTTP and by the commands, with one shape."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from yaat_core import Duration
from yaat_core.errors import UsageError
from yaat_plugin_gateway.access import token
from yaat_plugin_gateway.access.caller import Right
from yaat_plugin_gateway.state.records import (
    EventType,
    Key,
    Organization,
    Period,
    Quota,
    Rates,
    Standing,
    Used,
    Wanted,
)

_SIGN: Final = r"[^\s\u0000-\u001f\u007f-\u009f\ud800-\udfff]"
_TEXT: Final = rf"^{_SIGN}(?:[^\u0000-\u001f\u007f-\u009f\ud800-\udfff]*{_SIGN})?$(?![\s\S])"
Name = Annotated[
    str,
    Meta(
        min_length=1, max_length=200, pattern=_TEXT, description="No control characters, no spaces around it."
    ),
]
Names = Annotated[list[Name], Meta(max_length=100)]
OrganizationId = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?$(?![\s\S])",
        description="Small letters, digits, - and _.",
    ),
]
KeyId = Annotated[
    str, Meta(min_length=1, max_length=100, description="`yaat_k3q7m2xw4p`, or without `yaat_`.")
]
Span = Annotated[
    str,
    Meta(
        max_length=40,
        pattern=r"^(?:[0-9]{1,9}(?:\.[0-9]{1,6})?(?:us|ms|s|m|h|d|w))+$(?![\s\S])",
        description="A duration with its unit: `24h`, `90d`.",
    ),
]
Amount = Annotated[int, Meta(ge=0, le=2**62)]
Rate = Annotated[int, Meta(ge=1, le=2**53)]

#: Longest time that a key may be ordered for.
_LONGEST: Final = 3650 * 86_400.0


class KeyInfo(msgspec.Struct, kw_only=True):
    """A key, but for its text. Times are RFC 3339, UTC; null: never."""

    id: str
    prefix: str
    organization_id: str
    name: str
    rights: list[Right]
    services: list[str]
    environments: list[str]
    standing: Standing
    due_for_rotation: bool
    created_at: str
    expires_at: str | None
    rotate_at: str | None
    revoked_at: str | None
    last_used_at: str | None
    replaced_by: str | None
    events_per_second: int | None
    bytes_per_second: int | None
    requests_per_second: int | None


class NewKey(KeyInfo, kw_only=True):
    """A key that was just made."""

    key: Annotated[str, Meta(description="The key itself. It is shown this once, and kept nowhere.")]
    replaces: KeyInfo | None = None
    """The key that it was rotated from."""


class KeyOrder(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a new key shall be."""

    name: Name
    rights: Annotated[list[Right], Meta(min_length=1, max_length=3)] = msgspec.field(
        default_factory=lambda: ["ingest"]
    )
    services: Names = []
    environments: Names = []
    expires_in: Span | None = None
    rotate_after: Span | None = "90d"
    events_per_second: Rate | None = None
    bytes_per_second: Rate | None = None
    requests_per_second: Rate | None = None

    def wanted(self, now_us: int) -> Wanted:
        """The same for the state.

        Raises:
            UsageError: values that don't go together.
        """
        try:
            return Wanted(
                name=self.name,
                rights=frozenset(self.rights),
                services=frozenset(self.services),
                environments=frozenset(self.environments),
                expires_us=later(now_us, self.expires_in),
                rotate_us=later(now_us, self.rotate_after),
                rates=Rates(
                    events_per_second=self.events_per_second,
                    bytes_per_second=self.bytes_per_second,
                    requests_per_second=self.requests_per_second,
                ),
            )
        except ValueError as error:
            raise UsageError(str(error), fix="leave the scope out, or the right `admin`") from None


class OrganizationInfo(msgspec.Struct, kw_only=True):
    """An organization."""

    id: str
    name: str
    created_at: str


class OrganizationOrder(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A new organization."""

    id: OrganizationId
    name: Name


class QuotaInfo(msgspec.Struct, kw_only=True):
    """A quota; null: any amount. Days and months are those of UTC."""

    event_type: EventType
    period: Period
    events: int | None
    bytes: int | None


class UsageInfo(msgspec.Struct, kw_only=True):
    """What a key brought in on a day."""

    day: str
    key_id: str
    event_type: Literal["log", "span", "metric"] | str
    events: int
    bytes: int


def key_info(key: Key, now_us: int) -> KeyInfo:
    """A key for the other side."""
    return KeyInfo(**_facts(key, now_us))


def new_key(key: Key, text: str, now_us: int, replaces: Key | None = None) -> NewKey:
    """A key that was just made, with its text."""
    return NewKey(
        **_facts(key, now_us), key=text, replaces=None if replaces is None else key_info(replaces, now_us)
    )


def organization_info(one: Organization) -> OrganizationInfo:
    """An organization for the other side."""
    return OrganizationInfo(id=one.id, name=one.name, created_at=moment(one.created_us))


def quota_info(one: Quota) -> QuotaInfo:
    """A quota for the other side."""
    return QuotaInfo(event_type=one.event_type, period=one.period, events=one.events, bytes=one.bytes)


def usage_info(one: Used) -> UsageInfo:
    """Usage for the other side."""
    return UsageInfo(
        day=one.day, key_id=one.key_id, event_type=one.event_type, events=one.events, bytes=one.bytes
    )


def successor(old: Key, now_us: int, expires_in: str | None) -> Wanted:
    """What a key is rotated to: the same, for as long from now on as the old one was made for, or ``expires_in``."""
    import attrs

    def shifted(until_us: int | None) -> int | None:
        return None if until_us is None else now_us + until_us - old.created_us

    expires = later(now_us, expires_in) if expires_in else shifted(old.wanted.expires_us)
    return attrs.evolve(old.wanted, expires_us=expires, rotate_us=shifted(old.wanted.rotate_us))


def later(now_us: int, span: str | None) -> int | None:
    """A moment, so long from now.

    Raises:
        UsageError: no duration, or more than ten years.
    """
    if span is None:
        return None
    try:
        seconds = Duration.parse(span)
    except ValueError as error:
        raise UsageError(str(error), fix="write a number with its unit, such as 90d") from None
    if seconds > _LONGEST:
        raise UsageError(f"{span} is longer than 3650d", fix="write a shorter time")
    return now_us + int(seconds * 1e6)


def key_id(text: str) -> str:
    """The id in what a person wrote for a key.

    Raises:
        UsageError: it can't be one.
    """
    found = token.named(text)
    if found is None:
        raise UsageError(
            f"{text[:40]!r} is no key's id",
            fix="write it as `yaat gateway keys list` shows it: yaat_ and ten letters or digits",
        )
    return found


def moment(us: int) -> str:
    """RFC 3339, UTC, to the second."""
    return datetime.datetime.fromtimestamp(us // 1_000_000, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _maybe(us: int | None) -> str | None:
    return None if us is None else moment(us)


def _facts(key: Key, now_us: int) -> dict[str, Any]:
    wanted = key.wanted
    return {
        "id": key.id,
        "prefix": key.prefix,
        "organization_id": key.organization_id,
        "name": wanted.name,
        "rights": sorted(wanted.rights),
        "services": sorted(wanted.services),
        "environments": sorted(wanted.environments),
        "standing": key.standing(now_us),
        "due_for_rotation": key.is_due(now_us),
        "created_at": moment(key.created_us),
        "expires_at": _maybe(wanted.expires_us),
        "rotate_at": _maybe(wanted.rotate_us),
        "revoked_at": _maybe(key.revoked_us),
        "last_used_at": _maybe(key.last_used_us),
        "replaced_by": key.replaced_by,
        "events_per_second": wanted.rates.events_per_second,
        "bytes_per_second": wanted.rates.bytes_per_second,
        "requests_per_second": wanted.rates.requests_per_second,
    }
