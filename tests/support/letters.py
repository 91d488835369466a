"""A lane with a dead letter, and a sink that can change its mind about it."""

from __future__ import annotations

from pathlib import Path

import attrs

from support.rig import ListSink, Rig
from yaat_core.components import Done, Outcome, Partial, Position
from yaat_core.deadletters import Head, heads
from yaat_core.event import EventBatch
from yaat_core.pipeline.lane import Lane
from yaat_core.report import accounting
from yaat_core.status import Problem

FATES = ("delivered", "queued", "dead", "dropped", "lost")


class Stable(ListSink):
    """Keeps the ids of what it got; refuses events that hold ``bad`` until ``mended``."""

    stable_batches = True

    def __init__(self) -> None:
        super().__init__()
        self.mended = False
        self.ids: list[bytes] = []

    async def deliver(self, batch: EventBatch, position: Position) -> Outcome:
        outcome = await super().deliver(batch, position)
        if not isinstance(outcome, Done):
            return outcome
        self.ids += batch.column("event_id").to_pylist()
        texts = batch.column("message").to_pylist()
        if self.mended:
            return outcome
        dead = [(row, "it is bad") for row, text in enumerate(texts) if "bad" in text]
        self.got[-len(texts) :] = [text for text in texts if "bad" not in text]
        return Partial(dead, attempts=2, answer="422") if dead else outcome


@attrs.define(eq=False)
class Site:
    """A lane with ten events delivered, two of which are dead: those with the sequences 3 and 7."""

    rig: Rig
    lane: Lane
    sink: Stable
    folder: Path

    def account(self) -> tuple[int, ...]:
        """Delivered, queued, dead, dropped, lost, as the queue has them; they add up."""
        whole = accounting(self.rig.queue.state())
        assert whole.balanced, whole
        sink = whole.by_sink["a"]
        return tuple(getattr(sink, fate) for fate in FATES)

    async def until_account(self, *wanted: int) -> None:
        """Until the events have these fates."""
        await self.rig.until(lambda: self.account() == wanted, f"not {wanted}")

    def names(self) -> list[str]:
        """How the files of the directory end."""
        return sorted(path.suffix for path in self.folder.iterdir())

    def dead(self) -> list[Head]:
        return heads(self.folder.parent, self.lane.name)

    async def told(self) -> Problem:
        """The one thing that is wrong."""
        await self.rig.until(lambda: bool(self.rig.health.now().problems), "nothing is told")
        [problem] = self.rig.health.now().problems
        return problem

    async def replay(self) -> tuple[int, int, list[str]]:
        """All that are dead now."""
        letters, events, refused = await self.rig.dead_letters.take_up(self.lane, self.dead())
        return letters, events, [one.problem for one in refused]
