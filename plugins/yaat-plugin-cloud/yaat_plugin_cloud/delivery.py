"""One delivery: its parts are sent, several at a time, split where the server wants it, until all are settled or have to wait."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final

import attrs
import msgspec
import trio

from yaat_core.components import Done, Outcome, Partial, Pause, Position, Retry
from yaat_core.event import EventBatch
from yaat_plugin_cloud.answers import (
    Accepted,
    Later,
    Named,
    Stop,
    TooMuch,
    Unnamed,
    Verdict,
    judge,
    reason_of,
)
from yaat_plugin_cloud.client import Answer
from yaat_plugin_cloud.config import CloudConfig
from yaat_plugin_cloud.failures import Unreached
from yaat_plugin_cloud.memory import Memory, Trouble
from yaat_plugin_cloud.payload import Body, TooLarge, encode
from yaat_plugin_cloud.plan import Part, Plan
from yaat_plugin_cloud.shrinking import shrunk
from yaat_plugin_cloud.waiting import CircuitBreaker, backoff, spread

#: Single events refused without a word of why, before the server is asked whether it takes anything at all.
_SUSPECTS: Final = 8
#: A request that is smaller than this is not refused for its size.
_SMALL: Final = 4_096

Post = Callable[[Body, str | None], Awaitable[Answer]]


@attrs.define(eq=False, kw_only=True)
class Counters:
    """What is counted."""

    requests: Callable[[str], None]
    sent: Callable[[int], None]
    shrunk: Callable[[], None]


@attrs.define(eq=False, kw_only=True)
class Delivery:
    """From `Sink.deliver` to its outcome."""

    batch: EventBatch
    position: Position
    config: CloudConfig
    post: Post
    memory: Memory
    breaker: CircuitBreaker
    encoders: trio.CapacityLimiter
    counters: Counters
    plan: Plan = attrs.field(init=False)
    _halt: Later | Stop | None = None
    """Why no further request is sent."""
    _suspects: list[Part] = attrs.field(factory=list)
    _alive: bool | None = None
    """Does the server take an empty batch? None: not asked yet."""
    _progress: bool = False
    _saving: trio.Lock = attrs.field(factory=trio.Lock)

    async def run(self) -> Outcome:
        """Send what is open. What an outcome leaves behind is on the disk before it is returned."""
        self.plan = await trio.to_thread.run_sync(self.memory.begin, self.position)
        finished = False
        try:
            if self.breaker.open:
                await self._probe()
            if self._halt is None:
                await self._all()
            outcome = self._outcome()
            finished = True
        finally:
            if not finished and self._progress and self.plan.open:
                # cancelled, or failed: what was acknowledged is not sent again
                with trio.CancelScope(shield=True):
                    await self._save()
        await trio.to_thread.run_sync(self._keep, outcome)
        return outcome

    # --- in which order

    async def _probe(self) -> None:
        """One small request decides whether the rest is sent. One that may have arrived is repeated as it was."""
        parts = self.plan.open
        if not parts:
            return
        sure = [part for part in parts if not part.maybe]
        part = parts[0] if self.config.ordered or not sure else sure[0]
        rows = self.config.circuit_breaker.probe_rows
        if not part.maybe and part.size > rows:
            part, rest = part.cut(part.first + part.alive[rows])
            self.plan.replace(next(one for one in parts if one.first == part.first), (part, rest))
            await self._save()
        await self._deliver(part)

    async def _all(self) -> None:
        """Every open part, in order; those that were split count as one."""
        room = trio.CapacityLimiter(1 if self.config.ordered else self.config.in_flight)

        async def one(part: Part) -> None:
            try:
                await self._deliver(part)
            finally:
                room.release_on_behalf_of(part)

        async with trio.open_nursery() as nursery:
            for part in self.plan.open:
                await room.acquire_on_behalf_of(part)
                nursery.start_soon(one, part)
        await self._decide()

    async def _deliver(self, part: Part) -> None:
        """Until the part is settled, put off, or something stands in the way."""
        while not (part.settled or self._halt or part in self._suspects):
            body = await self._body(part)
            verdict = await self._sent(part, body) if isinstance(body, Body) else _too_much(body)
            pieces = await self._act(part, verdict, len(body.data) if isinstance(body, Body) else body.size)
            for piece in pieces:
                await self._deliver(piece)
            if pieces:
                return

    # --- one request

    async def _body(self, part: Part) -> Body | TooLarge:
        start = part.first - self.position.first
        rows = self.batch.slice(start, part.last - part.first + 1)
        return await trio.to_thread.run_sync(self._encoded, rows, part, limiter=self.encoders)

    def _encoded(self, rows: EventBatch, part: Part) -> Body | TooLarge:
        if part.shrunk:
            row = rows.slice(part.alive[0], 1)
            return encode(shrunk(row, part.shrunk) or row, [0], self.memory.cut)
        return encode(rows, part.alive, self.memory.cut)

    async def _sent(self, part: Part, body: Body) -> Verdict:
        at = attrs.evolve(self.position, first=part.first, last=part.last, part=part.edition)
        before, part.maybe = part.maybe, True
        verdict = await self._answered(part, body, at.batch_id)
        if isinstance(verdict, Later | Stop):
            part.maybe = before or (isinstance(verdict, Later) and verdict.maybe)
        return verdict

    async def _answered(self, part: Part, body: Body, batch_id: str) -> Verdict:
        try:
            answer = await self.post(body, batch_id)
        except Unreached as failure:
            self.counters.requests("none")
            if failure.tls:
                return Stop(failure.why, failure.advice)
            return Later(failure.why, maybe=failure.maybe)
        self.counters.requests(str(answer.status))
        self.counters.sent(len(body.data))
        verdict = judge(answer, body.rows)
        if verdict != Accepted():
            part.answer = reason_of(answer)
        return verdict

    # --- what it means for the part

    async def _act(self, part: Part, verdict: Verdict, size: int) -> tuple[Part, ...]:
        """Do what the answer says. Returns the parts that stand in this one's place now."""
        if isinstance(verdict, Later):
            self._put_off(part, verdict)
            return ()
        if isinstance(verdict, Stop):
            self._halt = verdict
            return ()
        if isinstance(verdict, TooMuch):
            return await self._smaller(part, verdict, size)
        self.breaker.succeeded()
        if isinstance(verdict, Unnamed):
            return await self._without_reasons(part, verdict)
        rows = part.alive
        dead = {rows[row]: reason for row, reason in verdict.dead.items()}
        if isinstance(verdict, Accepted):
            part.dead.update({part.first + row: reason for row, reason in dead.items()})
            part.settled = self._progress = True
            if dead:
                await self._save()
        elif isinstance(verdict, Named):
            part.bury(dead)
            self._progress = True
            await self._save()
        return ()

    def _put_off(self, part: Part, verdict: Later) -> None:
        part.tries += 1
        part.since = part.since or time.time()
        part.answer = verdict.why
        if not verdict.limited:
            self.breaker.failed()
        if not isinstance(self._halt, Stop):
            after = [one.after for one in (self._halt, verdict) if isinstance(one, Later) and one.after]
            self._halt = attrs.evolve(verdict, after=max(after, default=None))
        if exhausted := self._exhausted(part):
            part.bury_all(f"not delivered {exhausted}; the last answer: {part.answer}")

    def _exhausted(self, part: Part) -> str:
        """How long it was tried, when that was long enough; else empty."""
        retry, elapsed = self.config.retry, max(0.0, time.time() - part.since)
        attempts = retry.max_attempts is not None and part.tries >= retry.max_attempts
        if attempts or (retry.max_elapsed is not None and elapsed >= retry.max_elapsed):
            return f"after {part.tries} attempts in {elapsed:.0f} s"
        return ""

    async def _smaller(self, part: Part, verdict: TooMuch, size: int) -> tuple[Part, ...]:
        part.maybe = False
        if part.size > 1:
            return await self._split(part)
        if size < _SMALL and size <= self.memory.cut.bytes:
            self._halt = Stop(
                f"it takes not even {size} bytes ({verdict.why})",
                "see the limits of the server and of proxies",
            )
            return ()
        if self.config.oversized == "cut" and await trio.to_thread.run_sync(self._can_shrink, part):
            part.shrunk += 1
            part.edition += 1
            if part.shrunk == 1:
                self.counters.shrunk()
        else:
            part.bury_all(f"too large for a request: {verdict.why}")
        await self._save()
        return ()

    def _can_shrink(self, part: Part) -> bool:
        row = self.batch.slice(part.first - self.position.first + part.alive[0], 1)
        return shrunk(row, part.shrunk + 1) is not None

    async def _without_reasons(self, part: Part, verdict: Unnamed) -> tuple[Part, ...]:
        part.maybe = False
        if part.size > 1:
            return await self._split(part)
        part.answer = verdict.why
        self._suspects.append(part)
        if len(self._suspects) >= _SUSPECTS:
            await self._decide()
        return ()

    async def _split(self, part: Part) -> tuple[Part, ...]:
        halves = part.halves()
        self.plan.replace(part, halves)
        await self._save()
        return halves

    async def _decide(self) -> None:
        """Single events were refused without a reason. Are they at fault, or does the server refuse everything?"""
        if not self._suspects:
            return
        if self._halt and not self.plan.accepted:
            return
        if not (self.plan.accepted or await self._takes_anything()):
            if not self._suspects:
                return
            why = self._suspects[0].answer
            self._halt = self._halt or Stop(
                f"it refuses every event ({why})", "see whether the server speaks this version of the API"
            )
            return
        for part in self._suspects:
            part.bury_all(f"refused by the server, which gives no reason: {part.answer}")
        self._suspects.clear()
        self._progress = True
        await self._save()

    async def _takes_anything(self) -> bool:
        """Does the server acknowledge a batch without events?"""
        if self._alive is None:
            body = await trio.to_thread.run_sync(encode, EventBatch.empty(), [], self.memory.cut)
            assert isinstance(body, Body)
            try:
                self._alive = isinstance(judge(await self.post(body, None), 0), Accepted)
            except Unreached:
                return False
        return self._alive

    # --- what comes out

    def _outcome(self) -> Outcome:
        if not self.plan.open:
            return self._over()
        halt = self._halt or Later("not all of it was sent")
        failures = self.memory.trouble.failures
        failures = 1 if self._progress else failures + 1
        since = self.memory.trouble.since or time.time()
        if isinstance(halt, Stop):
            self.memory.trouble = Trouble(
                failures=failures, since=since, why=halt.why, paused=True, breaker=self.breaker.failures
            )
            return Pause(halt.why, halt.advice)
        wait = backoff(failures, self.config.retry)
        if halt.after is not None:
            wait = max(wait, spread(halt.after))
        if self.breaker.open:
            wait = max(wait, self.config.circuit_breaker.reset_timeout)
        self.memory.trouble = Trouble(
            failures=failures,
            since=since,
            not_before=time.time() + wait,
            why=halt.why,
            breaker=self.breaker.failures,
        )
        return Retry(halt.why, wait)

    def _over(self) -> Outcome:
        """All is settled; the dead of this very range, if there are any."""
        first, last = self.position.first, self.position.last
        dead = [(n - first, why) for n, why in sorted(self.plan.dead.items()) if first <= n <= last]
        if not dead:
            return Done()
        attempts = max(part.tries for part in self.plan.parts)
        answers = [part.answer for part in self.plan.parts if part.dead and part.answer]
        return Partial(dead, attempts=max(1, attempts), answer=answers[-1] if answers else "")

    def _keep(self, outcome: Outcome) -> None:
        if isinstance(outcome, Done | Partial):
            self.memory.done()
        else:
            self.memory.save()

    async def _save(self) -> None:
        """What is known now is on the disk when this returns. Parts that are on their way count as perhaps arrived."""
        async with self._saving:
            trouble = self.memory.trouble
            self.memory.trouble = msgspec.structs.replace(trouble, breaker=self.breaker.failures)
            await trio.to_thread.run_sync(self.memory.write, self.memory.snapshot())


def _too_much(found: TooLarge) -> TooMuch:
    return TooMuch(f"{found.size} bytes, where {found.limit} are allowed")
