"""GET and POST /v1/query: SQL over the events that the key may see."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Final, Literal

import attrs
import msgspec
from msgspec import UNSET, Meta, UnsetType
from starlette.responses import Response

from yaat_core.control.answers import AnswerResponse, Failures
from yaat_core.control.encoders import ENCODERS, CsvEncoder
from yaat_core.control.listen import Receive, Scope, Send
from yaat_core.errors import QueryFailed, QueryTimeout, YaatError
from yaat_plugin_gateway.access.caller import Caller
from yaat_plugin_gateway.asking.formats import MEDIA_TYPES, format_for
from yaat_plugin_gateway.asking.options import QueryOptions
from yaat_plugin_gateway.asking.seats import Seats
from yaat_plugin_gateway.asking.store import EventStore
from yaat_plugin_gateway.web import refusal
from yaat_plugin_gateway.web.endpoint import Call, Endpoint, refused_by
from yaat_plugin_gateway.web.refusal import Refused

_ROWS: Final = 10_000
_SECONDS: Final = 30.0
#: Bytes of a POST: the longest SQL, escaped.
_MAX_BODY: Final = 1 << 20


class Query(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A question."""

    sql: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=100_000,
            description="One SELECT statement over `events`, `logs`, `spans` and `metrics`, in DuckDB's SQL.",
        ),
    ]
    limit: (
        Annotated[int, Meta(ge=1, le=10_000_000, description="Rows at most; 10,000 unless told otherwise.")]
        | UnsetType
    ) = UNSET
    timeout: (
        Annotated[
            float, Meta(gt=0, le=3600, description="Seconds that it may take; 30 unless told otherwise.")
        ]
        | UnsetType
    ) = UNSET
    format: (
        Annotated[
            Literal["json", "ndjson", "csv", "arrow", "parquet"],
            Meta(description="Instead of the header Accept."),
        ]
        | UnsetType
    ) = UNSET
    csv_safe: Annotated[
        bool, Meta(description="CSV: put ' before cells that a spreadsheet would take for a formula.")
    ] = False


class Column(msgspec.Struct):
    """A column of an answer."""

    name: str
    type: Annotated[str, Meta(description="Its Arrow type.")]


class End(msgspec.Struct, omit_defaults=True):
    """How an answer ended."""

    rows: int
    truncated: Annotated[bool, Meta(description="There are more rows.")]
    cut_by: Annotated[Literal["rows", "bytes"], Meta(description="Which limit cut it.")] | UnsetType = UNSET


class Failed(msgspec.Struct):
    """Why an answer broke off after it had begun."""

    code: str
    problem: str
    fix: str


class QueryResult(msgspec.Struct, omit_defaults=True):
    """An answer as JSON. It has `end`, or `error` where it broke off."""

    columns: list[Column]
    rows: Annotated[list[dict[str, Any]], Meta(description="An object a row; times are RFC 3339 in UTC.")]
    end: End | UnsetType = UNSET
    error: Failed | UnsetType = UNSET


class Queries:
    """Answers questions, each within the limits and the scope of its key."""

    def __init__(self, store: EventStore, options: QueryOptions, seats: Seats) -> None:
        self._store = store
        self._options = options
        self._seats = seats

    def endpoints(self) -> list[Endpoint[Any]]:
        """GET for short SQL, POST for any."""
        shared: dict[str, Any] = {
            "path": "/v1/query",
            "right": "read",
            "arguments": Query,
            "result": QueryResult,
            "media_types": [kind for form, kind in MEDIA_TYPES.items() if form != "json"],
            "handler": self._answer,
            "refusals": {
                406: "No format that Accept names.",
                422: "The SQL is wrong, or takes too much time (`YAAT-E603`) or memory.",
            },
        }
        summary = "SQL over the events that the key may see."
        return [
            Endpoint(method="GET", summary=summary, **shared),
            Endpoint(method="POST", summary="The same, for long SQL.", max_body=_MAX_BODY, **shared),
        ]

    async def _answer(self, call: Call[Query]) -> Response:
        asked = call.arguments
        accept = call.request.headers.get("accept", "")
        form = format_for(accept) if asked.format is UNSET else asked.format
        rows = self._within("limit", asked.limit, _ROWS, self._options.max_rows)
        seconds = self._within("timeout", asked.timeout, _SECONDS, float(self._options.max_time))
        return _Seated(
            self._seats,
            call.caller,
            AnswerResponse(
                partial(self._store.query, asked.sql, call.caller.scope, rows=int(rows), seconds=seconds),
                partial(CsvEncoder, safe=asked.csv_safe) if form == "csv" else ENCODERS[form],
                self._seats.threads,
                failures=_FAILURES,
                headers={"X-YAAT-Row-Limit": str(int(rows))},
                most_bytes=int(self._options.max_bytes),
            ),
        )

    def _within(self, name: str, given: float | UnsetType, default: float, most: float) -> float:
        if given is UNSET:
            return min(default, most)
        if given > most:
            raise Refused(
                400,
                "invalid_arguments",
                f"`{name}` is {given:g}, and this gateway allows {most:g}",
                fix="ask for less, or page through it by `timestamp` or `event_id`",
            )
        return given


class _Seated(Response):
    """A response that has a seat until its last byte is sent."""

    def __init__(self, seats: Seats, caller: Caller, inner: AnswerResponse) -> None:
        super().__init__()
        self._seats = seats
        self._caller = caller
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with self._seats.one(self._caller):
                await self._inner(scope, receive, send)
        except Refused as refused:
            await refusal.response(refused)(scope, receive, send)


def refused_query(error: YaatError) -> Refused:
    """What went wrong with a query. That it took too long is the query's fault, not the gateway's."""
    if isinstance(error, QueryTimeout):
        fix = "ask for less (a shorter time, fewer columns), or allow more with `timeout`"
        return Refused(422, error.code, error.what, fix=fix)
    refused = refused_by(error)
    place = f" ({error.where})" if isinstance(error, QueryFailed) and error.where else ""
    return attrs.evolve(refused, problem=refused.problem + place)


def _told(error: YaatError) -> dict[str, str]:
    refused = refused_query(error)
    return {"code": refused.code, "problem": refused.problem, "fix": refused.fix}


_FAILURES: Final = Failures(lambda error: refusal.response(refused_query(error)), _told)
