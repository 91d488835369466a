"""What travels on the control API: arguments checked before use, errors as documents, both ways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final, TypeVar

import attrs
import msgspec

from yaat_core import errors
from yaat_core.config.problems import ConfigError
from yaat_core.errors import UsageError, YaatError

T = TypeVar("T")

#: Bytes of a request body; a configuration is the largest thing that anybody sends, in JSON's escapes.
MAX_BODY: Final = 4 << 20

#: Media types of an answer that streams.
NDJSON: Final = "application/x-ndjson"
ARROW: Final = "application/vnd.apache.arrow.stream"

#: Of what is live: server-sent events.
EVENTS: Final = "text/event-stream"

#: Code of `yaat_core.control.answers.TooManyQueries`.
BUSY: Final = "YAAT-E706"

_STATUS: Final[tuple[tuple[type[YaatError], HTTPStatus], ...]] = (
    (errors.QueryTimeout, HTTPStatus.GATEWAY_TIMEOUT),
    (errors.QueryFailed, HTTPStatus.UNPROCESSABLE_ENTITY),
    (errors.NotAllowed, HTTPStatus.FORBIDDEN),
    (errors.StoreUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.UsageError, HTTPStatus.BAD_REQUEST),
    (ConfigError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (errors.QueryRefused, HTTPStatus.BAD_REQUEST),
)


def encode(value: Any) -> bytes:
    """Any model, attrs class or JSON-ready value, as one JSON document."""
    return msgspec.json.encode(value)


def arguments(text: bytes, model: type[T], where: str) -> T:
    """A request body as its model; an empty one means no arguments.

    Raises:
        UsageError: not JSON, an unknown name, a wrong type or a value out of range; says which.
    """
    try:
        given = msgspec.json.decode(text) if text.strip() else {}
    except msgspec.DecodeError as error:
        raise UsageError(
            f"the body is no JSON document: {error}", where=where, fix="send one JSON object"
        ) from None
    return checked(given, model, where)


def checked(given: Any, model: type[T], where: str, *, strict: bool = True) -> T:
    """A decoded object as its model. With ``strict`` off, numbers may be written as text (query strings).

    Raises:
        UsageError: as `arguments`.
    """
    names = [field.name for field in attrs.fields(model)]  # type: ignore[arg-type]
    if isinstance(given, Mapping):
        unknown = sorted(set(given) - set(names))
        if unknown:
            raise UsageError(
                f"unknown argument {', '.join(map(repr, unknown))}",
                where=where,
                fix=f"allowed: {', '.join(names)}" if names else "this takes no arguments",
            )
    try:
        return msgspec.convert(given, model, strict=strict)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"wrong arguments: {error}",
            where=where,
            fix="the shapes are those of GET /v1/openapi.json",
        ) from None


def status_of(error: YaatError) -> HTTPStatus:
    """The HTTP status that tells of an error."""
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return status
    if error.code == BUSY:
        return HTTPStatus.SERVICE_UNAVAILABLE
    return HTTPStatus.INTERNAL_SERVER_ERROR


def error_document(error: YaatError) -> dict[str, object]:
    """An error for the other side: its facts and the exit code that a command ends with."""
    return {**error.to_json(), "exit_code": error.exit_code}


def error_from(document: Any) -> YaatError:
    """The error of a document, of the class with its code when there is one here."""
    facts = document if isinstance(document, Mapping) else {}
    code = str(facts.get("code", YaatError.code))
    if code == ConfigError.code and facts.get("problems"):
        return ConfigError.from_json(facts["problems"])
    texts = {name: str(facts.get(name, "")) for name in ("where", "cause", "effect", "fix")}
    made = _class_of(code)(str(facts.get("what", "the agent reported an error without a text")), **texts)
    if made.code != code:
        exit_code = facts.get("exit_code")
        named: Any = made
        named.code = code
        named.exit_code = exit_code if isinstance(exit_code, int) else 1
    return made


def _class_of(code: str) -> type[YaatError]:
    return next((kind for kind in _kinds(YaatError) if kind.code == code), YaatError)


def _kinds(kind: type[YaatError]) -> Iterator[type[YaatError]]:
    """Every error class whose constructor takes the facts alone."""
    if "__init__" not in vars(kind) or kind is YaatError:
        yield kind
        for below in kind.__subclasses__():
            yield from _kinds(below)
