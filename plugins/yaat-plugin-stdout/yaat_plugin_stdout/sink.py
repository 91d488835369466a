"""`StdoutSink`: writes in a worker thread, so that a slow reader delays this sink alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Final

import trio

from yaat_core.components import Context, Done, Finding, Outcome, Pause, Position, Retry, Sink
from yaat_core.event import EventBatch
from yaat_core.wire import to_json_lines
from yaat_plugin_stdout.config import StdoutConfig
from yaat_plugin_stdout.writing import LineWriter

_CLOSED: Final = Pause(
    "stdout is closed", "restart the agent with a reader on its output, or remove the sink"
)


class StdoutSink(Sink):
    """At least once: what was written when the agent was killed, or gave up on a slow reader, is written again."""

    remote = False
    stable_batches = False

    def __init__(self, config: StdoutConfig, context: Context) -> None:
        self._writer = _writer()
        terminal = sys.stdout is not None and sys.stdout.isatty()
        self._as_text = config.format == "text" or (config.format == "auto" and terminal)
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        self._colour = terminal and not plain

    async def deliver(self, batch: EventBatch, position: Position) -> Outcome:
        """Write all lines; waits for as long as the reader takes."""
        if self._writer is None:
            return _CLOSED
        try:
            await trio.to_thread.run_sync(self._write, self._writer, batch)
        except BrokenPipeError:
            return _CLOSED
        except OSError as error:
            return Retry(f"stdout can't be written: {error.strerror}")
        return Done()

    async def check(self) -> Sequence[Finding]:
        """Is there a standard output?"""
        if self._writer is None:
            return [Finding(problem=_CLOSED.why, advice=_CLOSED.advice)]
        return ()

    def _write(self, writer: LineWriter, batch: EventBatch) -> None:
        if self._as_text:
            from yaat_plugin_stdout.lines import to_text

            data = to_text(batch, colour=self._colour)
        else:
            data = to_json_lines(batch)
        writer.write(data, stop=trio.from_thread.check_cancelled)


def _writer() -> LineWriter | None:
    """To the standard output; None when the agent was started without one."""
    try:
        return LineWriter(sys.stdout.fileno())
    except (AttributeError, ValueError, OSError):  # None, closed in Python, closed beneath
        return None
