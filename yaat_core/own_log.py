"""The agent's own log for those who ask: the last lines in memory, and a level that goes back by itself."""

from __future__ import annotations

import itertools
import logging
import math
import traceback
from collections import deque
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import attrs
import trio

from yaat_core.concealing import conceal

log = logging.getLogger("yaat.agent")

LogLevel = Literal["debug", "info", "warning", "error"]

#: Lines that are kept, and letters of one.
KEPT: Final = 1_000
LONGEST: Final = 4_000
#: Seconds between two looks of one who follows.
PERIOD: Final = 0.25
#: The logger above all of the agent's.
OWN: Final = "yaat"


@attrs.frozen(kw_only=True)
class LogLine:
    """One record. ``time`` is RFC 3339 in UTC; a traceback follows the message on lines of its own."""

    number: int
    time: str
    level: str
    logger: str
    message: str


@attrs.frozen(kw_only=True)
class LogLines:
    """Lines since the document before; ``skipped`` were said faster than they were read."""

    lines: Sequence[LogLine]
    skipped: int = 0


@attrs.frozen(kw_only=True)
class LevelNow:
    """How much the agent says: ``level`` until then (RFC 3339), then ``usual``; ``until`` null: it stays."""

    level: str
    usual: str
    until: str | None


class OwnLog(logging.Handler):
    """Keeps the last lines. No secret of the configuration is in them."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[LogLine] = deque(maxlen=KEPT)
        self._numbers = itertools.count(1)

    def emit(self, record: logging.LogRecord) -> None:
        """As `logging.Handler.emit`."""
        try:
            text = record.getMessage()
            if record.exc_info:
                text = "\n".join([text, "".join(traceback.format_exception(*record.exc_info)).rstrip()])
            told = conceal(text)
        except Exception:  # noqa: BLE001 - as the standard library's handlers do
            self.handleError(record)
            return
        self._lines.append(
            LogLine(
                number=next(self._numbers),
                time=datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
                level=record.levelname.lower(),
                logger=record.name,
                message=told if len(told) <= LONGEST else told[:LONGEST] + "...",
            )
        )

    def after(self, number: int) -> list[LogLine]:
        """Kept lines behind this one."""
        return [line for line in list(self._lines) if line.number > number]

    async def follow(self, lines: int, level: LogLevel) -> AsyncIterator[LogLines]:
        """The last lines of this level and worse, at once, then what comes."""
        kept = self.after(0)
        seen = kept[-1].number if kept else 0
        first = _worse(kept, level)
        yield LogLines(lines=first[-lines:] if lines else ())
        while True:
            await trio.sleep(PERIOD)
            new = self.after(seen)
            if new:
                skipped = new[0].number - seen - 1
                seen = new[-1].number
                told = _worse(new, level)
                if told or skipped:
                    yield LogLines(lines=told, skipped=skipped)


class Levels:
    """How much is said, for a time."""

    def __init__(self) -> None:
        self._logger = logging.getLogger(OWN)
        self._usual = self._logger.level
        self._until = math.inf
        self._changed = trio.Event()
        self._ends: datetime | None = None

    async def run(self) -> None:
        """Goes back when it is time, and when it is cancelled."""
        try:
            while True:
                with trio.move_on_at(self._until) as waiting:
                    await self._changed.wait()
                self._changed = trio.Event()
                if waiting.cancelled_caught:
                    self.back()
        finally:
            self._logger.setLevel(self._usual)

    def set(self, level: LogLevel, seconds: float) -> LevelNow:
        """From now on, for so long."""
        self._logger.setLevel(level.upper())
        self._ends = datetime.now(UTC) + timedelta(seconds=seconds)
        self._until = trio.current_time() + seconds
        self._changed.set()
        log.info("the log says %s and worse for %.0f s", level, seconds)
        return self.now()

    def back(self) -> LevelNow:
        """As the agent was started."""
        if self._ends is not None:
            log.info("the log is back to its usual level")
        self._logger.setLevel(self._usual)
        self._ends, self._until = None, math.inf
        self._changed.set()
        return self.now()

    def now(self) -> LevelNow:
        """How it is."""
        usual = logging.getLevelName(self._usual or logging.getLogger().level).lower()
        return LevelNow(
            level=logging.getLevelName(self._logger.getEffectiveLevel()).lower(),
            usual=usual,
            until=self._ends.isoformat(timespec="seconds") if self._ends else None,
        )


def _worse(lines: Sequence[LogLine], level: LogLevel) -> list[LogLine]:
    least = logging.getLevelNamesMapping()[level.upper()]
    known = logging.getLevelNamesMapping()
    return [line for line in lines if known.get(line.level.upper(), least) >= least]
