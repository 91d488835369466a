"""Server-sent events (HTML standard, section 9.2) as bytes, both ways."""

from __future__ import annotations

from typing import Final

#: Says nothing, so that both sides see that the other one is there.
COMMENT: Final = b":\n\n"


def encode(event: str, data: bytes) -> bytes:
    """One event; ``data`` is one line, such as a JSON document."""
    return f"event: {event}\ndata: ".encode() + data + b"\n\n"


class EventReader:
    """Takes a body piece by piece, gives the events that are whole."""

    def __init__(self) -> None:
        self._rest = b""
        self._event = ""
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> list[tuple[str, bytes]]:
        """The events (name, data) that end within this piece."""
        lines = (self._rest + piece).split(b"\n")
        self._rest = lines.pop()
        found = []
        for line in lines:
            whole = self._line(line.removesuffix(b"\r"))
            if whole is not None:
                found.append(whole)
        return found

    def _line(self, line: bytes) -> tuple[str, bytes] | None:
        if not line:
            event, data = self._event or "message", self._data
            self._event, self._data = "", []
            return (event, b"\n".join(data)) if data else None
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name == b"data":
            self._data.append(value)
        return None
