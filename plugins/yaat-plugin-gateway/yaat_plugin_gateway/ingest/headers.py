"""What the headers of an ingest request ask for."""

from __future__ import annotations

import re
from typing import Final

import attrs
from starlette.requests import Request

from yaat_core.event import SCHEMA_VERSION
from yaat_plugin_gateway.web.refusal import Refused

#: ``1``: take events again whose `event_id` is known. For keys with the right `admin`.
REPLAY: Final = "x-yaat-replay"
_BATCH_ID: Final = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}", re.ASCII)
#: RFC 7240: preferences with commas between them, perhaps with parameters.
_LENIENT: Final = re.compile(r"(?:^|,)\s*handling\s*=\s*\"?lenient\"?\s*(?:[;,]|$)", re.IGNORECASE)


@attrs.frozen(kw_only=True)
class Asked:
    """The headers, understood."""

    batch_id: str | None
    coding: str
    length: int | None
    lenient: bool
    replay: bool
    """Events that are in already are meant to be taken again."""


def read(request: Request) -> Asked:
    """Read and check them.

    Raises:
        Refused: 400 or 415, naming the header.
    """
    _check_type(_one(request, "content-type"))
    _check_version(_one(request, "x-yaat-schema-version"))
    batch_id = _one(request, "batch-id")
    if batch_id is not None and not _BATCH_ID.fullmatch(batch_id):
        raise _wrong("Batch-Id must be 1 to 128 letters, digits or any of . _ : / + = -")
    length = request.headers.get("content-length", "")
    return Asked(
        batch_id=batch_id,
        coding=_one(request, "content-encoding") or "",
        length=int(length) if length.isascii() and length.isdecimal() else None,
        replay=_one(request, REPLAY) == "1",
        lenient=any(_LENIENT.search(one) for one in request.headers.getlist("prefer")),
    )


def _one(request: Request, name: str) -> str | None:
    values = request.headers.getlist(name)
    if len(values) > 1:
        raise _wrong(f"the header {name} is given more than once")
    return values[0] if values else None


def _check_type(value: str | None) -> None:
    kind = (value or "application/json").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(
            415,
            "unsupported_media_type",
            f"the body is {kind[:100]!r}",
            fix="send Content-Type: application/json",
        )


def _check_version(value: str | None) -> None:
    text = (value or "1").strip()
    if not re.fullmatch(r"[1-9]\d{0,8}", text, re.ASCII):
        raise _wrong("X-YAAT-Schema-Version must be a whole number")
    if int(text) > SCHEMA_VERSION:
        raise Refused(
            400,
            "schema_too_new",
            f"this gateway knows the event schema up to version {SCHEMA_VERSION}, the batch has version {text}",
            fix="update the gateway, before the agents that send to it",
        )


def _wrong(problem: str) -> Refused:
    return Refused(400, "invalid_header", problem, fix="see POST /v1/ingest in GET /v1/openapi.json")
