"""The body of POST /v1/ingest as types: what the fast way of decoding expects."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

Text = str | None | UnsetType
Number = float | None | UnsetType
Status = Annotated[int, Meta(ge=0, le=65_535)] | None | UnsetType


class WireEvent(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One event as agents write it; what is absent is told from what is null."""

    service_name: str
    organization_id: Text = UNSET
    environment: Text = UNSET
    event_id: Text = UNSET
    timestamp: Text = UNSET
    received_at: Text = UNSET
    event_type: Text = UNSET
    level: Text = UNSET
    message: Text = UNSET
    stacktrace: Text = UNSET
    trace_id: Text = UNSET
    span_id: Text = UNSET
    parent_span_id: Text = UNSET
    operation: Text = UNSET
    duration_ms: Number = UNSET
    status_code: Status = UNSET
    metric_name: Text = UNSET
    metric_value: Number = UNSET
    tags: dict[str, str] | UnsetType | None = UNSET


class WireBatch(msgspec.Struct, forbid_unknown_fields=True):
    """The body."""

    events: list[WireEvent]


#: Where the event names none.
ENVIRONMENT: Final = "production"
EVENT_TYPE: Final = "log"
#: Tags of one event, and bytes of a tag's name, of `service_name` and `environment`: more is a mistake.
MAX_TAGS: Final = 1_024
MAX_NAME: Final = 1_024
#: Nesting of JSON in a tag.
MAX_DEPTH: Final = 32
