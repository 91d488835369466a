"""The source type `agent`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import trio

from yaat_core import Context, Event, EventBatch, Outlet, Source
from yaat_core.happenings import Happening
from yaat_plugin_self.config import AgentConfig
from yaat_plugin_self.quiet import Quiet

SERVICE: Final = "yaat-agent"
#: Seconds between looks at the diary.
EVERY: Final = 0.5
#: Seconds that the last look may take when the source is told to stop.
LAST_LOOK: Final = 1.0
#: Happenings in one batch.
_AT_ONCE: Final = 500
_KEY: Final = b"newest"
_LEVELS: Final = {"info": 0, "warning": 1, "error": 2}


class AgentSource(Source):
    """Reads the agent's diary, which is in memory: what happened before this start of the agent is not in it."""

    single = True

    def __init__(self, config: AgentConfig, context: Context) -> None:
        self._least = _LEVELS[config.level]
        self._context = context
        self._quiet = Quiet(str(context.id), self._accepted_of_others)
        self._newest = 0
        self._ready: tuple[EventBatch, int] | None = None

    async def run(self, out: Outlet) -> None:
        """As `Source.run`. Told to stop, it looks once more, so that the agent's end is among the events."""
        stored = int.from_bytes(out.checkpoints().get(_KEY, b""), "big")
        # A number from the future is of a run with another clock: this diary has nothing of it.
        self._newest = stored if stored <= self._context.diary.newest else 0
        try:
            while await self._send(out) or not self._context.once:  # noqa: ASYNC110 - any thread writes the diary
                await trio.sleep(EVERY)
        except trio.Cancelled:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + LAST_LOOK):
                await self._send(out)
            raise

    async def _send(self, out: Outlet) -> bool:
        """What is new; was there anything? What was decided over stays decided when a sending is cancelled."""
        if self._ready is None:
            found = self._context.diary.after(self._newest, _AT_ONCE)
            if not found:
                return False
            self._ready = _batch([one for one in found if self._is_told(one)]), found[-1].number
        batch, newest = self._ready
        await out.send(batch, {_KEY: newest.to_bytes(8, "big")})
        self._newest, self._ready = newest, None
        return True

    def _is_told(self, one: Happening) -> bool:
        if _LEVELS[one.level] < self._least:
            return False
        reason = self._quiet.why_not(one)
        if reason:
            self._context.stats.counter(
                "yaat_own_events_left_out_total",
                "Happenings that did not become events, by reason.",
                reason=reason,
            ).add()
        return not reason

    def _accepted_of_others(self) -> float:
        own = str(self._context.id)
        return sum(
            sample.value
            for sample in self._context.stats.stats.snapshot()
            if sample.name == "yaat_events_accepted_total"
            and sample.labels.get("component", "").startswith("sources.")
            and sample.labels["component"] != own
        )


def _batch(told: Sequence[Happening]) -> EventBatch:
    return EventBatch.from_events([_event(one) for one in told])


def _event(one: Happening) -> Event:
    tags = {"component": one.component, "kind": one.kind, "advice": one.advice}
    return Event(
        message=f"{one.component}: {one.what}",
        level=one.level,
        timestamp=datetime.fromisoformat(one.at),
        service_name=SERVICE,
        tags={name: value for name, value in tags.items() if value},
    )
