"""GET /v1/organizations and GET /v1/services: what a key belongs to and may see, for the onboarding of agents."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from yaat_core.components import QueryScope
from yaat_core.errors import QueryTimeout
from yaat_plugin_gateway.access.caller import Right
from yaat_plugin_gateway.asking.queries import refused_query
from yaat_plugin_gateway.asking.seats import Seats
from yaat_plugin_gateway.asking.store import EventStore
from yaat_plugin_gateway.state.store import State
from yaat_plugin_gateway.web.endpoint import Call, Endpoint

_MOST_SERVICES: Final = 10_000
_SECONDS: Final = 30.0
_BEGIN: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


class OrganizationTold(msgspec.Struct):
    """An organization."""

    id: str
    name: str
    created_at: datetime.datetime


class KeyTold(msgspec.Struct):
    """The key that asked."""

    prefix: Annotated[str, Meta(description="What it is recognized by.")]
    rights: list[Right]
    services: Annotated[list[str], Meta(description="The only services that it is for; none: all.")]
    environments: Annotated[list[str], Meta(description="The only environments that it is for; none: all.")]


class OrganizationList(msgspec.Struct):
    """The organizations of a key: its own."""

    organizations: list[OrganizationTold]
    key: KeyTold


class EnvironmentTold(msgspec.Struct):
    """What was received of a service in an environment."""

    name: str
    first_seen: datetime.datetime
    last_seen: datetime.datetime
    events: Annotated[int, Meta(description="Events that are stored now.")]


class ServiceTold(msgspec.Struct):
    """A service."""

    name: str
    last_seen: datetime.datetime
    events: int
    environments: list[EnvironmentTold]


class ServiceList(msgspec.Struct):
    """The services that a key may see, by name."""

    services: list[ServiceTold]


class Listing:
    """Lists, each within the scope of the key."""

    def __init__(self, store: EventStore, state: State, seats: Seats) -> None:
        self._store = store
        self._state = state
        self._seats = seats

    def endpoints(self) -> list[Endpoint[Any]]:
        """Both of them."""
        return [
            Endpoint(
                method="GET",
                path="/v1/organizations",
                summary="The organization that the key belongs to, and what the key is for.",
                right=None,
                arguments=Nothing,
                result=OrganizationList,
                handler=self._organizations,
            ),
            Endpoint(
                method="GET",
                path="/v1/services",
                summary="Services that events came from, with their environments.",
                right="read",
                arguments=Nothing,
                result=ServiceList,
                handler=self._services,
                refusals={422: "Counting took too long."},
            ),
        ]

    async def _organizations(self, call: Call[Nothing]) -> OrganizationList:
        caller = call.caller
        own = await self._state.ask(self._state.organizations.one, caller.scope.organization_id, give_up=True)
        return OrganizationList(
            organizations=[OrganizationTold(id=own.id, name=own.name, created_at=_time(own.created_us))],
            key=KeyTold(
                prefix=caller.prefix,
                rights=sorted(caller.rights),
                services=sorted(caller.scope.services),
                environments=sorted(caller.scope.environments),
            ),
        )

    async def _services(self, call: Call[Nothing]) -> ServiceList:
        with self._seats.one(call.caller):
            try:
                found = await self._found(call.caller.scope)
            except QueryTimeout as error:
                raise refused_query(error) from None
        by_name: dict[str, list[EnvironmentTold]] = {}
        for (name, environment), (first, last, events) in sorted(found.items()):
            told = EnvironmentTold(environment, _time(first), _time(last), events)
            by_name.setdefault(name, []).append(told)
        return ServiceList(services=[_service(name, told) for name, told in by_name.items()])

    async def _found(self, scope: QueryScope) -> dict[tuple[str, str], tuple[int, int, int]]:
        """By service and environment: first seen, last seen, events. What was seen is known for longer than what is stored."""
        found = {
            (one.service_name, one.environment): (one.first_seen_us, one.last_seen_us, 0)
            for one in await self._state.ask(self._state.organizations.services, scope, give_up=True)
        }
        for one in await self._store.services(scope, rows=_MOST_SERVICES, seconds=_SECONDS):
            first, last, _ = found.get(
                (one.service_name, one.environment), (one.first_seen_us, one.last_seen_us, 0)
            )
            found[one.service_name, one.environment] = (
                min(first, one.first_seen_us),
                max(last, one.last_seen_us),
                one.events,
            )
        return found


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """No arguments."""


def _service(name: str, environments: list[EnvironmentTold]) -> ServiceTold:
    return ServiceTold(
        name=name,
        last_seen=max(one.last_seen for one in environments),
        events=sum(one.events for one in environments),
        environments=environments,
    )


def _time(microseconds: int) -> datetime.datetime:
    return _BEGIN + datetime.timedelta(microseconds=microseconds)
