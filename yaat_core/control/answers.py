"""The answer to a query as an HTTP response that streams: NDJSON, or an Arrow IPC stream.

NDJSON: a line ``{"columns": [{"name", "type"}]}``, lines ``{"rows": [[...], ...]}``, and at the end
``{"end": {"rows", "truncated"}}`` or ``{"error": {...}}``. Arrow: the batches, then an empty batch whose
custom metadata ``yaat`` holds that last document. An answer without its end was cut.

The answer is iterated and closed in one worker thread, which waits while the client does not read.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Final, Protocol, runtime_checkable

import trio

from yaat_core.components import QueryAnswer
from yaat_core.control import replies, wire
from yaat_core.control.listen import Message, Receive, Scope, Send
from yaat_core.control.oops import unexpected
from yaat_core.errors import YaatError

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


class TooManyQueries(YaatError):
    """No more queries at one time."""

    code = wire.BUSY


@runtime_checkable
class Interruptible(Protocol):
    """An answer that can be stopped in the middle of a batch, from any thread; its iteration then raises.

    An answer without this is stopped between two batches, or by its own limit of seconds.
    """

    def interrupt(self) -> None:
        """Stop soon. Harmless at any time."""
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
    """An ASGI response that asks, and streams the answer; when the client goes, the query is stopped.

    ``slots`` bounds how many queries there are at one time. The threads are their own, so that clients that read
    slowly never take those of the pipeline.
    """

    def __init__(
        self, ask: Callable[[], Awaitable[QueryAnswer]], accept: str, slots: trio.CapacityLimiter
    ) -> None:
        self._ask = ask
        self._arrow = wire.ARROW in accept
        self._slots = slots

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_on_disconnect, receive, nursery.cancel_scope)
            try:
                answer, schema = await self._asked()
            except YaatError as error:
                await replies.problem(error)(scope, receive, send)
            except Exception as error:  # noqa: BLE001 - logged with its traceback
                await replies.problem(unexpected(error, "query"))(scope, receive, send)
            else:
                await self._stream(answer, schema, send)
            nursery.cancel_scope.cancel()

    async def _asked(self) -> tuple[QueryAnswer, Any]:
        """The answer and its schema; what fails before the first row is raised here."""
        if not self._slots.available_tokens:
            raise TooManyQueries(
                f"{int(self._slots.total_tokens)} queries run already", fix="wait for one to end, or stop one"
            )
        answer = await self._ask()
        try:
            return answer, await trio.to_thread.run_sync(lambda: answer.schema)
        except BaseException:
            answer.close()
            raise

    async def _stream(self, answer: QueryAnswer, schema: Any, send: Send) -> None:
        encoder = (ArrowEncoder if self._arrow else NdjsonEncoder)(schema)
        outgoing, incoming = trio.open_memory_channel[bytes](1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_pump, incoming, send, encoder.media_type)
            async with outgoing, _interrupting(answer):
                await trio.to_thread.run_sync(_iterate, answer, encoder, outgoing, limiter=self._slots)


@contextlib.asynccontextmanager
async def _interrupting(answer: QueryAnswer) -> AsyncIterator[None]:
    """Cancelled inside, a thread is waited for: an answer that can be interrupted makes that short."""
    ended = False

    async def interrupt() -> None:
        try:
            await trio.sleep_forever()
        finally:
            if not ended and isinstance(answer, Interruptible):
                answer.interrupt()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(interrupt)
        try:
            yield
        finally:
            ended = True
        nursery.cancel_scope.cancel()


def _iterate(answer: QueryAnswer, encoder: Encoder, outgoing: trio.MemorySendChannel[bytes]) -> None:
    """In the worker thread. Raises trio.Cancelled from ``put`` when the client is gone."""

    def put(data: bytes) -> None:
        trio.from_thread.run(outgoing.send, data)

    rows = 0
    try:
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
