"""A server for POST /v1/ingest on a real socket: obedient, or hostile by a script. Its own record is what tests judge by.

It takes a batch once for each ``Batch-Id`` (`taken`), checks headers and events strictly, and writes down every request.
What it does with the N-th request is the N-th entry of its script; after that it obeys.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import secrets
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
import pyarrow as pa

from support.ingest_schema import problems_of

#: Of this process: what others on this machine send to a port that was theirs before is told apart.
KEY = f"key-{secrets.token_hex(8)}"
_LIMIT = 5_000_000


@attrs.define(eq=False)
class Request:
    """As it came in."""

    method: str
    target: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = b""
    events: list[dict[str, Any]] = attrs.field(factory=list)
    wrong: list[str] = attrs.field(factory=list)
    """What breaks the contract."""
    answered: int = 0

    @property
    def batch_id(self) -> str:
        return self.headers.get("batch-id", "")


@attrs.define(eq=False)
class Exchange:
    """One request on one connection, while it is answered."""

    server: IngestServer
    connection: socket.socket
    file: Any
    request: Request
    closes: bool = False

    def read_body(self) -> None:
        """The whole body, unpacked and checked. Twice is once."""
        request = self.request
        if request.body:
            return
        length = int(request.headers.get("content-length", 0))
        request.body = self.file.read(length)
        if len(request.body) < length:
            raise ConnectionError("it went away in the middle of a request")
        packed = request.headers.get("content-encoding", "identity")
        if packed == "gzip":
            text = gzip.decompress(request.body)
        elif packed == "zstd":
            text = _unzstd(request.body)
        else:
            text = request.body
        request.events = json.loads(text)["events"]
        request.wrong = wrong_with(request)

    def answer(self, status: int, body: Any = b"", headers: Mapping[str, str] | None = None) -> None:
        """A whole answer; a body that is no bytes goes as JSON."""
        self.request.answered = status
        self.connection.sendall(answer_bytes(status, body, headers))

    def take(self) -> int:
        """The events are stored, unless this batch is known. How many it had."""
        self.server.take(self.request)
        return len(self.request.events)

    def reset(self) -> None:
        """RST in place of an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.closes = True


Behaviour = Callable[[Exchange], None]


