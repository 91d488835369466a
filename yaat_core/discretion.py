"""Events from a point before the redaction, shown as the redaction leaves them.

Such an event is known again by its identity right before the redaction and behind it. A text that is the same at the point
and before the redaction is shown as the redaction left it. One that was taken apart in between (a line that was parsed)
gets what the redaction replaced in its parts put into it, then the configured redaction itself, once more. Where that
can't be done, the text is not shown: a part that the redaction replaced is not found in it, or a processor dropped the
event before it came to the redaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core.event import SCHEMA, EventBatch

DROPPED: Final = "[dropped before the redaction: not shown]"
HIDDEN: Final = "[the redaction changes this event after parsing: not shown]"
_REMOVED: Final = "[removed]"
_TEXTS: Final = tuple(field.name for field in SCHEMA if field.type == pa.string())
#: What is shown of an event that never came to the redaction.
_PLAIN: Final = ("event_id", "timestamp", "received_at", "event_type")

Redact = Callable[[EventBatch], EventBatch]
Row = dict[str, Any]


def discreet(
    batch: EventBatch, before: EventBatch, after: EventBatch, redact: Redact
) -> tuple[EventBatch, int]:
    """The events as they may be shown, and how many the redaction drops.

    ``before`` and ``after`` hold the same events, as far as they came there. ``redact`` may raise: then no text is shown.
    """
    ids = batch.column("event_id")
    befores, afters = _by_id(before, ids), _by_id(after, ids)
    rows = _rows(batch)
    gone = [row for row in rows if row["event_id"] in befores and row["event_id"] not in afters]
    kept = [row for row in rows if row["event_id"] in befores and row["event_id"] in afters]
    masked = [_masked(row, befores[row["event_id"]], afters[row["event_id"]]) for row in kept]
    redacted = _redacted(masked, batch, redact)
    shown: dict[bytes, Row] = {}
    for row in kept:
        id = row["event_id"]
        if id in redacted:
            shown[id] = _put_together(row, befores[id], afters[id], redacted[id])
    for row in rows:
        if row["event_id"] not in befores:
            shown[row["event_id"]] = _without_texts(row)
    made = [shown[row["event_id"]] for row in rows if row["event_id"] in shown]
    return _batch(made, batch), len(gone) + len(kept) - len(redacted)


def _masked(row: Row, before: Row, after: Row) -> Row:
    """The event with what the redaction replaced in its parts put into the texts that were taken apart."""
    changes = sorted(_changes(row, before, after), key=lambda change: -len(change.was))
    if not changes:
        return row
    made = dict(row)
    for name in _TEXTS:
        if row[name] and row[name] != before[name]:
            made[name] = _replaced(row[name], changes)
    made["tags"] = {
        key: value if before["tags"].get(key) == value else _replaced(value, changes)
        for key, value in row["tags"].items()
    }
    return made


@attrs.frozen
class _Change:
    """What the redaction made of one text of an event. ``since``: the text came about behind the point."""

    was: str
    now: str
    since: bool


def _changes(row: Row, before: Row, after: Row) -> list[_Change]:
    found = []
    for name in _TEXTS:
        was, now = before[name], after[name]
        if was and was != now:
            found.append(_Change(was, now or _REMOVED, was != row[name]))
    for key, was in before["tags"].items():
        now = after["tags"].get(key)
        if was and was != now:
            found.append(_Change(was, now or _REMOVED, row["tags"].get(key) != was))
    return found


def _replaced(text: str, changes: Sequence[_Change]) -> str:
    """What came about behind the point must be found: where it is not, it stands in the text in another form."""
    if any(change.since and change.was not in text for change in changes):
        return HIDDEN
    for change in changes:
        text = text.replace(change.was, change.now)
    return text


def _redacted(rows: Sequence[Row], batch: EventBatch, redact: Redact) -> dict[bytes, Row]:
    """By identity, what the redaction leaves of these; those that it drops are missing."""
    try:
        after = redact(_batch(rows, batch))
    except Exception:  # noqa: BLE001 - a processor is a guest; nothing is shown then
        return {row["event_id"]: _without_texts(row, HIDDEN) for row in rows}
    return {row["event_id"]: row for row in _rows(after)}


def _put_together(row: Row, before: Row, after: Row, redacted: Row) -> Row:
    """Texts that the redaction has seen as they were at the point are as it left them."""
    made = dict(redacted)
    for name in _TEXTS:
        if row[name] == before[name]:
            made[name] = after[name]
    tags = {}
    for key, value in row["tags"].items():
        if before["tags"].get(key) == value:
            if key in after["tags"]:
                tags[key] = after["tags"][key]
        elif key in redacted["tags"]:
            tags[key] = redacted["tags"][key]
    made["tags"] = tags
    return made


def _without_texts(row: Row, said: str = DROPPED) -> Row:
    empty: Row = {
        name: "" if name in ("organization_id", "service_name", "environment") else None for name in row
    }
    return {**empty, **{name: row[name] for name in _PLAIN}, "message": said, "tags": {}}


def _by_id(batch: EventBatch, ids: Any) -> Mapping[bytes, Row]:
    there = pc.is_in(batch.column("event_id"), value_set=ids)
    return {row["event_id"]: row for row in _rows(batch.filter(there))}


def _rows(batch: EventBatch) -> list[Row]:
    rows: list[Row] = batch.columns.to_pylist()
    for row in rows:
        row["tags"] = dict(row["tags"])
    return rows


def _batch(rows: Sequence[Row], like: EventBatch) -> EventBatch:
    columns = [{**row, "tags": list(row["tags"].items())} for row in rows]
    return EventBatch(pa.RecordBatch.from_pylist(columns, schema=SCHEMA), like.labels)
