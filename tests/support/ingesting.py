"""A gateway source in this process, on a real socket, with keys that are written into the test."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
import trio

from yaat_core.components import Outlet, QueryScope
from yaat_core.event import Event
from yaat_core.stats import Stats
from yaat_core.testing import RecordingOutlet, make_context
from yaat_plugin_gateway.access.caller import Admission, Caller
from yaat_plugin_gateway.config import GatewayConfig
from yaat_plugin_gateway.parts import Parts
from yaat_plugin_gateway.source import GatewaySource
from yaat_plugin_gateway.web.refusal import Refused

#: Seconds that anything may take on a busy machine.
PATIENCE = 60

KEY = "key-of-acme"
KEYS: dict[str, Caller] = {
    KEY: Caller(
        key_id="1",
        prefix="key",
        rights=frozenset({"ingest", "read"}),
        scope=QueryScope(organization_id="acme"),
    ),
    "key-of-rival": Caller(
        key_id="2", prefix="key", rights=frozenset({"ingest"}), scope=QueryScope(organization_id="rival")
    ),
    "key-for-shop": Caller(
        key_id="3",
        prefix="key",
        rights=frozenset({"ingest"}),
        scope=QueryScope(
            organization_id="acme", services=frozenset({"shop"}), environments=frozenset({"production"})
        ),
    ),
    "key-to-read": Caller(
        key_id="4", prefix="key", rights=frozenset({"read"}), scope=QueryScope(organization_id="acme")
    ),
}


class FixedAccess:
    """The keys above."""

    async def caller(self, token: str | None, address: str = "") -> Caller:
        if token not in KEYS:
            raise Refused(401, "unauthorized", "no such key")
        return KEYS[token]


@attrs.define(slots=False)
class CountingLimits:
    """Notes what it is asked and told; refuses while ``closed``."""

    closed: bool = False
    admitted: list[tuple[Mapping[str, int], int]] = attrs.field(factory=list)
    taken: list[tuple[Mapping[str, int], int]] = attrs.field(factory=list)
    origins: set[tuple[str, ...]] = attrs.field(factory=set)

    async def admit(self, caller: Caller, events: Mapping[str, int], size: int) -> Admission:
        if self.closed:
            raise Refused(429, "rate_limited", "too fast", headers={"Retry-After": "7"})
        self.admitted.append((events, size))
        return Admission(headers={"RateLimit-Remaining": "5"})

    def used(self, caller: Caller, events: Mapping[str, int], size: int) -> None:
        self.taken.append((events, size))

    def seen(self, organization: str, pairs: Iterable[tuple[str, str]]) -> None:
        self.origins |= {(organization, *pair) for pair in pairs}


@attrs.define(eq=False)
class Gateway:
    """One that runs."""

    source: GatewaySource
    outlet: RecordingOutlet
    client: httpx.AsyncClient
    limits: CountingLimits
    stats: Stats

    async def post(
        self, events: object, *, key: str | None = KEY, content: bytes | None = None, **headers: str
    ) -> httpx.Response:
        """POST /v1/ingest; keyword ``batch_id`` is the header Batch-Id and so on."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            named["authorization"] = f"Bearer {key}"
        body = content if content is not None else json.dumps({"events": events}).encode()
        return await self.client.post(
            "/v1/ingest", content=body, headers={"content-type": "application/json", **named}
        )

    def events(self) -> list[Event]:
        return list(self.outlet.events())

    def messages(self) -> list[str]:
        return [event.message or "" for event in self.events()]

    def counted(self, name: str) -> float:
        return sum(one.value for one in self.stats.snapshot() if one.name == name)

    @property
    def port(self) -> int:
        assert self.source.listening
        return self.source.listening.port

    async def until(self, condition: Callable[[], object]) -> None:
        with trio.fail_after(PATIENCE):
            while not condition():
                await trio.sleep(0.01)


def event(message: str = "hello", **fields: Any) -> dict[str, Any]:
    """One as a program writes it."""
    return {"service_name": "shop", "event_id": str(uuid.uuid4()), "message": message, **fields}


def make_source(folder: Path, limits: CountingLimits, stats: Stats, **options: Any) -> GatewaySource:
    @asynccontextmanager
    async def parts(*_: object) -> AsyncIterator[Parts]:
        yield Parts(access=FixedAccess(), limits=limits, seen=limits.seen)

    config = GatewayConfig(**{"listen": "tcp://127.0.0.1:0", **options})
    return GatewaySource(config, make_context(folder, "sources.ingest", stats=stats), parts)


@asynccontextmanager
async def gateway(
    folder: Path, outlet: Outlet | None = None, *, verify: Any = True, **options: Any
) -> AsyncIterator[Gateway]:
    """A source in this process; cancelled at the end, as SIGTERM does."""
    stats, limits = Stats(), CountingLimits()
    source = make_source(folder, limits, stats, **options)
    kept: Any = outlet or RecordingOutlet()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(source.run, kept)
        with trio.fail_after(PATIENCE):
            while source.listening is None:
                await trio.sleep(0.01)
        scheme = "https" if "tls_certificate" in options else "http"
        base = (
            f"{scheme}://localhost:{source.listening.port}"
            if verify is not True
            else (f"{scheme}://127.0.0.1:{source.listening.port}")
        )
        async with httpx.AsyncClient(base_url=base, timeout=PATIENCE, verify=verify) as client:
            yield Gateway(source, kept, client, limits, stats)
        nursery.cancel_scope.cancel()
