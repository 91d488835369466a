"""Keys, quotas and usage over HTTP: for keys with the right `admin`, each within its own organization."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta

from yaat_plugin_gateway.access import views
from yaat_plugin_gateway.access.gate import Gate
from yaat_plugin_gateway.access.views import (
    KeyId,
    KeyInfo,
    KeyOrder,
    NewKey,
    OrganizationInfo,
    QuotaInfo,
    UsageInfo,
)
from yaat_plugin_gateway.state.keys import UnknownKey
from yaat_plugin_gateway.state.records import EventType, Period, Quota
from yaat_plugin_gateway.web.endpoint import Call, Endpoint
from yaat_plugin_gateway.web.refusal import Refused

log = logging.getLogger("yaat.gateway")

R = TypeVar("R")

#: Days of usage that one request may ask for.
_DAYS: Final = 400


class KeyList(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which keys: ``limit`` of those behind ``after``."""

    after: Annotated[str, Meta(max_length=100, description="The id of the last key of the page before.")] = ""
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 100


class KeyPage(msgspec.Struct, kw_only=True):
    """Keys by id. ``next`` is the ``after`` of the next page; null: there is none."""

    keys: list[KeyInfo]
    next: str | None


class OneKey(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A key."""

    id: KeyId


class Rotation(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How to rotate a key: both are good for ``overlap``."""

    id: KeyId
    overlap: views.Span = "24h"
    expires_in: views.Span | None = None


class Rename(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An organization's new name."""

    id: views.OrganizationId
    name: views.Name


class UsageAsked(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Of how many days, today included."""

    days: Annotated[int, Meta(ge=1, le=_DAYS)] = 30


class UsageAnswer(msgspec.Struct, kw_only=True):
    """By day, key and type; counts of the last second may be missing."""

    usage: list[UsageInfo]


class NoArguments(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Nothing."""


class QuotaOrder(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A quota; what is not given is not limited, and one without any limit is taken away."""

    event_type: EventType
    period: Period
    events: views.Amount | None = None
    bytes: views.Amount | None = None


class QuotaList(msgspec.Struct, kw_only=True):
    """The organization's quotas."""

    quotas: list[QuotaInfo]


def endpoints(gate: Gate) -> list[Endpoint[Any]]:
    """All of them."""
    desk = _Desk(gate)
    unknown = {404: "No key of the organization has this id."}
    return [
        Endpoint(method="GET", path="/v1/keys", summary="The organization's keys, but for their texts.",
                 right="admin", arguments=KeyList, result=KeyPage, handler=desk.keys),
        Endpoint(method="POST", path="/v1/keys", summary="Make a key. Its text is in this answer, and nowhere else.",
                 right="admin", arguments=KeyOrder, result=NewKey, handler=desk.create, status=201),
        Endpoint(method="GET", path="/v1/keys/{id}", summary="A key, but for its text.",
                 right="admin", arguments=OneKey, result=KeyInfo, handler=desk.key, refusals=unknown),
        Endpoint(method="DELETE", path="/v1/keys/{id}", summary="Revoke a key: at once, and for good.",
                 right="admin", arguments=OneKey, result=KeyInfo, handler=desk.revoke, refusals=unknown),
        Endpoint(method="POST", path="/v1/keys/{id}/rotate", summary="Make a key in place of one; both are good for a while.",
                 right="admin", arguments=Rotation, result=NewKey, handler=desk.rotate, status=201, refusals=unknown),
        Endpoint(method="PATCH", path="/v1/organizations/{id}", summary="Give the organization another name.",
                 right="admin", arguments=Rename, result=OrganizationInfo, handler=desk.rename,
                 refusals={404: "The key is for another organization."}),
        Endpoint(method="GET", path="/v1/usage", summary="What each key brought in, by day and type.",
                 right="admin", arguments=UsageAsked, result=UsageAnswer, handler=desk.usage),
        Endpoint(method="GET", path="/v1/quotas", summary="The organization's quotas.",
                 right="admin", arguments=NoArguments, result=QuotaList, handler=desk.quotas),
        Endpoint(method="PUT", path="/v1/quotas", summary="Set a quota, or take it away.",
                 right="admin", arguments=QuotaOrder, result=QuotaList, handler=desk.set_quota),
    ]  # fmt: skip


class _Desk:
    """The handlers. Every question to the state names the caller's organization."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._state = gate.state

    async def keys(self, call: Call[KeyList]) -> KeyPage:
        given = call.arguments
        found = await self._state.ask(self._page, _mine(call), given.after, given.limit + 1)
        page, now_us = found[: given.limit], self._now_us()
        more = len(found) > given.limit
        return KeyPage(keys=[views.key_info(key, now_us) for key in page], next=page[-1].id if more else None)

    async def create(self, call: Call[KeyOrder]) -> NewKey:
        now_us = self._now_us()
        wanted = call.arguments.wanted(now_us)
        key, fresh = await self._state.ask(self._state.keys.create, _mine(call), wanted, now_us)
        self._gate.keyring.replace(key)
        self._done(call, f"made the key {key.prefix}")
        return views.new_key(key, fresh.token, now_us)

    async def key(self, call: Call[OneKey]) -> KeyInfo:
        key = await self._asked(self._state.keys.one, _mine(call), _id(call.arguments.id))
        return views.key_info(key, self._now_us())

    async def revoke(self, call: Call[OneKey]) -> KeyInfo:
        now_us = self._now_us()
        key = await self._asked(self._state.keys.revoke, _mine(call), _id(call.arguments.id), now_us)
        self._gate.keyring.replace(key)
        self._done(call, f"revoked the key {key.prefix}")
        return views.key_info(key, now_us)

    async def rotate(self, call: Call[Rotation]) -> NewKey:
        given, now_us, keys = call.arguments, self._now_us(), self._state.keys
        old = await self._asked(keys.one, _mine(call), _id(given.id))
        wanted = views.successor(old, now_us, given.expires_in)
        until = views.later(now_us, given.overlap)
        key, fresh = await self._asked(keys.rotate, _mine(call), old.id, wanted, until, now_us)
        old = await self._asked(keys.one, _mine(call), old.id)
        for changed in (old, key):
            self._gate.keyring.replace(changed)
        self._done(call, f"rotated the key {old.prefix} to {key.prefix}")
        return views.new_key(key, fresh.token, now_us, replaces=old)

    async def rename(self, call: Call[Rename]) -> OrganizationInfo:
        if call.arguments.id != _mine(call):
            raise Refused(
                404,
                "not_found",
                "the key is for another organization",
                fix="GET /v1/organizations tells which",
            )
        organizations = self._state.organizations
        found = await self._state.ask(organizations.rename, call.arguments.id, call.arguments.name)
        self._done(call, "renamed its organization")
        return views.organization_info(found)

    async def usage(self, call: Call[UsageAsked]) -> UsageAnswer:
        today = datetime.datetime.fromtimestamp(self._gate.wall(), datetime.UTC).date()
        first = today - datetime.timedelta(days=call.arguments.days - 1)
        between = self._state.usage.between
        found = await self._state.ask(between, _mine(call), first.isoformat(), today.isoformat())
        return UsageAnswer(usage=[views.usage_info(one) for one in found])

    async def quotas(self, call: Call[NoArguments]) -> QuotaList:
        return await self._quotas(_mine(call))

    async def set_quota(self, call: Call[QuotaOrder]) -> QuotaList:
        given = call.arguments
        quota = Quota(
            event_type=given.event_type, period=given.period, events=given.events, bytes=given.bytes
        )
        await self._state.ask(self._state.usage.set_quota, _mine(call), quota)
        self._done(call, f"set the quota of {quota.event_type} events a {quota.period}")
        return await self._quotas(_mine(call))

    async def _quotas(self, organization_id: str) -> QuotaList:
        found = await self._state.ask(self._state.usage.quotas, organization_id)
        return QuotaList(quotas=[views.quota_info(one) for one in found])

    def _page(self, organization_id: str, after: str, limit: int) -> Any:
        return self._state.keys.all(organization_id, after=after, limit=limit)

    async def _asked(self, question: Callable[..., R], *arguments: Any) -> R:
        try:
            return await self._state.ask(question, *arguments)
        except UnknownKey as error:
            raise Refused(404, "not_found", error.what, fix="GET /v1/keys lists them") from None

    def _done(self, call: Call[Any], what: str) -> None:
        """Changes hold for the next request, and stand in the log with who made them."""
        self._gate.watch.expire()
        log.info("%s (of %s) %s", call.caller.prefix, _mine(call), what)

    def _now_us(self) -> int:
        return int(self._gate.wall() * 1e6)


def _mine(call: Call[Any]) -> str:
    return call.caller.scope.organization_id


def _id(text: str) -> str:
    return views.key_id(text)
