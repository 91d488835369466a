"""What running components say is wrong with them while they go on, brought to the health board."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import trio

from yaat_core.components import Finding
from yaat_core.health import HealthBoard

log = logging.getLogger("yaat.health")

#: Seconds between looks.
EVERY = 1.0


class Speaks(Protocol):
    """A component that can be asked."""

    def problems(self) -> Sequence[Finding]:
        """As `yaat_core.components.Source.problems`."""
        ...


class Complaints:
    """Asks components by name; what they no longer say is cleared."""

    def __init__(self, health: HealthBoard) -> None:
        self._health = health
        self._asked: dict[str, list[Speaks]] = {}
        self._steady: list[tuple[str, Speaks]] = []
        self._told: dict[str, int] = {}
        self._failed: set[str] = set()

    @contextmanager
    def hear(self, component: str, speaker: Speaks) -> Iterator[None]:
        """Ask this object while the block lasts; several may speak for one component."""
        self._asked.setdefault(component, []).append(speaker)
        try:
            yield
        finally:
            self._leave(component, speaker)
            self.look()

    def steady(self, speakers: Iterable[tuple[str, Speaks]]) -> None:
        """Ask these, by component, until others are given."""
        for component, speaker in self._steady:
            self._leave(component, speaker)
        self._steady = list(speakers)
        for component, speaker in self._steady:
            self._asked.setdefault(component, []).append(speaker)

    def look(self) -> None:
        """Ask everybody once."""
        for component, speakers in list(self._asked.items()):
            findings = self._findings(component, speakers)
            for number, finding in enumerate(findings):
                self._health.set(
                    component,
                    finding.problem,
                    advice=finding.advice,
                    level=finding.level,
                    topic=_topic(number),
                )
            for number in range(len(findings), self._told.get(component, 0)):
                self._health.clear(component, _topic(number))
            self._told[component] = len(findings)
            if not speakers:
                del self._asked[component], self._told[component]

    async def run(self) -> None:
        """Look every second, until cancelled."""
        while True:
            self.look()
            await trio.sleep(EVERY)

    def _leave(self, component: str, speaker: Speaks) -> None:
        speakers = self._asked.get(component, [])
        speakers[:] = [one for one in speakers if one is not speaker]

    def _findings(self, component: str, speakers: list[Speaks]) -> list[Finding]:
        findings: list[Finding] = []
        for speaker in speakers:
            try:
                findings += speaker.problems()
            except Exception as error:
                findings.append(Finding(problem=f"can't say how it is: {type(error).__name__} was raised"))
                if component not in self._failed:
                    self._failed.add(component)
                    log.exception("%s: problems() raised", component)
        return list(dict.fromkeys(findings))


def _topic(number: int) -> str:
    return f"said-{number}"
