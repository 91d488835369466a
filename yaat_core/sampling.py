"""A few lines of a source on their way through the pipeline as configured, before anything is kept of them.

Nothing changes by it: no queue, no checkpoint, no sink, and no listener is bound (a source that listens is checked
only). Bounded in lines and seconds. What is shown is what the redaction leaves, of the line as it was read as well.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Literal

import attrs
import trio

from yaat_core.checks.components import checked
from yaat_core.components import Checkpoints, Finding, Neighbour, Source
from yaat_core.config.model import Configuration, ProcessorEntry, SourceEntry
from yaat_core.discretion import discreet
from yaat_core.errors import PluginError, UsageError
from yaat_core.event import EventBatch
from yaat_core.guessing import guess
from yaat_core.pipeline.chain import Chain, Step
from yaat_core.stats import Stats
from yaat_core.taps import Tap, Trail
from yaat_core.workshop import Workshop

#: Lines and seconds of one test, at most and by default.
MOST_LINES: Final = 200
MOST_SECONDS: Final = 60.0


@attrs.frozen(kw_only=True)
class SampleLine:
    """One line. ``raw`` is what was read, redacted; ``event`` what comes to the queue, null when it was dropped.

    ``parsed``: the format took something from it.
    """

    raw: str
    event: Mapping[str, Any] | None
    format: str
    parsed: bool


@attrs.frozen(kw_only=True)
class Tested:
    """What a test found. ``ok``: no finding is an error.

    ``lines`` are a source's samples, ``parsed_share`` the share of them that the format took apart (null: there is none, or
    no line). ``dropped`` counts by processor what was dropped of them. ``passed`` are steps that went well.
    """

    component: str
    type: str
    ok: bool
    lines: Sequence[SampleLine]
    findings: Sequence[Finding]
    format: str = ""
    parsed_share: float | None = None
    dropped: Mapping[str, int] = attrs.field(factory=dict)
    passed: Sequence[str] = ()
    notes: Sequence[str] = ()
    seconds: float = 0.0


async def sample(
    whole: Configuration,
    kind: Literal["sources", "processors", "sinks"],
    name: str,
    agent_id: bytes,
    *,
    lines: int,
    seconds: float,
    source: str | None = None,
) -> Tested:
    """Try one component of a configuration that need not be written. ``source``: whose lines a processor gets.

    Raises:
        UsageError: there is no such component.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="yaat-test-") as folder:
        shop = _shop(whole, Path(folder), agent_id)
        try:
            found = await _sampled(whole, shop, kind, name, lines, seconds, source)
        except PluginError as error:
            found = _told(f"{kind}.{name}", "", [_of(error)])
    return attrs.evolve(found, seconds=round(time.monotonic() - began, 3))


@attrs.frozen(kw_only=True)
class Events:
    """Events of a source as they come out of the pipeline, what is wrong, and why there may be none."""

    batches: Sequence[EventBatch]
    findings: Sequence[Finding] = ()
    notes: Sequence[str] = ()


async def events_of(
    whole: Configuration, name: str, agent_id: bytes, *, lines: int, seconds: float
) -> Events:
    """Up to so many lines of a source, through the processors of ``whole``; changes nothing, as `sample`.

    They are redacted only as far as ``whole`` redacts: not for other people's eyes.

    Raises:
        UsageError: there is no such source.
    """
    entry = _found(whole.sources, "source", name)
    with tempfile.TemporaryDirectory(prefix="yaat-test-") as folder:
        shop = _shop(whole, Path(folder), agent_id)
        try:
            return await _events_of(entry, shop, lines, seconds)
        except PluginError as error:
            return Events(batches=(), findings=[_of(error)])


async def _events_of(entry: SourceEntry, shop: Workshop, lines: int, seconds: float) -> Events:
    got = await _gathered(entry, shop, lines, seconds)
    findings = list(got.findings)
    async with _chain(entry, shop, findings) as chain:

        def through() -> list[EventBatch]:
            return [chain.run(batch)[0] for batch in _some(got.batches, lines)]

        return attrs.evolve(got, batches=await trio.to_thread.run_sync(through), findings=findings)


def _shop(whole: Configuration, folder: Path, agent_id: bytes) -> Workshop:
    return Workshop(
        configuration=attrs.evolve(whole, state_dir=folder), agent_id=agent_id, stats=Stats(), once=True
    )


def _of(error: PluginError) -> Finding:
    return Finding(problem=error.what, advice=error.fix or error.cause)


