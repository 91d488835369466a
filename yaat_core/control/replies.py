"""HTTP responses of the control API: a JSON document, or an error as one."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from yaat_core.control import wire
from yaat_core.errors import YaatError


def document(value: Any, status: int = 200) -> Response:
    """Any model as JSON, never cached."""
    headers = {"cache-control": "no-store"}
    return Response(wire.encode(value), status, headers=headers, media_type="application/json")


def problem(error: YaatError) -> Response:
    """An error with the HTTP status that tells of it."""
    return document(wire.error_document(error), wire.status_of(error))
