"""The OpenAPI 3.1 document of the gateway's API, made from the endpoints: whatever they declare, and nothing besides."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from yaat_core import __version__
from yaat_plugin_gateway.web.endpoint import Endpoint
from yaat_plugin_gateway.web.event_schema import batch_schema, event_schema

#: Where the document is to be had, without a key.
PATHS: Final = ("/openapi.json", "/v1/openapi.json")

_REFERENCE: Final = "#/components/schemas/{name}"
_IN_PATH: Final = re.compile(r"\{(\w+)(?::\w+)?\}")
#: By name of the type that decodes it: events are described by the schema that they have everywhere.
_BETTER: Final = {"WireEvent": ("Event", event_schema), "WireBatch": ("Batch", batch_schema)}
_REFUSALS: Final[Mapping[int, str]] = {
    400: "The arguments are wrong.",
    401: "No key, or none that is known here.",
    403: "The key has not the right for this, or not this scope.",
    408: "The body came too slowly.",
    413: "The body is too large.",
    415: "The body has a type or an encoding that is not taken.",
    429: "A limit is reached; Retry-After says when to come again.",
    500: "The gateway failed; its log says why.",
    503: "Not at this moment; Retry-After says when to come again.",
}
_WITH_BODY: Final = (408, 413, 415)
_TEXT: Final = {"schema": {"type": "string"}}


def document(endpoints: Iterable[Endpoint[Any]]) -> dict[str, Any]:
    """The whole document for these endpoints."""
    served = sorted(endpoints, key=lambda one: (one.path, one.method))
    schemas = _schemas(served)
    paths: dict[str, Any] = {}
    for one in served:
        paths.setdefault(_IN_PATH.sub(r"{\1}", one.path), {})[one.method.lower()] = _operation(one, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "YAAT gateway", "version": __version__, "description": _ABOUT},
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": {**schemas, "Refusal": _REFUSAL},
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer KEY`"}
            },
        },
    }


def document_routes(endpoints: Sequence[Endpoint[Any]]) -> list[Route]:
    """Routes that serve the document."""
    body = msgspec.json.encode(document(endpoints))

    async def answer(_: Request) -> Response:
        return Response(body, media_type="application/json")

    return [Route(path, answer, methods=["GET"]) for path in PATHS]


def _schemas(served: Sequence[Endpoint[Any]]) -> dict[str, Any]:
    models = [model for one in served for model in (one.arguments, one.result, one.body) if model is not None]
    _, schemas = msgspec.json.schema_components(models, ref_template=_REFERENCE)
    better = dict(_BETTER[name] for name in schemas if name in _BETTER)
    others = {name: shape for name, shape in schemas.items() if name not in _BETTER}
    return {**others, **{name: schema() for name, schema in better.items()}}


def _operation(one: Endpoint[Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    parameters, body = _inputs(one, schemas)
    operation: dict[str, Any] = {
        "operationId": f"{one.method.lower()}{re.sub(r'[^a-zA-Z0-9]+', '_', one.path).rstrip('_')}",
        "summary": one.summary,
        "x-right": one.right or "any",
        "responses": {str(one.status): _answer(one), **_refusals(one, body is not None)},
    }
    if parameters:
        operation["parameters"] = parameters
    if body is not None:
        operation["requestBody"] = body
    return operation


def _inputs(
    one: Endpoint[Any], schemas: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """The parameters, and the body where there is one."""
    in_path = _IN_PATH.findall(one.path)
    shape = schemas[one.arguments.__name__] if one.arguments else {"properties": {}}
    fields, required = shape["properties"], shape.get("required", [])
    parameters = [
        _parameter(name, "path", fields.get(name, {"type": "string"}), needed=True) for name in in_path
    ]
    if one.method in ("GET", "DELETE"):
        rest = [name for name in fields if name not in in_path]
        parameters += [_parameter(name, "query", fields[name], needed=name in required) for name in rest]
        return parameters, None
    if one.body is not None:
        return parameters, _body(_reference(one.body), needed=True)
    if one.arguments is None:
        return parameters, None
    if not in_path:
        return parameters, _body(_reference(one.arguments), needed=bool(required))
    rest = [name for name in fields if name not in in_path]
    needed = [name for name in required if name not in in_path]
    inline = {**shape, "properties": {name: fields[name] for name in rest}, "required": needed}
    return parameters, _body(inline, needed=bool(needed)) if rest else None


def _parameter(name: str, where: str, shape: Mapping[str, Any], *, needed: bool) -> dict[str, Any]:
    about = {key: value for key, value in shape.items() if key == "description"}
    return {"name": name, "in": where, "required": needed, "schema": dict(shape), **about}


def _body(shape: Mapping[str, Any], *, needed: bool) -> dict[str, Any]:
    return {"required": needed, "content": {"application/json": {"schema": dict(shape)}}}


def _reference(model: type[Any]) -> dict[str, str]:
    name = model.__name__
    return {"$ref": _REFERENCE.format(name=_BETTER[name][0] if name in _BETTER else name)}


def _answer(one: Endpoint[Any]) -> dict[str, Any]:
    content: dict[str, Any] = {media_type: {} for media_type in one.media_types}
    if one.result is not None:
        content["application/json"] = {"schema": _reference(one.result)}
    return {"description": "Done.", "content": content} if content else {"description": "Done."}


def _refusals(one: Endpoint[Any], has_body: bool) -> dict[str, Any]:
    told = {
        status: text
        for status, text in {**_REFUSALS, **one.refusals}.items()
        if has_body or status not in _WITH_BODY or status in one.refusals
    }
    answers = {str(status): _refusal(status, text) for status, text in told.items()}
    answers["431"] = {"description": "The request line and the headers are too large; there is no body."}
    return dict(sorted(answers.items()))


def _refusal(status: int, text: str) -> dict[str, Any]:
    refusal: dict[str, Any] = {
        "description": text,
        "content": {"application/json": {"schema": {"$ref": _REFERENCE.format(name="Refusal")}}},
    }
    if status in (429, 503):
        refusal["headers"] = {"Retry-After": {**_TEXT, "description": "Seconds."}}
    if status == 401:
        refusal["headers"] = {"WWW-Authenticate": _TEXT}
    return refusal


_ABOUT: Final = (
    "The backend of YAAT: events in, questions about them out. A key has rights (`x-right` says which one a request needs)"
    " and a scope: an organization, and the services and environments that it is for."
)
_REFUSAL: Final = {
    "type": "object",
    "required": ["error", "errors"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "problem", "fix"],
            "properties": {
                "code": {"type": "string", "description": "Stable, for programs."},
                "problem": {"type": "string"},
                "fix": {"type": "string"},
            },
        },
        "errors": {
            "type": "array",
            "description": "An entry for each bad event.",
            "items": {
                "type": "object",
                "properties": {
                    "index": {"type": "integer"},
                    "field": {"type": "string"},
                    "problem": {"type": "string"},
                    "got": {},
                },
            },
        },
    },
}
