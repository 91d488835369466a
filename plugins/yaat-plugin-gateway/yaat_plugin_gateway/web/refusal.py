"""What a caller is told when a request is not granted: one shape for every route."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import msgspec
from starlette.responses import Response


@attrs.define(eq=False)
class Refused(Exception):
    """A request that is not granted.

    Answered as JSON ``{"error": {"code", "problem", "fix"}, "errors": [...]}`` with ``status`` and ``headers``;
    ``errors`` has one entry for each bad event: ``{"index", "field", "problem", "got"}``.
    """

    status: int
    code: str
    """Stable, for programs: ``unauthorized``, ``rate_limited``, ``quota_exceeded``, ``invalid_events``, ..."""
    problem: str
    fix: str = ""
    headers: Mapping[str, str] = attrs.field(factory=dict)
    errors: Sequence[Mapping[str, Any]] = ()
    more: Mapping[str, Any] = attrs.field(factory=dict)
    """Further members of the answer (``accepted``, ``limit``, ``reset_seconds``)."""

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.problem}"


def response(refused: Refused) -> Response:
    """The answer that tells of it, never cached."""
    error = {"code": refused.code, "problem": refused.problem, "fix": refused.fix}
    body = {"error": error, "errors": list(refused.errors), **refused.more}
    headers = {**refused.headers, "cache-control": "no-store"}
    return Response(msgspec.json.encode(body), refused.status, headers=headers, media_type="application/json")
