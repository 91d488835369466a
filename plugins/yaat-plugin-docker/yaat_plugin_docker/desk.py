"""What all logs of a source share: the way out, checkpoints, counts."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping

import trio

from yaat_core import Context, EventBatch, Outlet
from yaat_core.components import Receipt
from yaat_core.display import terminal_safe
from yaat_plugin_docker.container import Container
from yaat_plugin_docker.cursor import NAMES, Checkpoint, id_of, key_of

#: Seconds after which the checkpoints of a container that is not there any more are deleted.
FORGET = 24 * 3600


class Tally:
    """Counters. What is cut or left out is never silent."""

    def __init__(self, context: Context) -> None:
        stats = context.stats
        self._lines = stats.counter(
            "yaat_docker_cut_lines_total", "Lines that were longer than max_line_bytes."
        )
        self._bytes = stats.counter("yaat_docker_cut_bytes_total", "Bytes of lines beyond max_line_bytes.")
        self._left_out = stats.counter(
            "yaat_docker_left_out_total",
            "Events that the rules of a container's own label left out.",
            reason="ad_logs",
        )
        self.rotated = stats.counter(
            "yaat_docker_rotated_total", "Frames that were gone from a log where it was to be read on."
        )
        self.removed = stats.counter(
            "yaat_docker_removed_total", "Containers that were removed before the end of their log was seen."
        )
        self.containers = stats.gauge("yaat_docker_containers", "Containers whose logs are read now.")

    def cut(self, lines: int, bytes: int) -> None:
        """Lines were cut, by so many bytes together."""
        if lines:
            self._lines.add(lines)
            self._bytes.add(bytes)

    def left_out(self, events: int) -> None:
        """A container's rules left events out."""
        if events:
            self._left_out.add(events)


class Desk:
    """Sends one batch after another, whoever they are from."""

    def __init__(self, out: Outlet, tally: Tally, log: logging.Logger) -> None:
        self._out = out
        self._tally = tally
        self._log = log
        self._lock = trio.Lock()
        self._known = dict(out.checkpoints())

    async def send(self, batch: EventBatch, checkpoints: Mapping[bytes, bytes | None]) -> Receipt:
        """As `Outlet.send`, one at a time."""
        async with self._lock:
            receipt = await self._out.send(batch, dict(checkpoints))
        for key, value in checkpoints.items():
            if value is None:
                self._known.pop(key, None)
            else:
                self._known[key] = value
        return receipt

    def value(self, key: bytes) -> bytes | None:
        """Of a checkpoint."""
        return self._known.get(key)

    def stored(self, container: Container) -> dict[int, Checkpoint]:
        """Of this container, as it was made then: by number of the stream."""
        found = {}
        for number in NAMES:
            value = self._known.get(key_of(container.id, number))
            if value is None:
                continue
            try:
                checkpoint = Checkpoint.decode(value)
            except ValueError as error:
                self._log.error(
                    "container %s: %s; its log is read from the beginning", container.shown, error
                )
                continue
            if checkpoint.created == container.created:
                found[number] = checkpoint
        return found

    async def forget(self, present: frozenset[str]) -> None:
        """Delete checkpoints of containers that have not been there for long."""
        old = time.time() - FORGET
        gone = [key for key in self._known if (id := id_of(key)) is not None and id not in present]
        deleted: dict[bytes, bytes | None] = {key: None for key in gone if self._written(key) < old}
        if deleted:
            await self.send(EventBatch.empty(), deleted)

    def _written(self, key: bytes) -> float:
        try:
            return Checkpoint.decode(self._known[key]).at
        except ValueError:
            return 0.0

    def missed(self, container: Container, frames: int) -> None:
        """Frames that were read before are gone from the log: what came behind them may be, too."""
        if frames:
            self._tally.rotated.add(frames)
            self._log.warning(
                "container %s: its log was rotated while it was read: %d lines that were read are gone, others may be",
                container.shown,
                frames,
            )

    def never_seen(self, name: str) -> None:
        """A container came and went between two looks."""
        self._tally.removed.add(1)
        self._log.warning(
            "container %s was removed before it was seen: what it wrote is not read", terminal_safe(name)[:60]
        )

    def unreadable(self, container: Container, error: Exception) -> None:
        """What was left of its log could not be read."""
        self._log.warning("container %s: what is left of its log can't be read: %s", container.shown, error)

    def lost_end(self, container: Container) -> None:
        """It was removed while it was read."""
        self._tally.removed.add(1)
        self._log.warning(
            "container %s was removed before the end of its log was seen: its last lines may be missing",
            container.shown,
        )
