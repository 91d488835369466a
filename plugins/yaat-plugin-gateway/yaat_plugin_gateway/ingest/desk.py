"""POST /v1/ingest: what happens to one request, from its headers to its answer."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import product
from typing import Any, Final

import attrs
import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import trio
from starlette.requests import Request
from starlette.responses import Response

from yaat_core.components import Context, Finding, QueryScope
from yaat_core.event import EventBatch, Labels
from yaat_kit.bodies import BodyLimits, BodyRefused, Memory, bounded_body
from yaat_plugin_gateway.access.caller import Admission, Caller
from yaat_plugin_gateway.config import GatewayConfig
from yaat_plugin_gateway.ingest import headers
from yaat_plugin_gateway.ingest.claims import Claims, Taken
from yaat_plugin_gateway.ingest.decoding import Decoded, decode
from yaat_plugin_gateway.ingest.listing import Listing, listed
from yaat_plugin_gateway.ingest.payloads import Payloads
from yaat_plugin_gateway.ingest.queue_claims import too_full
from yaat_plugin_gateway.ingest.shape import WireBatch
from yaat_plugin_gateway.parts import Parts
from yaat_plugin_gateway.web.endpoint import Call, Endpoint
from yaat_plugin_gateway.web.refusal import Refused

#: Bodies up to this size are decoded at once; larger ones in a thread, one at a time.
_AT_ONCE: Final = 256 * 1024
#: Bad events, and events out of scope, that are named in an answer of status 403.
_NAMED: Final = 100
#: Seconds for which a refusal for reasons of our own shows in health.
_LATELY: Final = 60.0
_RELAYED: Final = Labels(relayed=True)


class Accepted(msgspec.Struct):
    """What became of a request's events."""

    accepted: int
    """Events that are in: durable, and not lost any more."""
    duplicates: int = 0
    """How many of those were in before, so that they were not taken again."""
    errors: list[dict[str, Any]] = []
    """With ``Prefer: handling=lenient``: the events that were not taken, as ``{index, field, problem, got}``."""


@attrs.frozen
class _Load:
    """What a batch counts for."""

    kinds: Mapping[str, int]
    size: int
    origins: Collection[tuple[str, str]]
    bad: int


