"""Bodies in which something is unusual: every event is looked at by itself, and what is wrong is told of each.

Slower by far than `ingest.fast`, and exact: what is right but written differently is put right (names trimmed, `level`
and hex digits in lower case, a trace id written as a UUID without its dashes, tags that are no texts as JSON writes them, fields
that nobody knows as tags), what is wrong is named.
"""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import attrs
import msgspec
import pyarrow as pa

from yaat_core.event import EVENT_TYPES, LEVELS, SCHEMA, EventBatch
from yaat_plugin_gateway.ingest.reading import Doubled, NoNumber, Number
from yaat_plugin_gateway.ingest.shape import ENVIRONMENT, EVENT_TYPE, MAX_DEPTH, MAX_NAME, MAX_TAGS

#: Characters of a bad value that are shown.
_SHOWN: Final = 100
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_HEX: Final = re.compile(r"[0-9a-f]{1,64}", re.ASCII)
_MICROSECOND: Final = timedelta(microseconds=1)
#: What is no tag. (`SCHEMA.names` makes a list at each look.)
_KNOWN: Final = frozenset(SCHEMA.names)


@attrs.frozen
class BadEvent:
    """Why an event is not taken."""

    index: int
    field: str
    problem: str
    got: str

    def to_json(self) -> dict[str, Any]:
        """As the answer lists it."""
        return attrs.asdict(self)


class _Wrong(Exception):
    def __init__(self, field: str, problem: str, got: Any) -> None:
        super().__init__(problem)
        self.field, self.problem, self.got = field, problem, got


def batch_of(events: Sequence[Any], organization: str, received_us: int) -> tuple[EventBatch, list[BadEvent]]:
    """The good events as a batch, and the bad ones."""
    rows: list[dict[str, Any]] = []
    bad: list[BadEvent] = []
    for index, event in enumerate(events):
        try:
            rows.append(_row(event, received_us))
        except _Wrong as wrong:
            got = "" if wrong.got is None else shown(wrong.got)
            bad.append(BadEvent(index, wrong.field, wrong.problem, got))
    columns: dict[str, Any] = {"organization_id": organization}
    columns |= {
        field.name: _column(field, [row[field.name] for row in rows])
        for field in SCHEMA
        if field.name not in columns
    }
    return EventBatch.build(len(rows), columns), bad


def shown(value: Any) -> str:
    """A value of the body, cut, for an answer."""
    text = value if isinstance(value, str) else _json(value, MAX_DEPTH + 1)
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _row(event: Any, received_us: int) -> dict[str, Any]:
    if not isinstance(event, dict):
        raise _Wrong("", "an event must be a JSON object", event)
    _not_doubled("", event)
    row = {name: read(name, event.get(name)) for name, read in _FIELDS.items()}
    row["tags"] = _tags(event)
    row["received_at"] = received_us
    if row["timestamp"] is None:
        row["timestamp"] = received_us
    return row


def _column(field: pa.Field, values: list[Any]) -> Any:
    if pa.types.is_timestamp(field.type):
        return pa.array(values, pa.int64()).view(field.type)
    return pa.array(values, field.type)


# --- fields ---------------------------------------------------------------------------------------


