"""The OpenAPI 3.1 document of the control API, made from the table of actions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from yaat_core import __version__
from yaat_core.actions.base import Action
from yaat_core.control import wire

_REFERENCE = "#/components/schemas/{name}"


def document(actions: Iterable[Action[Any, Any]]) -> dict[str, Any]:
    """The whole document for these actions."""
    served = list(actions)
    models = [model for action in served for model in (action.arguments, action.result)]
    refs, schemas = msgspec.json.schema_components(models, ref_template=_REFERENCE)
    shapes = list(zip(served, refs[::2], refs[1::2], strict=True))
    return {
        "openapi": "3.1.0",
        "info": {"title": "YAAT control API", "version": __version__},
        "paths": {action.path: _path(action, given, result) for action, given, result in shapes},
        "components": {"schemas": {**schemas, "Error": _ERROR}},
    }


def _path(action: Action[Any, Any], given: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    about = {
        "summary": action.summary,
        "x-danger": action.danger,
        **({"x-command": f"yaat {action.command}"} if action.command else {}),
        "responses": {"200": _answer(action, result), "default": _FAILURE},
    }
    body = {"required": False, "content": {"application/json": {"schema": given}}}
    post = {**about, "operationId": action.name, "requestBody": body}
    if not action.looks:
        return {"post": post}
    get = {**about, "operationId": f"{action.name}.get", "parameters": _parameters(action)}
    return {"post": post, "get": get}


def _answer(action: Action[Any, Any], result: dict[str, Any]) -> dict[str, Any]:
    if action.stream:
        content: dict[str, Any] = {wire.NDJSON: {}, wire.ARROW: {}}
        return {"description": "Columns, batches of rows, then the end or an error.", "content": content}
    if action.live:
        told = (
            f"Server-sent events until the asker leaves: `{action.event}` with this as its data, again and again; `error` "
            "with an Error as its data is the last one. Comments come between them while there is nothing to tell."
        )
        return {"description": told, "content": {wire.EVENTS: {"schema": result}}}
    return {"description": "Done.", "content": {"application/json": {"schema": result}}}


def _parameters(action: Action[Any, Any]) -> list[dict[str, Any]]:
    _, schemas = msgspec.json.schema_components([action.arguments], ref_template=_REFERENCE)
    own = schemas[action.arguments.__name__]
    return [
        {"name": name, "in": "query", "required": name in own.get("required", ()), "schema": shape}
        for name, shape in own["properties"].items()
    ]


_ERROR = {
    "type": "object",
    "required": ["code", "what", "exit_code"],
    "properties": {
        "code": {"type": "string", "description": "Stable: `yaat explain CODE`."},
        "exit_code": {"type": "integer", "description": "What a command ends with."},
        **{name: {"type": "string"} for name in ("what", "where", "cause", "effect", "fix")},
    },
}
_FAILURE = {
    "description": "It failed.",
    "content": {"application/json": {"schema": {"$ref": _REFERENCE.format(name="Error")}}},
}
