"""What a request gives an endpoint: from its path, its query string or its JSON body, checked strictly."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec
from msgspec import inspect
from starlette.requests import Request

from yaat_plugin_gateway.web.refusal import Refused

_IN_PATH: Final = re.compile(r"\{(\w+)(?::\w+)?\}")
_MANY: Final = (inspect.ListType, inspect.SetType, inspect.FrozenSetType, inspect.VarTupleType)


class Reader:
    """Reads the arguments of one endpoint. ``model`` None: reads nothing, and gives None."""

    def __init__(self, model: type[Any] | None, path: str, method: str, max_body: int) -> None:
        self._model = model
        self._in_path = frozenset(_IN_PATH.findall(path))
        self._from_query = method in ("GET", "DELETE")
        self._max_body = max_body
        self._many = _many(model)

    async def read(self, request: Request) -> Any:
        """The arguments.

        Raises:
            Refused: 400 for what does not fit, 413 and 415 for bodies that are too large or no JSON.
        """
        if self._model is None:
            return None
        given = self._query(request) if self._from_query else await self._body(request)
        for name in self._in_path:
            if name in given:
                raise _wrong(f"`{name}` stands in the path, and can't be given again")
            given[name] = request.path_params[name]
        try:
            return msgspec.convert(given, self._model, strict=not self._from_query)
        except (msgspec.ValidationError, RecursionError) as error:
            raise _wrong(str(error)) from None

    def _query(self, request: Request) -> dict[str, Any]:
        given: dict[str, Any] = {}
        for name, value in request.query_params.multi_items():
            if name in self._many:
                given.setdefault(name, []).append(value)
            elif name in given:
                raise _wrong(f"`{name}` is given twice")
            else:
                given[name] = value
        return given

    async def _body(self, request: Request) -> dict[str, Any]:
        if request.query_params:
            raise _wrong(
                f"a {request.method} takes its arguments as one JSON object in the body, not in the URL"
            )
        body = await _bounded(request, self._max_body)
        if not body.strip():
            return {}
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Refused(
                415,
                "unsupported_media_type",
                f"the body is {kind or 'of no type'}",
                fix="send application/json",
            )
        try:
            given = msgspec.json.decode(body)
        except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError) as error:
            raise _wrong(f"the body is no JSON: {error}") from None
        if not isinstance(given, dict):
            raise _wrong("the body is no JSON object")
        return given


async def _bounded(request: Request, limit: int) -> bytes:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise Refused(415, "unsupported_encoding", f"the body is encoded as {encoding}", fix="send it plain")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise Refused(413, "too_large", f"the body is larger than {limit} bytes", fix="send less at once")
    return bytes(body)


def _many(model: type[Any] | None) -> frozenset[str]:
    """The fields that may be given more than once in a query string."""
    if model is None:
        return frozenset()
    about = inspect.type_info(model)
    assert isinstance(about, inspect.StructType), f"{model.__name__} is no msgspec.Struct"
    return frozenset(field.encode_name for field in about.fields if isinstance(field.type, _MANY))


def _wrong(problem: str) -> Refused:
    return Refused(400, "invalid_arguments", problem, fix="the shapes are those of GET /v1/openapi.json")