class Desk:
    """Where batches are handed in."""

    def __init__(
        self, config: GatewayConfig, context: Context, parts: Parts, claims: Claims, payloads: Payloads
    ) -> None:
        self._config = config
        self._limits = parts.limits
        self._seen = parts.seen
        self._claims = claims
        self._payloads = payloads
        self._memory = Memory(config.max_memory)
        self._body = BodyLimits(
            wire=config.max_body, inflated=config.max_inflated, seconds=float(config.body_timeout)
        )
        self._requests = 0
        self._decoding = trio.CapacityLimiter(1)
        self._lately: deque[float] = deque(maxlen=10_000)
        self._stats = context.stats

    def endpoint(self) -> Endpoint[None]:
        """Its route and its place in the OpenAPI document."""
        return Endpoint(
            method="POST",
            path="/v1/ingest",
            summary="Hand in a batch of events.",
            right="ingest",
            arguments=None,
            result=Accepted,
            handler=self.take,
            body=WireBatch,
            refusals={
                408: "The body came too slowly.",
                413: "Too many bytes or events.",
                415: "Another media type or packing than is known.",
                422: "Events are bad; `errors` says which, and why. Nothing was taken.",
            },
        )

    def problems(self) -> Sequence[Finding]:
        """Refusals of the last minute that were no fault of the sender."""
        now = trio.current_time()
        while self._lately and self._lately[0] < now - _LATELY:
            self._lately.popleft()
        if not self._lately:
            return ()
        return [
            Finding(
                problem="senders are refused for a moment (503), since more comes than goes on",
                advice="see `yaat status` for what does not keep up; they repeat what was refused",
                level="warn",
            )
        ]

    async def take(self, call: Call[None]) -> Response:
        """One request.

        Raises:
            Refused: why it is not granted.
        """
        try:
            with self._one_more():
                return await self._take(call)
        except Refused as refused:
            self._count("yaat_gateway_refused_requests_total", "Requests refused.", 1, reason=refused.code)
            if refused.status == 503:
                self._lately.append(trio.current_time())
            raise

    async def _take(self, call: Call[None]) -> Response:
        asked = headers.read(call.request)
        if asked.replay and "admin" not in call.caller.rights:
            raise Refused(403, "forbidden", "only a key with the right `admin` may have events taken again")
        organization = call.caller.scope.organization_id
        with self._memory.share() as share:
            try:
                body = await bounded_body(
                    _pieces(call.request),
                    coding=asked.coding,
                    limits=self._body,
                    share=share,
                    announced=asked.length,
                )
            except BodyRefused as refused:
                raise _refused_body(refused) from None
            decoded = await self._decoded(body, organization)
            bad = self._checked(decoded, call.caller.scope, lenient=asked.lenient)
            batch = decoded.batch.with_labels(_RELAYED)
            load = _Load(_kinds(batch), len(body), _origins(batch), len(decoded.bad))
            async with self._claims.turn(organization, asked.batch_id) as turn:
                if turn.before is not None:
                    self._count("yaat_gateway_repeated_batches_total", "Batches that were in before.", 1)
                    return _answer(turn.before, bad, Admission())
                admission = await self._limits.admit(call.caller, load.kinds, load.size)
                settled = partial(self._settled, call.caller, load)
                taken = await turn.take(batch, settled, again=asked.replay)
            if not asked.replay:
                await self._payloads.keep(organization, body)
        return _answer(taken, bad, admission)

    async def _decoded(self, body: bytes, organization: str) -> Decoded:
        work = partial(decode, body, organization, time.time_ns() // 1_000, self._config.max_events)
        if len(body) <= _AT_ONCE:
            return work()
        return await trio.to_thread.run_sync(work, limiter=self._decoding)

    def _checked(self, decoded: Decoded, scope: QueryScope, *, lenient: bool) -> Listing:
        """Refuse what the key may not send, and bad events unless good ones beside them may be taken and all can be named."""
        _check_scope(decoded, scope)
        bad = listed(decoded.bad)
        if decoded.bad and (not lenient or not len(decoded.batch) or bad.left_out):
            raise Refused(
                422,
                "invalid_events",
                f"{len(decoded.bad)} of {decoded.events} events are bad; nothing was taken",
                fix="leave them out, or send `Prefer: handling=lenient` to have the others taken",
                errors=bad.entries,
                more={"errors_left_out": bad.left_out} if bad.left_out else {},
            )
        return bad

    def _settled(self, caller: Caller, load: _Load, taken: Taken) -> None:
        self._limits.used(caller, load.kinds, load.size)
        self._seen(caller.scope.organization_id, load.origins)
        self._count("yaat_gateway_batches_total", "Batches taken.", 1)
        self._count(
            "yaat_gateway_bad_events_total", "Bad events beside which good ones were taken.", load.bad
        )
        self._count(
            "yaat_gateway_duplicate_events_total",
            "Events not taken since they were in before.",
            taken.duplicates,
        )

    @contextmanager
    def _one_more(self) -> Iterator[None]:
        if self._requests >= self._config.max_requests:
            raise too_full(f"{self._requests} requests are being served, which is the most at one time")
        self._requests += 1
        try:
            yield
        finally:
            self._requests -= 1

    def _count(self, name: str, help: str, amount: int, **labels: str) -> None:
        self._stats.counter(name, help, **labels).add(amount)


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    async for piece in request.stream():
        yield piece


def _refused_body(refused: BodyRefused) -> Refused:
    if refused.trouble == "no_memory":
        return too_full(refused.problem)
    fix = {
        "too_large": "send fewer events at once",
        "unknown_coding": "pack it with gzip or zstd, or not at all",
        "damaged": "send the whole body, packed as Content-Encoding says",
        "too_slow": "send fewer events at once, or over a faster connection",
    }[refused.trouble]
    more = {"Accept-Encoding": "gzip, zstd, identity"} if refused.trouble == "unknown_coding" else {}
    code = "malformed" if refused.trouble == "damaged" else refused.trouble
    return Refused(refused.status, code, refused.problem, fix=fix, headers=more)


def _check_scope(decoded: Decoded, scope: QueryScope) -> None:
    batch = decoded.batch
    outside = []
    for field, allowed in (("service_name", scope.services), ("environment", scope.environments)):
        if allowed and len(batch):
            column = batch.column(field)
            missing = pc.invert(pc.is_in(column, value_set=pa.array(sorted(allowed), pa.string())))
            outside += [(name, field) for name in pc.unique(column.filter(missing)).to_pylist()]
    if outside:
        raise Refused(
            403,
            "out_of_scope",
            "the key may not send for "
            + ", ".join(f"{field} {name[:100]!r}" for name, field in outside[:_NAMED]),
            fix="use a key with that scope: yaat gateway keys",
        )


def _kinds(batch: EventBatch) -> dict[str, int]:
    """How many events of each type."""
    counts = pc.value_counts(batch.column("event_type")).to_pylist()
    return {one["values"]: one["counts"] for one in counts}


def _origins(batch: EventBatch) -> set[tuple[str, str]]:
    """Which services in which environments its events are from."""
    services, environments = (batch.column(name) for name in ("service_name", "environment"))
    few = [pc.unique(column).to_pylist() for column in (services, environments)]
    if min(map(len, few)) <= 1:
        return set(product(*few))
    return set(zip(services.to_pylist(), environments.to_pylist(), strict=True))


def _answer(taken: Taken, bad: Listing, admission: Admission) -> Response:
    answer = Accepted(taken.accepted, taken.duplicates, list(bad.entries))
    more = {"Preference-Applied": "handling=lenient"} if bad.entries else {}
    return Response(
        msgspec.json.encode(answer),
        headers={**admission.headers, **more, "cache-control": "no-store"},
        media_type="application/json",
    )
