"""What clients of the control API have in common: which socket, and what becomes of errors on the way."""

from __future__ import annotations

import contextlib
import errno
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from yaat_core.actions.base import Action
from yaat_core.control import events, sockets, wire
from yaat_core.errors import AgentNotRunning, NotAllowed, YaatError

#: Seconds that an answer may take when nothing else is said.
PATIENCE: Final = 30.0
#: The address that requests name; the socket decides where they go.
BASE: Final = "http://yaat"
#: Of an answer that streams rows.
TAKES_ARROW: Final = {"accept": wire.ARROW}


class NoAnswerInTime(YaatError):
    """The agent runs, but did not answer."""

    code = "YAAT-E704"
    exit_code = 124


class AnswerCut(YaatError):
    """The connection ended before the answer did."""

    code = "YAAT-E705"


def socket_of(action: Action[Any, Any]) -> str:
    """What only reads goes to the read socket, the rest to the control socket."""
    return sockets.READ if action.danger == "read" else sockets.CONTROL


@contextlib.contextmanager
def errors(state_dir: Path) -> Iterator[None]:
    """What goes wrong between here and the agent, as the errors that `Client` tells of."""
    try:
        yield
    except httpx.TimeoutException:
        raise NoAnswerInTime(
            "the agent did not answer in time",
            where=str(state_dir),
            fix="try again; `yaat status` and the agent's log say what keeps it busy",
        ) from None
    except httpx.ConnectError as error:
        raise _connect_error(error, state_dir) from None
    except httpx.TransportError as error:
        raise AnswerCut(
            f"the connection to the agent broke: {error}",
            where=str(state_dir),
            fix="the agent stopped or was killed; `yaat status` tells",
        ) from None


def told(action: Action[Any, Any], reader: events.EventReader, piece: bytes) -> Iterator[Any]:
    """The results in a piece of a live action's body, as the class that the action names.

    Raises:
        YaatError: what the agent ended with.
    """
    for name, data in reader.feed(piece):
        if name == "error":
            raise wire.error_from(json.loads(data))
        if name == action.event:
            yield msgspec.json.decode(data, type=action.result)


def ended(state_dir: Path) -> AnswerCut:
    """A live action ends only when the agent does."""
    return AnswerCut(
        "the agent stopped, or let go of a reader that read nothing for a minute",
        where=str(state_dir),
        fix="`yaat status` tells whether it runs",
    )


class Rows:
    """Arrow batches out of an answer's body, which is read as far as they need."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        import pyarrow as pa

        self._reader = pa.ipc.open_stream(pa.PythonFile(_Body(pieces), mode="r"))
        self.schema = self._reader.schema
        self.truncated = False

    def __iter__(self) -> Iterator[Any]:
        while True:
            try:
                batch, metadata = self._reader.read_next_batch_with_custom_metadata()
            except (StopIteration, ValueError, OSError):  # Arrow's own errors are ValueErrors
                raise _cut() from None
            if metadata is None or b"yaat" not in metadata:
                yield batch
                continue
            document = json.loads(metadata[b"yaat"])
            if "error" in document:
                raise wire.error_from(document["error"])
            self.truncated = document["end"]["truncated"]
            return


class _Body:
    """An HTTP body as the file that Arrow reads."""

    closed = False

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._rest) < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._rest += piece
        size = len(self._rest) if size < 0 else size
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        pass


def _cut() -> AnswerCut:
    return AnswerCut(
        "the answer ended before its end: the rows so far are not all",
        fix="the agent stopped or was killed in the middle; ask again",
    )


def error_of(answer: httpx.Response) -> YaatError:
    try:
        document = json.loads(answer.content)
    except ValueError:
        return AnswerCut(f"the agent answered {answer.status_code} without a document", fix="see its log")
    return wire.error_from(document)


def _connect_error(error: httpx.ConnectError, state_dir: Path) -> YaatError:
    if _errno(error) in (errno.EACCES, errno.EPERM):
        return NotAllowed(
            "this user may not talk to the agent",
            where=str(state_dir),
            cause="the mode of its sockets: the owner may do everything, the group may read",
            fix="run the command as the agent's user (sudo -u yaat yaat ...), or join its group to read",
        )
    return AgentNotRunning(
        "no agent is running on this state directory",
        where=str(state_dir),
        fix="start one with `yaat run`; with another configuration: -c FILE",
    )


def _errno(error: BaseException | None) -> int | None:
    while error is not None:
        if isinstance(error, OSError) and error.errno is not None:
            return error.errno
        error = error.__cause__ or error.__context__
    return None