async def _sampled(
    whole: Configuration, shop: Workshop, kind: str, name: str, lines: int, seconds: float, source: str | None
) -> Tested:
    if kind == "sinks":
        entry = _found(whole.sinks, "sink", name)
        # a sink is asked where it stands, so it gets the real folder
        real = attrs.evolve(shop, configuration=whole)
        looked = await checked(entry, real, reach=True)
        told = _told(str(entry.id), entry.type.name, looked.findings)
        return attrs.evolve(told, passed=looked.passed)
    if kind == "processors":
        step = _found({one.id.name: one for one in whole.processors}, "processor", name)
        reader = _reader(whole, step, source)
        if reader is None:
            return attrs.evolve(
                _told(str(step.id), step.type.name, []), notes=["no source gives sample lines for it"]
            )
        found = await _lines_of(reader, shop, lines, seconds)
        return attrs.evolve(
            found, component=str(step.id), type=step.type.name, notes=[f"lines of {reader.id}", *found.notes]
        )
    return await _lines_of(_found(whole.sources, "source", name), shop, lines, seconds)


async def _lines_of(entry: SourceEntry, shop: Workshop, lines: int, seconds: float) -> Tested:
    got = await _gathered(entry, shop, lines, seconds)
    if got.notes:
        return attrs.evolve(_told(str(entry.id), entry.type.name, got.findings), notes=got.notes)
    findings = list(got.findings)
    async with _chain(entry, shop, findings) as chain:
        return await trio.to_thread.run_sync(_through, entry, chain, got.batches, lines, findings)


async def _gathered(entry: SourceEntry, shop: Workshop, lines: int, seconds: float) -> Events:
    """What the source reads, before format and processors."""
    made = await trio.to_thread.run_sync(shop.make, _from_the_beginning(entry))
    findings: list[Finding] = []
    with trio.move_on_after(seconds):
        try:
            findings += await made.check()
        except Exception as error:  # noqa: BLE001 - a check that raises is a finding
            findings.append(Finding(problem=f"its check failed: {type(error).__name__}"))
    if not made.supports_once:
        note = "it listens, so nothing is read here: watch it with `yaat tap` once it runs"
        return Events(batches=(), findings=findings, notes=[note])
    outlet = _Outlet(lines)
    failed = await _read(made, outlet, seconds)
    if failed is not None:
        findings.append(failed)
    return Events(batches=outlet.batches, findings=findings)


@asynccontextmanager
async def _chain(entry: SourceEntry, shop: Workshop, findings: list[Finding]) -> AsyncIterator[Chain]:
    """The source's chain; what its steps complain of joins ``findings``."""
    steps = await trio.to_thread.run_sync(shop.steps)
    try:
        yield shop.chains(steps, lambda id, what: findings.append(_complaint(str(id), what)))[str(entry.id)]
    finally:
        for step in steps.all():
            step.processor.close()


def _some(batches: Sequence[EventBatch], lines: int) -> Iterator[EventBatch]:
    """The first so many events."""
    for batch in batches:
        part = batch.slice(0, lines)
        lines -= len(part)
        if len(part):
            yield part


async def _read(source: Source, outlet: _Outlet, seconds: float) -> Finding | None:
    """Until there are lines enough, the time is over, or it has read what is there."""
    try:
        with trio.move_on_after(seconds):
            async with trio.open_nursery() as nursery:

                async def enough() -> None:
                    await outlet.full.wait()
                    nursery.cancel_scope.cancel()

                nursery.start_soon(enough)
                await source.run(outlet)
                nursery.cancel_scope.cancel()
    except Exception as error:  # noqa: BLE001 - a source is a guest; told
        while isinstance(error, ExceptionGroup):
            error = error.exceptions[0]
        return Finding(problem=f"it can't be read: {error or type(error).__name__}")
    return None


def _through(
    entry: SourceEntry, chain: Chain, batches: Sequence[EventBatch], lines: int, findings: list[Finding]
) -> Tested:
    """In a thread."""
    shown: list[SampleLine] = []
    dropped: dict[str, int] = {}
    format = entry.format.type.name if entry.format else "raw"
    for part in _some(batches, lines):
        shown += _shown(entry, chain, part, part.labels.format or format, dropped)
    said = chain.parser.processor.detail() if chain.parser else ""
    parsed = sum(one.parsed for one in shown)
    return attrs.evolve(
        _told(str(entry.id), entry.type.name, findings),
        lines=shown,
        format=f"{format}: {said}" if said else format,
        parsed_share=round(parsed / len(shown), 4) if shown and format != "raw" else None,
        dropped=dropped,
        notes=[] if shown else ["there was nothing to read"],
    )


