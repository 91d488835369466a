#!/usr/bin/env python3
"""An endpoint that reads, inflates and counts log lines, and takes everything: ``counting_server.py FILE``.

It prints its port, and keeps in FILE how many lines have come. Answers as `/v1/ingest` does, or as an OTLP receiver.
"""

from __future__ import annotations

import socket
import sys
import threading
import zlib
from pathlib import Path
from typing import Any

import data

_lock = threading.Lock()
_total = 0


def converse(connection: socket.socket, count: Path) -> None:
    """Requests of one connection, one after the other."""
    with connection, connection.makefile("rb", buffering=1 << 18) as file:
        while line := file.readline():
            target = line.split()[1]
            body = _body(file)
            connection.sendall(_answer(target, _counted(body, count)))


def _body(file: Any) -> bytes:
    length, packed, chunked = 0, False, False
    while (line := file.readline()) not in (b"\r\n", b""):
        name, _, value = line.lower().partition(b":")
        length = int(value) if name == b"content-length" else length
        packed = packed or (name == b"content-encoding" and value.strip() == b"gzip")
        chunked = chunked or name == b"transfer-encoding"
    raw = b"".join(_chunks(file)) if chunked else file.read(length)
    return zlib.decompress(raw, 31) if packed else raw


def _chunks(file: Any) -> Any:
    while size := int(file.readline().split(b";")[0], 16):
        yield file.read(size)
        file.readline()
    file.readline()


def _counted(body: bytes, count: Path) -> int:
    global _total
    found = body.count(data.MARK)
    with _lock:
        _total += found
        count.write_text(str(_total), encoding="ascii")
    return found


def _answer(target: bytes, found: int) -> bytes:
    kind, body = b"application/json", b'{"accepted":%d}' % found
    if not target.endswith(b"/v1/ingest"):
        kind, body = b"application/x-protobuf", b""
    return b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (kind, len(body), body)


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=converse, args=(connection, Path(sys.argv[1])), daemon=True).start()


if __name__ == "__main__":
    main()
