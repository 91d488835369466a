"""An event as JSON Schema, made from `yaat_core.event`: what POST /v1/ingest takes."""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa

from yaat_core.event import EVENT_TYPES, FIELD_HELP, LEVELS, SCHEMA

_OF_TYPE: Final[dict[Any, dict[str, Any]]] = {
    pa.string(): {"type": "string"},
    pa.binary(16): {"type": "string", "format": "uuid"},
    pa.timestamp("us", "UTC"): {"type": "string", "format": "date-time"},
    pa.float64(): {"type": "number"},
    pa.uint16(): {"type": "integer", "minimum": 0, "maximum": 65_535},
    pa.map_(pa.string(), pa.string()): {"type": "object", "additionalProperties": {"type": "string"}},
}
_MORE: Final[dict[str, dict[str, Any]]] = {
    "service_name": {"minLength": 1},
    "event_type": {"enum": list(EVENT_TYPES), "default": "log"},
    "level": {"enum": [*LEVELS, ""]},
    "environment": {"default": "production"},
    "trace_id": {"pattern": "^[0-9a-f]*$"},
    "span_id": {"pattern": "^[0-9a-f]*$"},
    "parent_span_id": {"pattern": "^[0-9a-f]*$"},
}
#: What an event that is sent must name itself.
_REQUIRED: Final = ("service_name",)


def event_schema() -> dict[str, Any]:
    """One event."""
    return {
        "title": "Event",
        "type": "object",
        "description": "What is not given is absent; nothing else may be given.",
        "properties": {field.name: _field(field) for field in SCHEMA},
        "required": list(_REQUIRED),
        "additionalProperties": False,
    }


def batch_schema() -> dict[str, Any]:
    """A body of POST /v1/ingest."""
    return {
        "title": "Batch",
        "type": "object",
        "properties": {"events": {"type": "array", "items": {"$ref": "#/components/schemas/Event"}}},
        "required": ["events"],
        "additionalProperties": False,
    }


def _field(field: pa.Field) -> dict[str, Any]:
    return {**_OF_TYPE[field.type], **_MORE.get(field.name, {}), "description": FIELD_HELP[field.name]}