def _shown(
    entry: SourceEntry, chain: Chain, batch: EventBatch, format: str, dropped: dict[str, int]
) -> list[SampleLine]:
    from yaat_core.control.rows import rows_of

    tap = Tap(str(entry.id))
    stages = _Stages(tap, chain)
    after, ledger = chain.run(batch, stages)
    for one in ledger:
        dropped[one.component] = dropped.get(one.component, 0) + one.count
    passage = tap.take().passages[0]
    redaction = [step for step in chain.steps if str(step.id) in passage.redaction]

    def redact(some: EventBatch) -> EventBatch:
        for step in redaction:
            some, _ = step.processor.process(some)
        return some

    raw, _ = (
        discreet(passage.batch, passage.before, passage.after, redact) if redaction else (passage.batch, 0)
    )
    events, taken = _by_id(after), stages.parsed()
    return [
        SampleLine(
            raw=str(row["message"] or ""),
            event=events.get(row["event_id"]),
            format=format,
            parsed=row["event_id"] in taken,
        )
        for row in rows_of(raw.columns)
    ]


class _Stages(Trail):
    """A trail that also keeps the batch before and behind the format."""

    def __init__(self, tap: Tap, chain: Chain) -> None:
        super().__init__({tap.at: [tap]}, tap.at, chain.steps)
        self._parsers = {id(step) for step in [*chain.parsers.values(), chain.parser] if step is not None}
        self._before = self._behind = EventBatch.empty()

    def begin(self, batch: EventBatch) -> EventBatch:
        """As `Trail.begin`."""
        self._before = super().begin(batch)
        return self._before

    def passed(self, step: Step, batch: EventBatch) -> None:
        """As `Trail.passed`."""
        if id(step) in self._parsers:
            self._behind = batch
        super().passed(step, batch)

    def parsed(self) -> set[str]:
        """Ids of events in which the format changed anything."""
        before, behind = _by_id(self._before), _by_id(self._behind)
        return {id for id, row in behind.items() if row != before.get(id)}


def _by_id(batch: EventBatch) -> dict[str, Mapping[str, Any]]:
    from yaat_core.control.rows import rows_of

    return {row["event_id"]: row for row in rows_of(batch.columns)}


class _Outlet:
    """Takes what a source sends until there is enough; nothing is durable."""

    def __init__(self, lines: int) -> None:
        self.batches: list[EventBatch] = []
        self.full = trio.Event()
        self._left = lines

    def checkpoints(self) -> Mapping[bytes, bytes]:
        """None: it reads as if for the first time."""
        return {}

    def neighbours(self) -> Sequence[Neighbour]:
        """None."""
        return ()

    async def send(self, batch: EventBatch, checkpoints: Checkpoints | None = None) -> _Receipt:
        """Keep it."""
        await trio.lowlevel.checkpoint()
        if self._left <= 0:
            await trio.sleep_forever()
        if len(batch):
            self.batches.append(batch)
            self._left -= len(batch)
        if self._left <= 0:
            self.full.set()
        return _Receipt()


class _Receipt:
    async def durable(self) -> None:
        await trio.lowlevel.checkpoint()


def _from_the_beginning(entry: SourceEntry) -> SourceEntry:
    """A source that begins at the end would have nothing to show."""
    if getattr(entry.options, "start_at", None) != "end":
        return entry
    return attrs.evolve(entry, options=attrs.evolve(entry.options, start_at="beginning"))


def _reader(whole: Configuration, step: ProcessorEntry, name: str | None) -> SourceEntry | None:
    if name is not None:
        found: SourceEntry = _found(whole.sources, "source", name)
        return found
    chosen = [one for one in whole.sources.values() if step.sources is None or one.id.name in step.sources]
    return next((one for one in chosen if one.type.reads_lines), next(iter(chosen), None))


def _found(there: Mapping[str, Any], one: str, name: str) -> Any:
    if name not in there:
        raise UsageError(f"there is no {one} `{name}`", fix=guess(name, there))
    return there[name]


def _complaint(component: str, what: str) -> Finding:
    return Finding(problem=f"{component} {what}", advice="the log names the error")


def _told(component: str, type: str, findings: Sequence[Finding]) -> Tested:
    return Tested(
        component=component,
        type=type,
        ok=all(one.level != "error" for one in findings),
        lines=(),
        findings=tuple(findings),
    )
