"""What is wrong now: one board that components' keepers write and status, health endpoints and logs read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from yaat_core.status import Health, Problem


class HealthBoard:
    """Problems by component and topic. Setting one again keeps its `since`."""

    def __init__(self) -> None:
        self._problems: dict[tuple[str, str], Problem] = {}
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
        self._problems[component, topic] = Problem(
            component=component, since=since, what=what, advice=advice, level=level
        )
        if level == "error":
            self.last_error = f"{component}: {what}"

    def clear(self, component: str, topic: str = "") -> None:
        """It is mended."""
        self._problems.pop((component, topic), None)

    def now(self) -> Health:
        """All problems, oldest first."""
        problems = sorted(self._problems.values(), key=lambda problem: problem.since)
        return Health(ok=not any(problem.level == "error" for problem in problems), problems=tuple(problems))
