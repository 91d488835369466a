"""Processors on whole batches, in one thread: what one source's batches go through before the queue."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

import attrs

from yaat_core.components import ComponentId, Drop, LedgerEntry, Processor
from yaat_core.event import EventBatch
from yaat_core.pipeline.defaults import Defaults
from yaat_core.stats import ComponentStats, Counter
from yaat_core.taps import Trail

log = logging.getLogger("yaat.pipeline")

#: Rows of one batch that may fail alone; beyond that the rest of the batch shares their fate unseen.
MAX_SINGLE_FAILURES = 64

Report = Callable[[ComponentId, str], None]


@attrs.frozen
class Step:
    """One processor in place."""

    id: ComponentId
    processor: Processor
    stats: ComponentStats
    came: Counter = attrs.field(init=False)
    passed: Counter = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        into = self.stats.counter("yaat_processor_events_in_total", "Events that came to a processor.")
        out = self.stats.counter("yaat_processor_events_out_total", "Events that a processor let pass.")
        object.__setattr__(self, "came", into)
        object.__setattr__(self, "passed", out)


@attrs.frozen(kw_only=True)
class Chain:
    """One source's way: parser, defaults, `processors:`, scrub. ``run`` is synchronous and not reentrant."""

    parsers: Mapping[str, Step]
    """By format name: the parsers that labels may name."""
    parser: Step | None
    defaults: Defaults
    steps: Sequence[Step]
    report: Report

    def all_steps(self) -> list[Step]:
        """Every processor that a batch may meet."""
        return [*self.parsers.values(), *([self.parser] if self.parser else []), *self.steps]

    def run(self, batch: EventBatch, trail: Trail | None = None) -> tuple[EventBatch, list[LedgerEntry]]:
        """The batch as the queue gets it, and what was dropped on the way. A ``trail`` is told of each step."""
        ledger: list[LedgerEntry] = []
        if trail is not None:
            batch = trail.begin(batch)
        parser = self.parsers.get(batch.labels.format or "", self.parser)
        if parser is not None:
            batch = self._step(parser, batch, ledger, trail)
        batch = self._through(self.steps, self.defaults.fill(batch), ledger, trail)
        if trail is not None:
            trail.end()
        return batch, ledger

    def behind(self, step: Step, batch: EventBatch) -> tuple[EventBatch, list[LedgerEntry]]:
        """As `run`, for events that ``step`` made itself: they go through the steps behind it."""
        ledger: list[LedgerEntry] = []
        place = next(place for place, one in enumerate(self.steps) if one is step)
        return self._through(self.steps[place + 1 :], self.defaults.fill(batch), ledger), ledger

    def _through(
        self, steps: Sequence[Step], batch: EventBatch, ledger: list[LedgerEntry], trail: Trail | None = None
    ) -> EventBatch:
        for step in steps:
            if not len(batch):
                break
            batch = self._step(step, batch, ledger, trail)
        return batch

    def _step(
        self, step: Step, batch: EventBatch, ledger: list[LedgerEntry], trail: Trail | None = None
    ) -> EventBatch:
        try:
            after, drops = _checked(step.processor, batch)
        except Exception as error:  # noqa: BLE001 - isolated below, told in health
            after, drops = self._isolate(step, batch, error)
        for drop in drops:
            ledger.append(
                LedgerEntry(component=str(step.id), reason=drop.reason, rule=drop.rule, count=drop.count)
            )
        step.came.add(len(batch))
        step.passed.add(len(after))
        if trail is not None:
            trail.passed(step, after)
        return after

    def _isolate(self, step: Step, batch: EventBatch, error: Exception) -> tuple[EventBatch, list[Drop]]:
        """The rows on which the processor fails are found by halves; the others go through it."""
        kept: list[EventBatch] = []
        drops: list[Drop] = []
        failed = _Failures(step)
        _by_halves(step.processor, batch, kept, drops, failed)
        self.report(step.id, f"raised {type(error).__name__} on {failed.rows} of {len(batch)} events")
        step.stats.counter("yaat_processor_errors_total", "Events on which a processor raised.").add(
            failed.rows
        )
        log.warning("%s raised %s on %d events", step.id, type(error).__name__, failed.rows)
        if step.processor.fail_closed and failed.rows:
            drops.append(Drop("error", failed.rows))
        return EventBatch.concat(kept).with_labels(batch.labels), drops


@attrs.define
class _Failures:
    step: Step
    rows: int = 0
    pieces: int = 0

    def add(self, batch: EventBatch, kept: list[EventBatch]) -> None:
        self.rows += len(batch)
        self.pieces += 1
        if not self.step.processor.fail_closed:
            kept.append(batch)


def _by_halves(
    processor: Processor, batch: EventBatch, kept: list[EventBatch], drops: list[Drop], failed: _Failures
) -> None:
    if len(batch) == 1 or failed.pieces >= MAX_SINGLE_FAILURES:
        failed.add(batch, kept)
        return
    middle = len(batch) // 2
    for half in (batch.slice(0, middle), batch.slice(middle)):
        try:
            after, dropped = _checked(processor, half)
        except Exception:  # noqa: BLE001 - that is what is being narrowed down
            _by_halves(processor, half, kept, drops, failed)
        else:
            kept.append(after)
            drops.extend(dropped)


def _checked(processor: Processor, batch: EventBatch) -> tuple[EventBatch, list[Drop]]:
    """Call it, and recount: a plugin's word is not taken for how many rows are left."""
    after, declared = processor.process(batch)
    drops = [drop for drop in declared if drop.count]
    missing = len(batch) - len(after) - sum(drop.count for drop in drops)
    if missing < 0 or any(drop.count < 0 for drop in drops):
        raise ValueError(
            f"{len(batch)} rows in, {len(after)} out, {sum(d.count for d in drops)} declared dropped"
        )
    if missing:
        drops.append(Drop("undeclared", missing))
    return after, drops
