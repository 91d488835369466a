"""Claims as checkpoints of the source: written in the same queue write as the events that they are about.

    b HASH  a batch: when, how many events it brought, how many of those were in before
    i HASH  the identities of its events: when, the organization, 16 bytes each

``HASH`` is of organization and `Batch-Id`, and random where there is no `Batch-Id`. What is too old, or too much, is deleted
by later writes.
"""

from __future__ import annotations

import hashlib
import os
import struct
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from itertools import islice
from typing import Final

import attrs
import trio

from yaat_core.components import Outlet, Receipt
from yaat_core.event import EventBatch
from yaat_plugin_gateway.config import GatewayConfig
from yaat_plugin_gateway.ingest.claims import Taken, Turn
from yaat_plugin_gateway.ingest.seen import Seen
from yaat_plugin_gateway.web.refusal import Refused

_BATCH: Final = b"b"
_IDS: Final = b"i"
#: Format, microseconds since the epoch, accepted, duplicates.
_CLAIM: Final = struct.Struct("<BQII")
#: Format, microseconds since the epoch, bytes of the organization's name; the name and the identities follow.
_SEEN: Final = struct.Struct("<BQH")
_FORMAT: Final = 1
#: Deletions that one write does on the side.
_DELETIONS: Final = 64
#: Seconds that a refused sender should wait.
_AGAIN: Final = 5


@attrs.frozen
class _Known:
    time_us: int
    taken: Taken


