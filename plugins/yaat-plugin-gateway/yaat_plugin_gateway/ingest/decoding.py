"""The body of POST /v1/ingest to a batch: the fast way, and where something is unusual the careful one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import pyarrow as pa

from yaat_core.event import TIME_TYPE, EventBatch
from yaat_plugin_gateway.ingest import careful, fast
from yaat_plugin_gateway.ingest.careful import BadEvent
from yaat_plugin_gateway.ingest.reading import Doubled, malformed, read
from yaat_plugin_gateway.web.refusal import Refused


@attrs.frozen
class Decoded:
    """The good events; the bad ones by their place among all."""

    batch: EventBatch
    bad: Sequence[BadEvent] = ()

    @property
    def events(self) -> int:
        """How many were sent."""
        return len(self.batch) + len(self.bad)


def decode(body: bytes, organization: str, received_us: int, max_events: int) -> Decoded:
    """Decode; synchronous, for worker threads too.

    ``organization`` is the `organization_id` of all events, whatever they say. ``received_us``, microseconds since the epoch, is
    the `received_at` of all and the `timestamp` of those that have none.

    Raises:
        Refused: 400, the body as a whole is wrong; 413, too many events.
    """
    batch = fast.decode(body, organization, pa.scalar(received_us, TIME_TYPE))
    if batch is not None:
        _bounded(len(batch), max_events)
        return Decoded(batch)
    events = _events(read(body))
    _bounded(len(events), max_events)
    return Decoded(*careful.batch_of(events, organization, received_us))


def _events(document: Any) -> list[Any]:
    if isinstance(document, Doubled):
        raise malformed(f"`{careful.shown(document.name)}` stands twice in the body")
    if not isinstance(document, dict) or not isinstance(document.get("events"), list):
        raise malformed('the body must be an object with a list "events"')
    for name in document:
        if name != "events":
            raise malformed(f"the body has a member `{careful.shown(name)}` besides `events`")
    events: list[Any] = document["events"]
    return events


def _bounded(events: int, most: int) -> None:
    if events > most:
        raise Refused(
            413,
            "too_many_events",
            f"{events} events in one request; at most {most}",
            fix="send fewer at once",
        )
