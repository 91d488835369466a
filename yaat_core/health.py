"""What is wrong now: one board that components' keepers write and status, health endpoints and logs read."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final, Literal

from yaat_core.happenings import REWORDED, Diary, Level
from yaat_core.status import Health, Problem

_LEVELS: Final[dict[str, Level]] = {"error": "error", "warn": "warning"}


class HealthBoard:
    """Problems by component and topic. Setting one again keeps its `since`. The diary gets what changes."""

    def __init__(self, diary: Diary | None = None) -> None:
        self.diary = diary or Diary()
        self._problems: dict[tuple[str, str], Problem] = {}
        self._written: dict[tuple[str, str], float] = {}
        self.last_error: str | None = None

    def set(
        self,
        component: str,
        what: str,
        *,
        advice: str = "",
        level: Literal["error", "warn"] = "error",
        topic: str = "",
    ) -> None:
        """This is wrong with the component; one problem a topic."""
        before = self._problems.get((component, topic))
        since = before.since if before else datetime.now(UTC).isoformat(timespec="seconds")
        problem = Problem(component=component, since=since, what=what, advice=advice, level=level)
        self._problems[component, topic] = problem
        if level == "error":
            self.last_error = f"{component}: {what}"
        self._write(topic, before, problem)

    def clear(self, component: str, topic: str = "") -> None:
        """It is mended."""
        before = self._problems.pop((component, topic), None)
        self._written.pop((component, topic), None)
        if before is not None:
            self.diary.add("mended", component, f"no longer: {before.what}")

    def forget(self, component: str) -> None:
        """The component is not there any more, or is another one now: nothing is wrong with it."""
        for known, topic in list(self._problems):
            if known == component:
                self.clear(component, topic)

    def now(self) -> Health:
        """All problems, oldest first."""
        problems = sorted(self._problems.values(), key=lambda problem: problem.since)
        return Health(ok=not any(problem.level == "error" for problem in problems), problems=tuple(problems))

    def _write(self, topic: str, before: Problem | None, problem: Problem) -> None:
        """Into the diary: what is new, another level at once, another wording now and then."""
        key, now = (problem.component, topic), time.monotonic()
        same = before is not None and (before.level, before.what) == (problem.level, problem.what)
        reworded = before is not None and before.level == problem.level
        if same or (reworded and now - self._written.get(key, 0.0) < REWORDED):
            return
        self._written[key] = now
        self.diary.add(
            "problem", problem.component, problem.what, level=_LEVELS[problem.level], advice=problem.advice
        )
