"""The API as a page: ``python -m yaat_plugin_gateway.web.page [--check] docs/gateway-api.md``."""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

import trio

from yaat_core.components import ComponentId, Context
from yaat_core.config.fields import defaults_of
from yaat_core.event import FIELD_HELP
from yaat_core.stats import ComponentStats, Stats
from yaat_plugin_gateway.web.openapi import document

_HEAD: Final = """<!-- Written by `make fix` from the code. -->

# The gateway's API

What `GET /openapi.json` of a gateway tells programs, for people. Every other request needs `Authorization: Bearer KEY`;
a refusal is `{"error": {"code", "problem", "fix"}, "errors": [...]}` with the status that says why.
How to use it: [gateway.md](gateway.md).
"""


def page(told: Mapping[str, Any]) -> str:
    """The page for an OpenAPI document."""
    return "\n".join([_HEAD, *_overview(told), *_operations(told), *_event(told)]) + "\n"


def _overview(told: Mapping[str, Any]) -> Iterator[str]:
    yield "| request | right | what |\n|---|---|---|"
    for method, path, operation in _each(told):
        yield f"| `{method} {path}` | {_right(operation)} | {operation['summary']} |"


def _operations(told: Mapping[str, Any]) -> Iterator[str]:
    for method, path, operation in _each(told):
        yield f"\n## {method} {path}\n\n{operation['summary']}\n"
        rows = list(_inputs(operation, told))
        if rows:
            yield "| argument | where | type | |\n|---|---|---|---|"
            yield from rows
            yield ""
        yield from _answers(operation, told)


def _each(told: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _right(operation: Mapping[str, Any]) -> str:
    right = str(operation["x-right"])
    return right if right == "any" else f"`{right}`"


def _inputs(operation: Mapping[str, Any], told: Mapping[str, Any]) -> Iterator[str]:
    for one in operation.get("parameters", ()):
        where = {"path": "path", "query": "URL"}[one["in"]]
        yield _row(one["name"], where, one["schema"], needed=one["required"])
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body is not None:
        shape = _resolved(body, told)
        for name, field in shape.get("properties", {}).items():
            yield _row(name, "body", field, needed=name in shape.get("required", ()))


def _answers(operation: Mapping[str, Any], told: Mapping[str, Any]) -> Iterator[str]:
    for status, answer in operation["responses"].items():
        if not status.startswith("2"):
            continue
        content = answer.get("content", {})
        shape = _resolved(content.get("application/json", {}).get("schema", {}), told)
        others = [f"`{media_type}`" for media_type in content if media_type != "application/json"]
        more = f"; by `Accept` also {', '.join(others)}" if others else ""
        yield f"Answers {status}: {_fields(shape)}{more}."
    refusals = [status for status in operation["responses"] if not status.startswith("2")]
    yield f"Refuses with {', '.join(refusals)}."


def _fields(shape: Mapping[str, Any]) -> str:
    listed = [f"`{name}` ({_type(field)})" for name, field in shape.get("properties", {}).items()]
    return f"JSON with {', '.join(listed)}" if listed else "without a body"


def _row(name: str, where: str, field: Mapping[str, Any], *, needed: bool) -> str:
    help = str(field.get("description") or _variant(field).get("description", "")).replace("|", "\\|")
    return f"| `{name}` | {where} | {_type(field)}{', required' if needed else ''} | {help} |"


def _event(told: Mapping[str, Any]) -> Iterator[str]:
    shape = told["components"]["schemas"]["Event"]
    yield "\n## An event\n\nWhat `events` of `POST /v1/ingest` holds; [schema.md](schema.md) has the conventions.\n"
    yield "| field | type | |\n|---|---|---|"
    for name, field in shape["properties"].items():
        needed = ", required" if name in shape["required"] else ""
        yield f"| `{name}` | {_type(field)}{needed} | {FIELD_HELP[name]} |"


def _resolved(shape: Mapping[str, Any], told: Mapping[str, Any]) -> Mapping[str, Any]:
    name = str(shape.get("$ref", "")).rpartition("/")[2]
    return cast(Mapping[str, Any], told["components"]["schemas"][name]) if name else shape


def _variant(field: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a field is when it is not null."""
    variants = [one for one in field.get("anyOf", ()) if one.get("type") != "null"]
    return variants[0] if variants else field


def _type(field: Mapping[str, Any]) -> str:
    shape = _variant(field)
    if "$ref" in shape:
        return str(shape["$ref"]).rpartition("/")[2]
    if "enum" in shape:
        return ", ".join(f"`{one}`" for one in shape["enum"] if one)
    if shape.get("type") == "array":
        return f"list of {_type(shape.get('items', {}))}"
    words = {"date-time": "time", "uuid": "UUID"}
    return words.get(str(shape.get("format")), str(shape.get("type", "anything")))


async def _document(folder: Path) -> dict[str, Any]:
    """The document of a gateway with default options."""
    from yaat_plugin_gateway.config import GatewayConfig
    from yaat_plugin_gateway.ingest.claims import Claims
    from yaat_plugin_gateway.ingest.desk import Desk
    from yaat_plugin_gateway.ingest.payloads import Payloads
    from yaat_plugin_gateway.parts import open_parts

    config = defaults_of(GatewayConfig)
    id = ComponentId.parse("sources.gateway")
    context = Context(
        id=id, agent_id=bytes(16), host_name="", state_dir=folder, config_dir=folder,
        stats=ComponentStats(Stats(), str(id)), log=logging.getLogger("yaat"),
    )  # fmt: skip
    async with open_parts(config, context) as parts:
        payloads = Payloads(config.raw_payloads, context)
        desk = Desk(config, context, parts, cast(Claims, None), payloads)  # nothing is handed in
        return document([desk.endpoint(), *parts.endpoints])


def current() -> str:
    """The page as it should be."""
    with tempfile.TemporaryDirectory() as folder:
        return page(trio.run(_document, Path(folder)))


def main(arguments: list[str]) -> int:
    """Write the page, or check it: exit code 1 when it is not up to date."""
    *options, name = arguments or ["--help"]
    if options not in ([], ["--check"]) or name.startswith("-"):
        print("usage: python -m yaat_plugin_gateway.web.page [--check] FILE", file=sys.stderr)
        return 2
    logging.getLogger("yaat").setLevel(
        logging.CRITICAL
    )  # what it says of an empty state is not meant for here
    path, wanted = Path(name), current()
    if path.exists() and path.read_text(encoding="utf-8") == wanted:
        return 0
    if options:
        print(f"{path} is not up to date: run make fix")
        return 1
    path.write_text(wanted, encoding="utf-8")
    print(f"{path} written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
