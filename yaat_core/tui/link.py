"""The TUI's line to the agent: calls, and the status that it tells every second. HTTP over the Unix sockets, in trio."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
import msgspec

from yaat_core.actions.base import Action
from yaat_core.control import sockets, wire
from yaat_core.control.client import PATIENCE, AnswerCut, NoAnswerInTime, _connect_error, _error_of
from yaat_core.errors import YaatError
from yaat_core.status import Status

A = TypeVar("A")
R = TypeVar("R")

#: Bytes of one event of a stream at most.
_MAX_EVENT: Final = 16 * 2**20
#: Seconds without any event after which the agent counts as gone.
_SILENCE: Final = 15.0


class Link:
    """To the agent of one state directory. Raises as `yaat_core.control.client.Client`."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self._http: dict[str, httpx.AsyncClient] = {}

    async def call(self, action: Action[A, R], given: A, *, patience: float = PATIENCE) -> R:
        """Do it, and return its result as the class that the action names."""
        async with self._errors():
            client = self._client(sockets.READ if action.danger == "read" else sockets.CONTROL)
            answer = await client.post(action.path, content=wire.encode(given), timeout=patience)
        if answer.status_code != 200:
            raise _error_of(answer)
        return msgspec.json.decode(answer.content, type=action.result)

    async def watch(self) -> AsyncIterator[Status]:
        """The status each second, until the agent goes."""
        async with self._errors(), self._client(sockets.READ).stream(
            "GET", "/v1/watch", timeout=httpx.Timeout(PATIENCE, read=_SILENCE)
        ) as response:  # fmt: skip
            if response.status_code != 200:
                await response.aread()
                raise _error_of(response)
            async for name, data in events(response.aiter_bytes()):
                if name == "error":
                    raise wire.error_from(json.loads(data))
                if name == "status":
                    yield msgspec.json.decode(data, type=Status)
        raise AnswerCut("the agent ended the connection", where=str(self.state_dir))

    async def close(self) -> None:
        """Hang up."""
        for client in self._http.values():
            await client.aclose()
        self._http.clear()

    def _client(self, name: str) -> httpx.AsyncClient:
        if name not in self._http:
            transport = httpx.AsyncHTTPTransport(uds=str(self.state_dir / name))
            self._http[name] = httpx.AsyncClient(transport=transport, base_url="http://yaat")
        return self._http[name]

    @asynccontextmanager
    async def _errors(self) -> AsyncIterator[None]:
        try:
            yield
        except httpx.TimeoutException:
            raise NoAnswerInTime(
                "the agent did not answer in time",
                where=str(self.state_dir),
                fix="try again; its log says what keeps it busy",
            ) from None
        except httpx.ConnectError as error:
            raise _connect_error(error, self.state_dir) from None
        except httpx.TransportError as error:
            raise AnswerCut(
                f"the connection to the agent broke: {error or type(error).__name__}",
                where=str(self.state_dir),
                fix="the agent stopped or was killed",
            ) from None


async def events(pieces: AsyncIterator[bytes]) -> AsyncIterator[tuple[str, bytes]]:
    """Server-sent events as (name, data). Raises `YaatError` for one that is too large."""
    rest = b""
    async for piece in pieces:
        rest += piece
        *whole, rest = rest.split(b"\n\n")
        for one in whole:
            name, data = "message", []
            for line in one.split(b"\n"):
                field, _, value = line.partition(b": ")
                if field == b"event":
                    name = value.decode("utf-8", "replace")
                elif field == b"data":
                    data.append(value)
            if data:
                yield name, b"\n".join(data)
        if len(rest) > _MAX_EVENT:
            raise YaatError("an event of the agent is too large", fix="report it")


def harmless(error: YaatError) -> dict[str, Any]:
    """The facts of an error as text that a terminal may show."""
    from yaat_core.tui.text import safe

    return {name: safe(value) for name, value in error.to_json().items()}
