"""The status every second as server-sent events (HTML standard, section 9.2): what live screens read."""

from __future__ import annotations

from typing import Final

import trio

from yaat_core.control import wire
from yaat_core.control.listen import Receive, Scope, Send
from yaat_core.control.oops import unexpected
from yaat_core.errors import YaatError
from yaat_core.operations import Operations

#: Seconds between two events.
INTERVAL: Final = 1.0


class WatchResponse:
    """An ASGI response: an event `status` each second, until the client goes. One that fails is an event `error`."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._tell, send)
            while (await receive())["type"] != "http.disconnect":
                pass
            nursery.cancel_scope.cancel()

    async def _tell(self, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        due = trio.current_time()
        while True:
            await send({"type": "http.response.body", "body": await self._event(), "more_body": True})
            due = max(due + INTERVAL, trio.current_time())
            await trio.sleep_until(due)

    async def _event(self) -> bytes:
        try:
            name, document = "status", wire.encode(await self._operations.status())
        except YaatError as error:
            name, document = "error", wire.encode(wire.error_document(error))
        except Exception as error:  # noqa: BLE001 - logged with its traceback
            name, document = "error", wire.encode(wire.error_document(unexpected(error, "watch")))
        return f"event: {name}\ndata: ".encode() + document + b"\n\n"
