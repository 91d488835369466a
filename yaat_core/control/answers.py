"""The answer to a query as an HTTP response that streams, in any format of `encoders`.

The answer is iterated and closed in one worker thread, which waits while the client does not read.
An answer without its end was cut: what has no place for an error in its format has no end when one comes.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import attrs
import trio
from starlette.responses import Response

from yaat_core.components import QueryAnswer
from yaat_core.control import replies, wire
from yaat_core.control.encoders import ArrowEncoder, Encoder, NdjsonEncoder
from yaat_core.control.interrupting import interrupting
from yaat_core.control.listen import Message, Receive, Scope, Send
from yaat_core.control.oops import unexpected
from yaat_core.errors import YaatError


class TooManyQueries(YaatError):
    """No more queries at one time."""

    code = wire.BUSY


@attrs.frozen
class Failures:
    """How an API tells of errors: as a response before the answer began, as a document within it."""

    response: Callable[[YaatError], Response]
    document: Callable[[YaatError], Mapping[str, Any]]


_CONTROL: Final = Failures(replies.problem, wire.error_document)


def encoder_for(accept: str) -> Callable[[Any], Encoder]:
    """What a client of the control API takes: Arrow where it says so, else NDJSON."""
    return ArrowEncoder if wire.ARROW in accept else NdjsonEncoder


class AnswerResponse:
    """An ASGI response that asks, and streams the answer; when the client goes, the query is stopped.

    ``slots`` bounds how many queries there are at one time. The threads are their own, so that clients that read
    slowly never take those of the pipeline. ``most_bytes`` bounds the rows that are sent.
    """

    def __init__(
        self,
        ask: Callable[[], Awaitable[QueryAnswer]],
        encoder: Callable[[Any], Encoder],
        slots: trio.CapacityLimiter,
        *,
        failures: Failures = _CONTROL,
        headers: Mapping[str, str] | None = None,
        most_bytes: int | None = None,
    ) -> None:
        self._ask = ask
        self._encoder = encoder
        self._slots = slots
        self._failures = failures
        self._headers = headers or {}
        self._most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(cancel_on_disconnect, receive, nursery.cancel_scope)
            failed: YaatError | None
            try:
                failed = await self._stream(*await self._asked(), send)
            except YaatError as error:
                failed = error
            if failed is not None:
                await self._failures.response(failed)(scope, receive, send)
            nursery.cancel_scope.cancel()

    async def _asked(self) -> tuple[QueryAnswer, Any]:
        """The answer and its schema; what fails before the first row is raised here."""
        if not self._slots.available_tokens:
            raise TooManyQueries(
                f"{int(self._slots.total_tokens)} queries run already", fix="wait for one to end, or stop one"
            )
        try:
            answer = await self._ask()
        except YaatError:
            raise
        except Exception as error:
            raise unexpected(error, "query") from error
        try:
            return answer, await trio.to_thread.run_sync(lambda: answer.schema)
        except BaseException:
            answer.close()
            raise

    async def _stream(self, answer: QueryAnswer, schema: Any, send: Send) -> YaatError | None:
        """Send the answer; the error, when one came before the first row and nothing was sent."""
        outgoing, incoming = trio.open_memory_channel[bytes](1)
        reading = _Reading(answer, self._encoder(schema), self._failures, self._most_bytes, outgoing)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_pump, incoming, send, reading.encoder.media_type, self._headers)
            async with outgoing, interrupting(lambda: answer):
                await trio.to_thread.run_sync(reading.read, limiter=self._slots)
        if reading.whole:
            await send(_body(b"", more=False))
        return reading.refused


@attrs.define
class _Reading:
    """An answer on its way to the client; `read` runs in the worker thread."""

    answer: QueryAnswer
    encoder: Encoder
    failures: Failures
    most_bytes: int | None
    outgoing: trio.MemorySendChannel[bytes]
    whole: bool = False
    """The client was told how the answer ended."""
    refused: YaatError | None = None
    """The error that came before the first row: nothing was sent."""
    rows: int = 0
    size: int = 0

    def read(self) -> None:
        """All of it. Raises trio.Cancelled when the client is gone."""
        try:
            document = self._rows_sent()
            if self.refused is None:
                self._finish(document)
        finally:
            self.answer.close()

    def _rows_sent(self) -> dict[str, Any]:
        """Send the rows; how it ended."""
        batches = iter(self.answer)
        try:
            first = next(batches, None)
        except YaatError as error:
            self.refused = error
            return {}
        except Exception as error:  # noqa: BLE001 - logged with its traceback
            self.refused = unexpected(error, "query")
            return {}
        self._put(self.encoder.start())
        try:
            for batch in itertools.chain([] if first is None else [first], batches):
                for start in range(0, batch.num_rows, self.encoder.most_rows):
                    if not self._sent(batch.slice(start, self.encoder.most_rows)):
                        return {"end": {"rows": self.rows, "truncated": True, "cut_by": "bytes"}}
        except YaatError as error:
            return {"error": self.failures.document(error)}
        except trio.BrokenResourceError:
            raise  # nobody takes the answer any more
        except Exception as error:  # noqa: BLE001 - logged with its traceback
            return {"error": self.failures.document(unexpected(error, "query"))}
        end = {"rows": self.rows, "truncated": self.answer.truncated}
        return {"end": {**end, "cut_by": "rows"} if self.answer.truncated else end}

    def _sent(self, rows: Any) -> bool:
        data = self.encoder.rows(rows)
        self.size += len(data)
        if self.most_bytes is not None and self.size > self.most_bytes:
            return False
        self.rows += rows.num_rows
        self._put(data)
        return True

    def _finish(self, document: dict[str, Any]) -> None:
        broken = "error" in document or document["end"].get("cut_by") == "bytes"
        if broken and not self.encoder.tells:
            return
        self._put(self.encoder.finish(document))
        self.whole = True

    def _put(self, data: bytes) -> None:
        if data:
            trio.from_thread.run(self.outgoing.send, data)


async def _pump(
    incoming: trio.MemoryReceiveChannel[bytes], send: Send, media_type: str, more: Mapping[str, str]
) -> None:
    headers = {"content-type": media_type, "cache-control": "no-store", **more}
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    begun = False
    async with incoming:
        async for data in incoming:
            if not begun:
                await send({"type": "http.response.start", "status": 200, "headers": raw})
                begun = True
            await send(_body(data, more=True))


async def cancel_on_disconnect(receive: Receive, scope: trio.CancelScope) -> None:
    """When the client goes."""
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


def _body(data: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}
