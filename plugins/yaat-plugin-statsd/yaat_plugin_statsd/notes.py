"""What is no sample: events, service checks, and metrics that bring their own time. Each is an `Event` at once.

    _e{TITLE_BYTES,TEXT_BYTES}:TITLE|TEXT[|d:SECONDS][|h:HOST][|k:KEY][|p:PRIORITY][|s:SOURCE][|t:ALERT][|#TAGS]
    _sc|NAME|STATUS[|d:SECONDS][|h:HOST][|#TAGS][|m:MESSAGE]

DogStatsD, datagram_shell in Datadog's documentation. Lengths are bytes of UTF-8; ``\\n`` in a text is a newline.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from yaat_core.event import Event
from yaat_plugin_statsd.grammar import Description, Fields, Rejected, number
from yaat_plugin_statsd.naming import Namer, Series, datadog, text

_HEAD: Final = re.compile(rb"_e\{(\d{1,6}),(\d{1,6})\}:")
_LEVELS: Final = {"error": "error", "warning": "warning", "success": "info", "info": "info"}
_STATUS: Final = {b"0": "ok", b"1": "warning", b"2": "critical", b"3": "unknown"}
_CHECK_LEVELS: Final = {"warning": "warning", "critical": "error", "unknown": "warning"}
_EVENT_TAGS: Final = {
    b"k": "event.aggregation_key",
    b"p": "event.priority",
    b"s": "event.source_type",
    b"t": "event.alert_type",
    b"h": "host.name",
}


def event(line: bytes, namer: Namer) -> Event:
    """A log of an event's line.

    Raises:
        Rejected: bad_event, or what is wrong with its tags.
    """
    line = line.rstrip(b"\r")
    match = _HEAD.match(line)
    if match is None:
        raise Rejected("bad_event")
    title_end = match.end() + int(match[1])
    text_end = title_end + 1 + int(match[2])
    title, body, rest = line[match.end() : title_end], line[title_end + 1 : text_end], line[text_end:]
    whole = len(line) >= text_end and line[title_end : title_end + 1] == b"|"
    if not whole or not title or rest[:1] not in (b"", b"|"):
        raise Rejected("bad_event")
    tags, time = _extras(rest[1:].split(b"|"), "_e", namer)
    parts = [one for one in (_lines(title), _lines(body)) if one]
    level = _LEVELS.get(tags.get("event.alert_type", "info"), "info")
    return _event(tags, time, message="\n".join(parts), level=level)


def service_check(line: bytes, namer: Namer) -> Sequence[Event]:
    """A metric of a service check's status, 0 to 3; and a log when it is not OK.

    Raises:
        Rejected: bad_check, or what is wrong with its tags.
    """
    line, _, message = line.rstrip(b"\r").partition(b"|m:")
    _, *parts = line.split(b"|")
    if len(parts) < 2 or parts[1] not in _STATUS:
        raise Rejected("bad_check")
    raw, status, *rest = parts
    name, word = namer.name(raw), _STATUS[status]
    tags, time = _extras(rest, "_sc", namer)
    tags = {**tags, "check.status": word}
    metric = _event(tags, time, event_type="metric", metric_name=name, metric_value=float(status))
    if word == "ok":
        return [metric]
    told = f"service check {name} is {word}"
    said = _lines(message)
    message_text = f"{told}: {said}" if said else told
    return [metric, _event(tags, time, message=message_text, level=_CHECK_LEVELS[word])]


def point(series: Series, raw: bytes, fields: Fields) -> Event:
    """A metric that brings its time: nothing is aggregated.

    Raises:
        ValueError: the value is no finite number.
    """
    value = number(raw) * fields.weight
    assert fields.timestamp is not None
    time = datetime.fromtimestamp(fields.timestamp, UTC)
    return _event(dict(series.tags), time, event_type="metric", metric_name=series.name, metric_value=value)


def _extras(parts: Sequence[bytes], kind: str, namer: Namer) -> tuple[dict[str, str], datetime | None]:
    own: list[tuple[str, str]] = []
    about, time = Description(), None
    for part in parts:
        key, colon, value = part.partition(b":")
        if about.takes(part) or not colon:
            continue
        if key in _EVENT_TAGS:
            own.append((_EVENT_TAGS[key], text(value)))
        elif key == b"d":
            time = _time(value)
    tags = dict(namer.tags(datadog(about.tags), about, kind))
    return {**tags, **dict(own)}, time


def _time(raw: bytes) -> datetime:
    try:
        return datetime.fromtimestamp(int(raw), UTC)
    except (ValueError, OverflowError, OSError):
        raise Rejected("bad_timestamp") from None


def _lines(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").replace("\\n", "\n").strip()


def _event(tags: Mapping[str, str], time: datetime | None, **fields: object) -> Event:
    if time is not None:
        fields["timestamp"] = time
    return Event(tags=tags, service_name=tags.get("service", ""), environment=tags.get("env", ""), **fields)  # type: ignore[arg-type]
