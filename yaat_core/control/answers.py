"""The answer to a query as an HTTP response that streams: NDJSON, or an Arrow IPC stream.

NDJSON: a line ``{"columns": [{"name", "type"}]}``, lines ``{"rows": [[...], ...]}``, and at the end
``{"end": {"rows", "truncated"}}`` or ``{"error": {...}}``. Arrow: the batches, then an empty batch whose
custom metadata ``yaat`` holds that last document. An answer without its end was cut.

The answer is iterated and closed in one worker thread, which waits while the client does not read.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any, Final, Protocol

import trio

from yaat_core.components import QueryAnswer
from yaat_core.control import wire
from yaat_core.control.listen import Message, Receive, Scope, Send
from yaat_core.control.oops import unexpected
from yaat_core.errors import YaatError

log = logging.getLogger("yaat.control")

#: Rows that one line of NDJSON holds at most.
LINE_ROWS: Final = 1_000


class Encoder(Protocol):
    """Turns batches into bytes."""

    media_type: str

    def start(self) -> bytes:
        """What comes first."""
        ...

    def rows(self, batch: Any) -> Iterator[bytes]:
        """A record batch."""
        ...

    def finish(self, document: dict[str, Any]) -> bytes:
        """The end, or the error that is the end."""
        ...


class NdjsonEncoder:
    """One JSON document a line."""

    media_type = wire.NDJSON

    def __init__(self, schema: Any) -> None:
        self._schema = schema

    def start(self) -> bytes:
        """The columns."""
        from yaat_core.control.rows import columns_of

        return _line({"columns": columns_of(self._schema)})

    def rows(self, batch: Any) -> Iterator[bytes]:
        """Lines of up to `LINE_ROWS` rows."""
        from yaat_core.control.rows import values_of

        for start in range(0, batch.num_rows, LINE_ROWS):
            columns = values_of(batch.slice(start, LINE_ROWS))
            yield _line({"rows": list(zip(*columns, strict=True))})

    def finish(self, document: dict[str, Any]) -> bytes:
        """The last line."""
        return _line(document)


class ArrowEncoder:
    """An Arrow IPC stream."""

    media_type = wire.ARROW

    def __init__(self, schema: Any) -> None:
        import pyarrow as pa

        self._schema = schema
        self._buffer = io.BytesIO()
        self._writer = pa.ipc.new_stream(self._buffer, schema)

    def start(self) -> bytes:
        """The schema."""
        return self._taken()

    def rows(self, batch: Any) -> Iterator[bytes]:
        """The batch as a message."""
        self._writer.write_batch(batch)
        yield self._taken()

    def finish(self, document: dict[str, Any]) -> bytes:
        """An empty batch with the document as metadata, and the end of the stream."""
        import pyarrow as pa

        columns = [pa.array([], field.type) for field in self._schema]
        empty = pa.RecordBatch.from_arrays(columns, schema=self._schema)
        self._writer.write_batch(empty, custom_metadata={"yaat": wire.encode(document)})
        self._writer.close()
        return self._taken()

    def _taken(self) -> bytes:
        taken = self._buffer.getvalue()
        self._buffer.seek(0)
        self._buffer.truncate()
        return taken


class AnswerResponse:
    """An ASGI response that streams an answer; when the client goes, the query is closed."""

    def __init__(self, answer: QueryAnswer, schema: Any, accept: str) -> None:
        self._answer = answer
        self._schema = schema
        self._arrow = wire.ARROW in accept

    @classmethod
    async def prepare(cls, answer: QueryAnswer, accept: str) -> AnswerResponse:
        """The response for an answer; what fails before its first row is raised here."""
        try:
            return cls(answer, await trio.to_thread.run_sync(lambda: answer.schema), accept)
        except BaseException:
            answer.close()
            raise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_on_disconnect, receive, nursery.cancel_scope)
            await self._stream(send)
            nursery.cancel_scope.cancel()

    async def _stream(self, send: Send) -> None:
        outgoing, incoming = trio.open_memory_channel[bytes](1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_pump, incoming, send, self._media_type)
            async with outgoing:
                await trio.to_thread.run_sync(self._iterate, outgoing)

    @property
    def _media_type(self) -> str:
        return wire.ARROW if self._arrow else wire.NDJSON

    def _iterate(self, outgoing: trio.MemorySendChannel[bytes]) -> None:
        """In the worker thread. Raises trio.Cancelled from ``put`` when the client is gone."""

        def put(data: bytes) -> None:
            trio.from_thread.run(outgoing.send, data)

        answer, rows = self._answer, 0
        try:
            encoder = (ArrowEncoder if self._arrow else NdjsonEncoder)(self._schema)
            put(encoder.start())
            try:
                for batch in answer:
                    rows += batch.num_rows
                    for piece in encoder.rows(batch):
                        put(piece)
                put(encoder.finish({"end": {"rows": rows, "truncated": answer.truncated}}))
            except YaatError as error:
                put(encoder.finish({"error": wire.error_document(error)}))
            except trio.BrokenResourceError:
                raise  # nobody takes the answer any more
            except Exception as error:  # noqa: BLE001 - logged with its traceback
                put(encoder.finish({"error": wire.error_document(unexpected(error, "query"))}))
        finally:
            answer.close()


async def _pump(incoming: trio.MemoryReceiveChannel[bytes], send: Send, media_type: str) -> None:
    headers = [(b"content-type", media_type.encode()), (b"cache-control", b"no-store")]
    async with incoming:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async for data in incoming:
            await send(_body(data, more=True))
        await send(_body(b"", more=False))


async def _cancel_on_disconnect(receive: Receive, scope: trio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


def _body(data: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


def _line(document: Any) -> bytes:
    return wire.encode(document) + b"\n"
