"""Following what is live: results as they come, again after the agent let go of a reader that was slow, JSON by the line."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from typing import Any, Final, TypeVar

import msgspec

from yaat_core.actions.base import Action
from yaat_core.cli.door import Door
from yaat_core.cli.units import count
from yaat_core.control.client import AnswerCut, Client
from yaat_core.errors import AgentNotRunning
from yaat_core.taps import TapBatch

A = TypeVar("A")
R = TypeVar("R")

#: Seconds between two notes about what is not shown.
SELDOM: Final = 2.0


def followed(
    door: Door, agent: Client, action: Action[A, R], given: A, *, again: A | None = None
) -> Generator[R, None, None]:
    """Results until the agent stops. When it only let go because nothing was read for a while, they go on (``again``: as
    is asked then).

    Raises:
        AnswerCut: the agent stopped.
    """
    while True:
        try:
            with agent.follow(action, given) as stream:
                yield from stream
        except AnswerCut as cut:
            ended = cut
        try:
            with agent.follow(action, given) as stream:
                door.note(
                    "the agent let go because nothing was read for a while; what passed since is not shown"
                )
                yield from stream
        except AgentNotRunning:
            raise ended from None
        except AnswerCut:
            continue


def json_line(document: Any) -> None:
    """One object on a line of its own, seen at once."""
    sys.stdout.buffer.write(msgspec.json.encode(document) + b"\n")
    sys.stdout.buffer.flush()


class Notes:
    """Says now and then how much of what passes is not shown."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._said = time.monotonic()
        self._shown = self._matching = self._hidden = 0

    def heard(self, batch: TapBatch) -> None:
        """Counts; says it when it is time."""
        self._shown += batch.shown
        self._matching += batch.shown + batch.skipped
        self._hidden += batch.hidden
        now = time.monotonic()
        if now - self._said < SELDOM:
            return
        seconds = now - self._said
        if self._matching > self._shown:
            self._door.note(
                f"showing {count(round(self._shown / seconds))} of {count(round(self._matching / seconds))}/s "
                "(--rate for more, --filter for less)"
            )
        if self._hidden:
            self._door.note(f"{count(self._hidden)} more are dropped by the redaction: not shown")
        self._said = now
        self._shown = self._matching = self._hidden = 0
