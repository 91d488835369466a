"""One thing that can be asked over HTTP, declared once: its route and its place in the OpenAPI document come from it.

    class KeyId(msgspec.Struct, forbid_unknown_fields=True):
        id: str

    async def show(call: Call[KeyId]) -> KeyInfo: ...

    KEY = Endpoint(
        method="GET", path="/v1/keys/{id}", summary="A key.", right="admin",
        arguments=KeyId, result=KeyInfo, handler=show,
    )

Fields of ``arguments`` that the path names come from there; the others from the query string (GET, DELETE) or
from one JSON object (POST, PUT, PATCH). All is checked before the handler is called: the key, its right, every value.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Generic, Literal, TypeVar

import attrs
import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from yaat_core.control.wire import status_of
from yaat_core.errors import YaatError
from yaat_plugin_gateway.access.caller import Access, Caller, Right
from yaat_plugin_gateway.web import refusal
from yaat_plugin_gateway.web.arguments import Reader
from yaat_plugin_gateway.web.refusal import Refused

log = logging.getLogger("yaat.gateway")

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
A = TypeVar("A")
#: Bytes of a JSON body, where an endpoint says nothing else.
MAX_BODY: Final = 64 * 1024
#: Seconds after which a store that can't be reached may be asked again.
_STORE_RETRY: Final = 5


@attrs.frozen(kw_only=True)
class Call(Generic[A]):
    """One request that passed: who, with what. ``arguments`` is None where the endpoint takes none."""

    caller: Caller
    arguments: A
    request: Request


@attrs.frozen(kw_only=True)
class Endpoint(Generic[A]):
    """One method of one path.

    The handler returns what msgspec encodes (answered with ``status``), or a response of its own; it refuses by raising
    `Refused`, and a `YaatError` becomes an answer too.
    """

    method: Method
    path: str
    """As Starlette writes it: ``/v1/keys/{id}``."""
    summary: str
    right: Right | None
    """What the key must be allowed to; None: any key that is recognized."""
    arguments: type[A] | None
    """A `msgspec.Struct` with ``forbid_unknown_fields``; None: the handler reads the request itself."""
    result: type[Any] | None
    """What is answered; None: the handler makes the response (streams, other media types)."""
    handler: Callable[[Call[A]], Awaitable[Any]]
    status: int = 200
    max_body: int = MAX_BODY
    body: type[Any] | None = None
    """For the document alone: the body that the handler reads itself."""
    media_types: Sequence[str] = ()
    """For the document alone: what it answers with besides JSON."""
    refusals: Mapping[int, str] = attrs.field(factory=dict)
    """For the document alone: statuses besides 400, 401, 403, 429, 500 and 503, and when they come."""


def routes(endpoints: Iterable[Endpoint[Any]], access: Access) -> list[Route]:
    """A route for each path, which knows all of its methods."""
    by_path: dict[str, dict[str, Callable[[Request], Awaitable[Response]]]] = {}
    for one in endpoints:
        methods = by_path.setdefault(one.path, {})
        if one.method in methods:
            raise ValueError(f"{one.method} {one.path} is declared twice")
        methods[one.method] = _answering(one, access)
    return [Route(path, _by_method(methods), methods=list(methods)) for path, methods in by_path.items()]


async def authenticate(request: Request, access: Access, right: Right | None) -> Caller:
    """Who asks, by the header ``Authorization: Bearer KEY`` (RFC 6750, section 2.1).

    Raises:
        Refused: 401 without a key that is known, 403 without the right, 429 after too many wrong ones.
    """
    address = request.client.host if request.client else ""
    caller = await access.caller(bearer(request.headers.getlist("authorization")), address)
    if right is not None and right not in caller.rights:
        raise Refused(
            403,
            "forbidden",
            f"the key {caller.prefix} has not the right `{right}`",
            fix=f"use a key that has it: yaat gateway keys create --right {right}",
            headers={"WWW-Authenticate": 'Bearer realm="yaat", error="insufficient_scope"'},
        )
    return caller


def bearer(headers: Sequence[str]) -> str | None:
    """The key in the headers ``Authorization``; None when there is none, or more than one."""
    if len(headers) != 1:
        return None
    scheme, _, token = headers[0].partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _by_method(
    methods: Mapping[str, Callable[[Request], Awaitable[Response]]],
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await methods["GET" if request.method == "HEAD" else request.method](request)

    return answer


def _answering(endpoint: Endpoint[Any], access: Access) -> Callable[[Request], Awaitable[Response]]:
    reader = Reader(endpoint.arguments, endpoint.path, endpoint.method, endpoint.max_body)

    async def answer(request: Request) -> Response:
        try:
            caller = await authenticate(request, access, endpoint.right)
            arguments = await reader.read(request)
            found = await endpoint.handler(Call(caller=caller, arguments=arguments, request=request))
        except Refused as refused:
            return refusal.response(refused)
        except YaatError as error:
            return refusal.response(refused_by(error))
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        except Exception as error:  # noqa: BLE001 - logged with its traceback
            return refusal.response(unforeseen(error, f"{endpoint.method} {endpoint.path}"))
        return found if isinstance(found, Response) else document(found, endpoint.status)

    return answer


def document(value: Any, status: int = 200) -> Response:
    """Any model as JSON, never cached."""
    headers = {"cache-control": "no-store"}
    return Response(msgspec.json.encode(value), status, headers=headers, media_type="application/json")


def refused_by(error: YaatError) -> Refused:
    """An error of the house as a refusal: its code, its text, how to mend it."""
    status = int(status_of(error))
    headers = {"Retry-After": str(_STORE_RETRY)} if status == 503 else {}
    return Refused(status, error.code, error.what, fix=error.fix, headers=headers)


def unforeseen(error: Exception, where: str) -> Refused:
    """Log the exception under a new id; the refusal names only the id."""
    number = uuid.uuid4().hex[:12]
    log.error("%s failed unexpectedly, id %s", where, number, exc_info=error)
    return Refused(
        500,
        "internal",
        f"the gateway failed in a way nobody foresaw, id {number}",
        fix=f"its log has the details under {number}; please report them",
    )
