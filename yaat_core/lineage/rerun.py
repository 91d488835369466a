"""What the pipeline as configured does to an event, step by step: with steps made anew, so that nothing is counted or learnt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import attrs
import msgspec

from yaat_core.config.model import Configuration, ProcessorEntry
from yaat_core.control.rows import rows_of
from yaat_core.event import EventBatch
from yaat_core.lineage.model import FieldChange, StepTold
from yaat_core.stats import Stats
from yaat_core.wire import rows_from_json
from yaat_core.workshop import Workshop

LIMITS: Final = (
    "the steps are those of the configuration of now, which may not be that of then",
    "they see the event as it is stored: what the redaction took out is gone, and a format sees the message, not the line "
    "that it was read from",
    "they are made anew: one that remembers other events (dedupe, throttle) decides as if this was the first",
)


def steps_of(configuration: Configuration, source: str) -> list[ProcessorEntry]:
    """What the events of a source go through, its own format first. A source that is not configured: what all go through."""
    entry = configuration.sources.get(source.removeprefix("sources."))
    format = [entry.format] if entry is not None and entry.format else []
    return [
        *format,
        *(
            one
            for one in configuration.processors
            if one.sources is None or source.removeprefix("sources.") in one.sources
        ),
    ]


def rerun(shop: Workshop, entries: Sequence[ProcessorEntry], event: Mapping[str, Any]) -> list[StepTold]:
    """Each step, up to the one that drops it. In a thread."""
    shop = attrs.evolve(shop, stats=Stats())
    batch = rows_from_json([msgspec.Raw(msgspec.json.encode(event))])
    told: list[StepTold] = []
    for entry in entries:
        step, batch = _step(shop, entry, batch)
        told.append(step)
        if not len(batch):
            break
    return told


def _step(shop: Workshop, entry: ProcessorEntry, batch: EventBatch) -> tuple[StepTold, EventBatch]:
    name, kind = str(entry.id), entry.type.name
    processor = shop.make(entry)
    try:
        after, drops = processor.process(batch)
    except Exception as error:  # noqa: BLE001 - a processor is a guest: that it fails is the answer
        gone = processor.fail_closed
        return StepTold(step=name, type=kind, what="failed", why=type(error).__name__), batch.slice(
            0, 0
        ) if gone else batch
    finally:
        processor.close()
    if not len(after):
        why = next(
            (f"{drop.reason}/{drop.rule}" if drop.rule else drop.reason for drop in drops if drop.count), ""
        )
        return StepTold(step=name, type=kind, what="dropped", why=why), after
    changes = tuple(_changes(rows_of(batch.columns)[0], rows_of(after.columns)[0]))
    return StepTold(step=name, type=kind, what="changed" if changes else "unchanged", changes=changes), after


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[FieldChange]:
    for field, was in before.items():
        now = after[field]
        if field == "tags":
            for tag in sorted({*was, *now}):
                if was.get(tag) != now.get(tag):
                    yield FieldChange(field=f"tags.{tag}", before=was.get(tag), after=now.get(tag))
        elif was != now:
            yield FieldChange(field=field, before=was, after=now)