def _text(field: str, value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise _Wrong(field, "must be a text", value)
    _whole_characters(field, value)
    return value


def _name(field: str, value: Any) -> str:
    text = (_text(field, value) or "").strip()
    if len(text.encode()) > MAX_NAME:
        raise _Wrong(field, f"must be at most {MAX_NAME} bytes long", text)
    return text


def _service(field: str, value: Any) -> str:
    name = _name(field, value)
    if not name:
        raise _Wrong(field, "is required and must not be blank", value)
    return name


def _environment(field: str, value: Any) -> str:
    return _name(field, value) or ENVIRONMENT


def _choice(known: Sequence[str]) -> Callable[[str, Any], str]:
    def read(field: str, value: Any) -> str:
        text = (_text(field, value) or "").strip().lower()
        if text and text not in known:
            raise _Wrong(field, f"must be one of {', '.join(known)}", value)
        return text

    return read


def _type(field: str, value: Any) -> str:
    return _choice(EVENT_TYPES)(field, value) or EVENT_TYPE


def _level(field: str, value: Any) -> str | None:
    return None if value is None else _choice(LEVELS)(field, value)


def _identity(field: str, value: Any) -> bytes:
    text = (_text(field, value) or "").strip().lower()
    if not text:
        return bytes(16)
    if not _UUID.fullmatch(text):
        raise _Wrong(field, "must be a UUID like 01890a5d-ac96-774b-bcce-b302099a8057", value)
    return uuid.UUID(text).bytes


def _hex(field: str, value: Any) -> str | None:
    text = (_text(field, value) or "").strip().lower()
    if _UUID.fullmatch(text):
        text = text.replace("-", "")
    if text and not _HEX.fullmatch(text):
        raise _Wrong(field, "must be up to 64 hex digits", value)
    return text or None


def _time(field: str, value: Any) -> int | None:
    text = (_text(field, value) or "").strip()
    if not text:
        return None
    match = _TIME.fullmatch(text)
    moment = _moment(match) if match else None
    if moment is None:
        raise _Wrong(field, "must be a time of RFC 3339 like 2026-01-05T10:00:00.000Z", value)
    return moment


def _moment(match: re.Match[str]) -> int | None:
    """Microseconds since the epoch. A leap second is the last microsecond before it."""
    date, minutes, second, fraction, sign, hours_off, minutes_off = match.groups()
    leap = second == "60"
    try:
        base = datetime.fromisoformat(f"{date}T{minutes}:{'59' if leap else second}+00:00")
    except ValueError:
        return None
    micros = (base - _EPOCH) // _MICROSECOND
    micros += 999_999 if leap else int((fraction or "0").ljust(6, "0")[:6])
    if sign:
        if int(hours_off) > 23 or int(minutes_off) > 59:
            return None
        east = (int(hours_off) * 60 + int(minutes_off)) * 60_000_000
        micros += east if sign == "-" else -east
    return micros


def _number(field: str, value: Any) -> float | None:
    if value is None:
        return None
    number = float(value.text) if isinstance(value, Number) else math.nan
    if not math.isfinite(number):
        raise _Wrong(field, "must be a number that a double holds", value)
    return number


def _status(field: str, value: Any) -> int | None:
    number = _number(field, value)
    if number is None:
        return None
    if not number.is_integer() or not 0 <= number <= 65_535:
        raise _Wrong(field, "must be a whole number from 0 to 65535", value)
    return int(number)


_FIELDS: Final[Mapping[str, Callable[[str, Any], Any]]] = {
    "service_name": _service,
    "environment": _environment,
    "event_id": _identity,
    "timestamp": _time,
    "event_type": _type,
    "level": _level,
    "message": _text,
    "stacktrace": _text,
    "trace_id": _hex,
    "span_id": _hex,
    "parent_span_id": _hex,
    "operation": _text,
    "duration_ms": _number,
    "status_code": _status,
    "metric_name": _text,
    "metric_value": _number,
}


# --- tags -----------------------------------------------------------------------------------------


def _tags(event: Mapping[str, Any]) -> list[tuple[str, str]]:
    given = event.get("tags")
    if given is None:
        given = {}
    if not isinstance(given, dict):
        raise _Wrong("tags", "must be an object of names and texts", given)
    _not_doubled("tags", given)
    more = {name: value for name, value in event.items() if name not in _KNOWN and name not in given}
    tags = [(name, _tag(name, value)) for name, value in {**more, **given}.items()]
    if len(tags) > MAX_TAGS:
        raise _Wrong("tags", f"must be at most {MAX_TAGS}", f"{len(tags)} tags")
    return tags


def _tag(name: str, value: Any) -> str:
    _whole_characters("tags", name)
    if not 0 < len(name.encode()) <= MAX_NAME:
        raise _Wrong("tags", f"a tag's name must have 1 to {MAX_NAME} bytes", name)
    field = f"tags.{name}"
    if value is None:
        return ""
    if isinstance(value, str):
        _whole_characters(field, value)
        return value
    _writable(field, value, MAX_DEPTH)
    text = _json(value, MAX_DEPTH)
    _whole_characters(field, text)
    return text


def _writable(field: str, value: Any, depth: int) -> None:
    """Refuse what JSON can't express, and what is nested too deeply."""
    if isinstance(value, NoNumber):
        raise _Wrong(field, "must be JSON, which has no such number", value)
    if isinstance(value, dict | list):
        if depth <= 0:
            raise _Wrong(field, f"is nested more than {MAX_DEPTH} deep", "")
        _not_doubled(field, value)
        for one in value.values() if isinstance(value, dict) else value:
            _writable(field, one, depth - 1)


def _json(value: Any, depth: int) -> str:
    """A value as compact JSON, numbers as they were written."""
    if isinstance(value, Number | NoNumber):
        return value.text
    if isinstance(value, dict):
        if depth <= 0:
            return "{…}"
        members = (f"{_quoted(name)}:{_json(one, depth - 1)}" for name, one in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_json(one, depth - 1) for one in value) + "]" if depth > 0 else "[…]"
    return (
        {None: "null", True: "true", False: "false"}[value] if not isinstance(value, str) else _quoted(value)
    )


def _quoted(text: str) -> str:
    try:
        return msgspec.json.encode(text).decode()
    except UnicodeEncodeError:
        return '"' + text + '"'


def _not_doubled(field: str, table: Any) -> None:
    if isinstance(table, Doubled):
        raise _Wrong(f"{field}.{table.name}" if field else table.name, "stands twice in the same object", "")


def _whole_characters(field: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _Wrong(field, "holds half of a surrogate pair, which is no character", text) from None
