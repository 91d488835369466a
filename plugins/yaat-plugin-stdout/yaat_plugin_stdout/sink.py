"""`StdoutSink`: writes in a worker thread, so that a slow reader delays this sink alone."""

from __future__ import annotations

import os
import sys

import trio

from yaat_core.components import Context, Done, Outcome, Pause, Position, Sink
from yaat_core.event import EventBatch
from yaat_core.wire import to_json_lines
from yaat_plugin_stdout.config import StdoutConfig
from yaat_plugin_stdout.lines import to_text


class StdoutSink(Sink):
    """At least once: what was written when the agent was killed may be written again."""

    remote = False
    stable_batches = False

    def __init__(self, config: StdoutConfig, context: Context) -> None:
        self._descriptor = sys.stdout.fileno()
        terminal = os.isatty(self._descriptor)
        self._as_text = config.format == "text" or (config.format == "auto" and terminal)
        self._colour = terminal and not os.environ.get("NO_COLOR")

    async def deliver(self, batch: EventBatch, position: Position) -> Outcome:
        """Write all lines."""
        try:
            await trio.to_thread.run_sync(self._write, batch, abandon_on_cancel=True)
        except BrokenPipeError:
            return Pause("standard output is closed", advice="restart the agent with a reader on its output")
        return Done()

    def _write(self, batch: EventBatch) -> None:
        data = memoryview(to_text(batch, colour=self._colour) if self._as_text else to_json_lines(batch))
        while data:
            data = data[os.write(self._descriptor, data) :]
