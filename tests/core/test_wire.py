"""Events as JSON come back as they were."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from yaat_core.event import Event, EventBatch
from yaat_core.wire import rows_to_json, to_json_lines

WHEN = datetime(2026, 1, 5, 10, 0, 0, 123456, UTC)


def test_one_event_in_full() -> None:
    id = uuid.uuid4()
    event = Event(
        message="hé\n\x00",
        level="error",
        timestamp=WHEN,
        received_at=WHEN,
        service_name="shop",
        environment="production",
        organization_id="local",
        event_id=id,
        status_code=500,
        duration_ms=1.5,
        tags={"a": "1"},
    )
    [line] = rows_to_json(EventBatch.from_events([event]))
    assert json.loads(line) == {
        "organization_id": "local",
        "service_name": "shop",
        "environment": "production",
        "event_id": str(id),
        "timestamp": "2026-01-05T10:00:00.123456Z",
        "received_at": "2026-01-05T10:00:00.123456Z",
        "event_type": "log",
        "level": "error",
        "message": "hé\n\x00",
        "duration_ms": 1.5,
        "status_code": 500,
        "tags": {"a": "1"},
    }


@given(
    st.lists(
        st.tuples(
            st.none() | st.text(),
            st.dictionaries(st.text(), st.text(), max_size=3),
            st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)),
        ),
        max_size=5,
    )
)
def test_lines_and_rows_agree_and_nothing_is_changed(
    rows: list[tuple[str | None, dict[str, str], datetime]],
) -> None:
    events = [
        Event(message=m, tags=t, timestamp=w.replace(tzinfo=UTC), event_id=uuid.uuid4()) for m, t, w in rows
    ]
    batch = EventBatch.from_events(events)
    lines = rows_to_json(batch)
    assert to_json_lines(batch).splitlines() == lines
    for line, event in zip(lines, events, strict=True):
        document = json.loads(line)
        assert document.get("message") == event.message
        assert document["tags"] == event.tags
        assert datetime.fromisoformat(document["timestamp"]) == event.timestamp