class QueueClaims:
    """`Claims` of the one gateway that has this queue. Lives as long as one run of the source."""

    def __init__(self, config: GatewayConfig, out: Outlet, nursery: trio.Nursery) -> None:
        self._out = out
        self._nursery = nursery
        self.patience = float(config.patience)
        self._remember_us = round(config.remember * 1e6)
        self._most = config.remember_batches
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._on_their_way: dict[bytes, trio.Event] = {}
        self._seen = Seen(config.remember_events)
        self._stale: dict[bytes, None] = {}
        self._sending = trio.Lock()
        self._resume(out.checkpoints())

    @property
    def batches(self) -> int:
        """How many batches are known."""
        return len(self._known)

    @asynccontextmanager
    async def turn(self, organization: str, batch_id: str | None) -> AsyncIterator[Turn]:
        """As `Claims.turn`."""
        key = _key(organization, batch_id) if batch_id is not None else None
        turn = _Turn(self, organization, key)
        if key is None:
            yield turn
            return
        await self._until_free(key)
        self._forget_old()
        known = self._known.get(key)
        if known is not None:
            turn.before = known.taken
            yield turn
            return
        self._on_their_way[key] = trio.Event()
        try:
            yield turn
        finally:
            if not turn.sent:
                self._free(key)

    async def send(
        self, organization: str, key: bytes | None, batch: EventBatch, *, again: bool
    ) -> tuple[Receipt, Taken]:
        """Send what is new of the batch, with its claim. Cancelled, nothing was sent."""
        async with self._sending:  # so that nobody else looks whether these events are in before they are
            now = time.time_ns() // 1_000
            self._stale |= dict.fromkeys(self._seen.forget_before(now - self._remember_us))
            new, ids = (batch, b"") if again else self._seen.new_rows(organization, batch)
            taken = Taken(len(batch), len(batch) - len(new))
            written: dict[bytes, bytes | None] = dict.fromkeys(islice(self._stale, _DELETIONS))
            deleted = list(written)
            name = key if key is not None else os.urandom(16)
            if key is not None:
                written[_BATCH + key] = _CLAIM.pack(_FORMAT, now, taken.accepted, taken.duplicates)
            if ids:
                written[_IDS + name] = _seen_value(now, organization, ids)
            receipt = await self._out.send(new, written)
            # From here to the end nothing waits: it was sent, and so it is remembered.
            for one in (*deleted, _BATCH + name, _IDS + name):
                self._stale.pop(one, None)
            self._stale |= dict.fromkeys(self._seen.remember(now, _IDS + name, organization, ids))
            return receipt, taken

    def settle_later(
        self, receipt: Receipt, key: bytes | None, taken: Taken, settled: Callable[[Taken], None]
    ) -> trio.Event:
        """Wait for the write in the background; the event is set when it is durable."""
        durable = trio.Event()

        async def wait() -> None:
            await receipt.durable()
            settled(taken)
            if key is not None:
                self._known[key] = _Known(time.time_ns() // 1_000, taken)
                self._free(key)
            durable.set()

        self._nursery.start_soon(wait)
        return durable

    async def within_patience(self, event: trio.Event, why: str) -> None:
        """Wait, for so long.

        Raises:
            Refused: 503, for longer.
        """
        with trio.move_on_after(self.patience):
            await event.wait()
            return
        raise too_full(why)

    async def _until_free(self, key: bytes) -> None:
        while (on_its_way := self._on_their_way.get(key)) is not None:
            await self.within_patience(on_its_way, "the same batch is on its way and not durable yet")

    def _free(self, key: bytes) -> None:
        self._on_their_way.pop(key).set()

    def _forget_old(self) -> None:
        oldest = time.time_ns() // 1_000 - self._remember_us
        while self._known:
            key, known = next(iter(self._known.items()))
            if known.time_us >= oldest and len(self._known) <= self._most:
                return
            del self._known[key]
            self._stale[_BATCH + key] = None

    def _resume(self, stored: Mapping[bytes, bytes]) -> None:
        """What earlier runs claimed, oldest first; what can't be read is of no use and deleted."""
        claims = _read(_BATCH, stored, _CLAIM.size)
        for time_us, key in claims:
            _, _, accepted, duplicates = _CLAIM.unpack_from(stored[key])
            self._known[key[1:]] = _Known(time_us, Taken(accepted, duplicates))
        seen = _read(_IDS, stored, _SEEN.size)
        for time_us, key in seen:
            length = _SEEN.unpack_from(stored[key])[2]
            rest = stored[key][_SEEN.size :]
            forgotten = self._seen.remember(time_us, key, rest[:length].decode(), rest[length:])
            self._stale |= dict.fromkeys(forgotten)
        readable = {key for _, key in (*claims, *seen)}
        self._stale |= dict.fromkeys(key for key in stored if key not in readable)
        self._forget_old()


class _Turn:
    """`Turn` of `QueueClaims`."""

    def __init__(self, claims: QueueClaims, organization: str, key: bytes | None) -> None:
        self.before: Taken | None = None
        self.sent = False
        self._claims = claims
        self._organization = organization
        self._key = key

    async def take(
        self, batch: EventBatch, settled: Callable[[Taken], None], *, again: bool = False
    ) -> Taken:
        """As `Turn.take`."""
        with trio.move_on_after(self._claims.patience):
            receipt, taken = await self._claims.send(self._organization, self._key, batch, again=again)
            self.sent = True
        if not self.sent:
            raise too_full("the pipeline is full")
        durable = self._claims.settle_later(receipt, self._key, taken, settled)
        await self._claims.within_patience(durable, "the batch is taken, but not durable yet")
        return taken


def too_full(why: str) -> Refused:
    """503: the sender keeps the batch and repeats it."""
    return Refused(
        503,
        "unavailable",
        why,
        fix="repeat the request, with the same Batch-Id, after the time that Retry-After says",
        headers={"Retry-After": str(_AGAIN)},
    )


def _key(organization: str, batch_id: str) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for part in (organization, batch_id):
        data = part.encode()
        digest.update(len(data).to_bytes(4, "big") + data)
    return digest.digest()


def _seen_value(now: int, organization: str, ids: bytes) -> bytes:
    name = organization.encode()
    return _SEEN.pack(_FORMAT, now, len(name)) + name + ids


def _read(kind: bytes, stored: Mapping[bytes, bytes], size: int) -> list[tuple[int, bytes]]:
    """The keys of a kind with their times, oldest first."""
    values: Iterable[tuple[bytes, bytes]] = (
        (key, value) for key, value in stored.items() if key[:1] == kind and len(value) >= size
    )
    found = [(struct.unpack_from("<BQ", value), key) for key, value in values]
    return sorted((time_us, key) for (form, time_us), key in found if form == _FORMAT)
