"""The body of POST /v1/ingest to a batch: the fast way, and where something is unusual the careful one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa

from yaat_core.event import TIME_TYPE, EventBatch
from yaat_plugin_gateway.ingest import careful, fast
from yaat_plugin_gateway.ingest.careful import BadEvent
from yaat_plugin_gateway.ingest.reading import Doubled, malformed, read
from yaat_plugin_gateway.web.refusal import Refused

#: Bodies beyond this size are looked at before they are parsed: `[1,1,1` takes fifty times its size in memory.
_LARGE: Final = 2**20
#: Values of one body, counted by what may stand between two, also within texts.
_MOST_VALUES: Final = 2_000_000


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
        Refused: 400, the body as a whole is wrong; 413, too many events, or values in all.
    """
    _bounded_values(body)
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


def _bounded_values(body: bytes) -> None:
    if len(body) <= _LARGE:
        return
    letters = np.frombuffer(body, np.uint8)
    values = sum(int(np.count_nonzero(letters == ord(mark))) for mark in ",[{")
    if values > _MOST_VALUES:
        raise Refused(
            413,
            "too_many_values",
            f"more than {_MOST_VALUES} values in one request",
            fix="send fewer at once",
        )


def _bounded(events: int, most: int) -> None:
    if events > most:
        raise Refused(
            413,
            "too_many_events",
            f"{events} events in one request; at most {most}",
            fix="send fewer at once",
        )
