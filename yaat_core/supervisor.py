"""Runs a component, and runs it again when it fails, alone. What goes wrong is told in health."""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

import attrs
import trio

from yaat_core.components import ComponentId
from yaat_core.errors import YaatError
from yaat_core.happenings import Level
from yaat_core.health import HealthBoard
from yaat_core.stats import ComponentStats, Counter
from yaat_core.status import ComponentState, ComponentStatus

log = logging.getLogger("yaat.supervisor")

#: Seconds: the first wait is at most `FIRST`, doubled each time up to `LONGEST`; full jitter.
FIRST, LONGEST = 0.5, 60.0
#: A component that ran this long is healthy again: its next failure waits `FIRST`.
STEADY_AFTER = 60.0
_WELL: Final = ("starting", "ok", "done", "skipped")


def backoff(attempt: int, *, longest: float = LONGEST) -> float:
    """Seconds to wait before attempt number ``attempt`` (from 1 on): full jitter, never quite 0."""
    ceiling = min(longest, FIRST * 2.0 ** min(attempt - 1, 20))
    return random.uniform(0.05, ceiling)


def failure_of(error: BaseException) -> BaseException | None:
    """The component's own failure, or None when the error is the agent's business (cancelled, interrupted).

    `SystemExit` raised by a plugin is its failure; a cancellation mixed into a group is not.
    """
    if isinstance(error, trio.Cancelled | KeyboardInterrupt | GeneratorExit):
        return None
    if isinstance(error, BaseExceptionGroup):
        inner = [failure_of(one) for one in error.exceptions]
        return next((one for one in inner if one is not None), None)
    return error


def failures(stats: ComponentStats) -> Counter:
    """Counts a component's failures."""
    return stats.counter("yaat_component_failures_total", "Failures after which a component was made anew.")


@attrs.define(eq=False)
class Keeper:
    """One component's life: state, restarts, and since when."""

    id: ComponentId
    type: str
    health: HealthBoard
    state: ComponentState = "starting"
    detail: str = ""
    restarts: int = 0
    since: datetime = attrs.field(factory=lambda: datetime.now(UTC))
    figures: dict[str, float] = attrs.field(factory=dict)
    told: Callable[[], str] | None = None
    """Says how it goes while nothing else is to be said."""
    failures: Counter = attrs.field(factory=Counter)

    def turn(self, state: ComponentState, detail: str = "") -> None:
        """It is in this state now."""
        if state != self.state:
            self.since = datetime.now(UTC)
            level: Level = "info" if state in _WELL else "warning"
            self.health.diary.add("state", str(self.id), f"{state}, was {self.state}", level=level)
        self.state, self.detail = state, detail

    def works(self) -> None:
        """It does its work; what was wrong is mended."""
        self.turn("ok")
        self.health.clear(str(self.id))

    async def keep(self, attempt: Callable[[], Awaitable[None]], *, attempts: int | None = None) -> bool:
        """Run ``attempt`` until it returns (True), or has failed ``attempts`` times (False)."""
        failures = 0
        while True:
            started = trio.current_time()
            try:
                await attempt()
            except BaseException as error:
                failure = failure_of(error)
                if failure is None:
                    raise
                if trio.current_time() - started > STEADY_AFTER:
                    failures = 0
                failures += 1
                self._failed(failure)
            else:
                self.turn("done")
                self.health.clear(str(self.id))
                return True
            if attempts is not None and failures >= attempts:
                self.turn("down", self.detail)
                return False
            await trio.sleep(backoff(failures))
            self.restarts += 1

    def _failed(self, failure: BaseException) -> None:
        told = (
            str(failure)
            if isinstance(failure, YaatError | OSError)
            else f"{type(failure).__name__} was raised"
        )
        advice = failure.fix if isinstance(failure, YaatError) else ""
        self.failures.add()
        self.turn("down", told)
        self.health.set(
            str(self.id), told, advice=advice or "it is restarted by itself; the log has the details"
        )
        if isinstance(failure, YaatError):
            log.error("%s failed: %s", self.id, failure.line())
        else:
            log.error("%s failed: %s", self.id, told, exc_info=failure)

    def status(self) -> ComponentStatus:
        """As shown."""
        return ComponentStatus(
            id=str(self.id),
            type=self.type,
            state=self.state,
            since=self.since.isoformat(timespec="seconds"),
            restarts=self.restarts,
            detail=self.detail or (self.told() if self.told else ""),
            figures=dict(self.figures),
        )