def answer_bytes(status: int, body: Any = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """An answer as it goes over the wire."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    own = {} if isinstance(body, bytes) else {"Content-Type": "application/json"}
    fields = {**own, "Content-Length": str(len(data)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + data


def obey(exchange: Exchange) -> None:
    """As the API does."""
    exchange.read_body()
    if exchange.request.target != "/v1/ingest":
        exchange.answer(404, b"nothing here")
    elif exchange.request.wrong:
        exchange.answer(400, {"error": {"code": "wrong", "problem": exchange.request.wrong[0]}})
    else:
        exchange.answer(200, {"accepted": exchange.take()})


def _refuse_key(exchange: Exchange) -> None:
    exchange.file.read(int(exchange.request.headers.get("content-length", 0)))
    exchange.server.strangers.append(exchange.request)
    exchange.answer(401, {"error": {"code": "unauthorized", "problem": "no such key"}})


def wrong_with(request: Request) -> list[str]:
    """What breaks the contract of docs/schema.md, in headers and events."""
    headers = request.headers
    wrong = [] if request.target == "/v1/ingest" and request.method == "POST" else ["not POST /v1/ingest"]
    expected = {
        "content-type": "application/json",
        "x-yaat-schema-version": "1",
        "accept-encoding": "identity",
    }
    wrong += [
        f"{name}: {headers.get(name)}" for name, value in expected.items() if headers.get(name) != value
    ]
    if not headers.get("user-agent", "").startswith("yaat/"):
        wrong.append("no user agent")
    if len(request.body) >= _LIMIT:
        wrong.append(f"a body of {len(request.body)} bytes")
    if request.events and len(request.batch_id) != 32:
        wrong.append("no batch id")
    for event in request.events:
        wrong += problems_of(event)
    return wrong


@attrs.define(eq=False)
class IngestServer:
    """Runs in threads of the test's process. Use as ``with IngestServer() as server``."""

    script: list[Behaviour] = attrs.field(factory=list)
    context: ssl.SSLContext | None = None
    otherwise: Behaviour = obey
    """What it does when the script is at its end."""
    requests: list[Request] = attrs.field(factory=list)
    taken: dict[str, list[dict[str, Any]]] = attrs.field(factory=dict)
    repeated: int = 0
    strangers: list[Request] = attrs.field(factory=list)
    """Requests under another key."""
    connections: set[int] = attrs.field(factory=set)
    """Ports that requests came from."""
    failures: list[str] = attrs.field(factory=list)
    port: int = 0
    _lock: threading.RLock = attrs.field(factory=threading.RLock)
    _listener: socket.socket | None = None
    _open: set[socket.socket] = attrs.field(factory=set)
    _threads: list[threading.Thread] = attrs.field(factory=list)
    closing: threading.Event = attrs.field(factory=threading.Event)

    @property
    def url(self) -> str:
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}"

    @property
    def events(self) -> list[dict[str, Any]]:
        """All that it took, in the order of taking."""
        with self._lock:
            return [event for events in self.taken.values() for event in events]

    @property
    def messages(self) -> list[str]:
        return [event.get("message", "") for event in self.events]

    def take(self, request: Request) -> None:
        """Store a batch, once."""
        with self._lock:
            if request.batch_id in self.taken:
                self.repeated += 1
                assert self.taken[request.batch_id] == request.events, "other events under a known Batch-Id"
            else:
                self.taken[request.batch_id] = request.events

    def start(self) -> None:
        """Listen; on the same port as before when it was stopped."""
        self.closing.clear()
        listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        self._listener, self.port = listener, listener.getsockname()[1]
        self._spawn(self._accept, listener)

    def stop(self) -> None:
        """Refuse connections, and break those that are open."""
        self.closing.set()
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(30)
        self._threads.clear()

    def __enter__(self) -> IngestServer:
        self.start()
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        self.stop()
        if kind is None:
            assert not self.failures, self.failures

    def _spawn(self, target: Callable[[socket.socket], None], of: socket.socket) -> None:
        thread = threading.Thread(target=target, args=(of,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while not self.closing.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self._spawn(self._converse, connection)

    def _converse(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.add(connection)
        try:
            if self.context is not None:
                plain, connection = connection, self.context.wrap_socket(connection, server_side=True)
                with self._lock:
                    self._open.discard(plain)
                    self._open.add(connection)
            with connection, connection.makefile("rb") as file:
                while (request := _head(file)) is not None and self._exchange(connection, file, request):
                    pass
        except OSError:
            pass  # the other end went away, as it may
        finally:
            with self._lock:
                self._open.discard(connection)

    def _exchange(self, connection: socket.socket, file: Any, request: Request) -> bool:
        if not request.method:
            connection.sendall(answer_bytes(400, b"no HTTP"))
            return False
        if request.headers.get("authorization") != f"Bearer {KEY}":
            _refuse_key(Exchange(self, connection, file, request))
            return True
        with self._lock:
            behaviour = self.script.pop(0) if self.script else self.otherwise
            self.requests.append(request)
            self.connections.add(connection.getpeername()[1])
        exchange = Exchange(self, connection, file, request)
        try:
            behaviour(exchange)
        except (AssertionError, ValueError, KeyError) as error:
            self.failures.append(f"{type(error).__name__}: {error}")
            return False
        return not exchange.closes


def _head(file: Any) -> Request | None:
    line = file.readline(65_536).decode("latin-1")
    if not line.strip():
        return None
    if not line.startswith("POST "):
        return Request("", "", {})
    method, target, _ = line.split()
    headers: dict[str, str] = {}
    while (line := file.readline(65_536).decode("latin-1")) not in ("\r\n", ""):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return Request(method, target, headers)


def _unzstd(data: bytes) -> bytes:
    with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
        return bytes(stream.read())


# --- hostile behaviours


def status(number: int, body: Any = b"", headers: Mapping[str, str] | None = None) -> Behaviour:
    """Answers this, takes nothing."""

    def behave(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.answer(number, body, headers)

    return behave


def taken_then(behave: Behaviour) -> Behaviour:
    """Takes the batch, then behaves badly: the outcome is not known to the other end."""

    def both(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.take()
        behave(exchange)

    return both


def reset_in_the_middle(exchange: Exchange) -> None:
    """RST after a part of the body."""
    exchange.file.read(10)
    exchange.reset()


def end(exchange: Exchange) -> None:
    """FIN before the answer."""
    exchange.closes = True


def raw(data: bytes, *, pause: float = 0.0) -> Behaviour:
    """These bytes as the answer, one by one with a pause, then the end."""

    def behave(exchange: Exchange) -> None:
        exchange.closes = True
        for piece in [data] if not pause else [data[n : n + 1] for n in range(len(data))]:
            exchange.connection.sendall(piece)
            time.sleep(pause)

    return behave


def hang(exchange: Exchange) -> None:
    """No answer for as long as the server lives."""
    exchange.closes = True
    exchange.server.closing.wait(120)


def endless(exchange: Exchange) -> None:
    """An answer that never ends."""
    exchange.closes = True
    exchange.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    while not exchange.server.closing.is_set():
        exchange.connection.sendall(b" " * 65_536)


def picky(
    is_bad: Callable[[dict[str, Any]], bool], *, names: bool = True, lenient: bool = False
) -> Behaviour:
    """Refuses batches with bad events: names them or not, takes the good ones or not."""

    def behave(exchange: Exchange) -> None:
        exchange.read_body()
        events = exchange.request.events
        bad = [n for n, event in enumerate(events) if is_bad(event)]
        if not bad:
            exchange.answer(200, {"accepted": exchange.take()})
            return
        errors = [{"index": n, "field": "message", "problem": "is bad", "got": "?"} for n in bad]
        more: dict[str, Any] = {"errors": errors} if names else {}
        if lenient:
            exchange.request.events = [event for event in events if not is_bad(event)]
            more["accepted"] = exchange.take()
        exchange.answer(422, {"error": {"code": "invalid_events", "problem": "bad events"}, **more})

    return behave


def limited(size: int) -> Behaviour:
    """413 for what is larger."""

    def behave(exchange: Exchange) -> None:
        exchange.read_body()
        if len(exchange.request.body) > size:
            exchange.answer(413, {"error": {"problem": f"more than {size} bytes"}})
        else:
            exchange.answer(200, {"accepted": exchange.take()})

    return behave


@contextlib.contextmanager
def served(*script: Behaviour, **options: Any) -> Iterator[IngestServer]:
    """A running server with a script."""
    with IngestServer(list(script), **options) as server:
        yield server
