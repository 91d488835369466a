"""The other end of the control API: what commands call. Synchronous; one `Client` for one state directory."""

from __future__ import annotations

import contextlib
import errno
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TypeVar

import httpx
import msgspec

from yaat_core.actions.agent import QUERY, Query
from yaat_core.actions.base import Action
from yaat_core.control import sockets, wire
from yaat_core.errors import AgentNotRunning, NotAllowed, YaatError

A = TypeVar("A")
R = TypeVar("R")

#: Seconds that an answer may take when nothing else is said.
PATIENCE: Final = 30.0


class NoAnswerInTime(YaatError):
    """The agent runs, but did not answer."""

    code = "YAAT-E704"
    exit_code = 124


class AnswerCut(YaatError):
    """The connection ended before the answer did."""

    code = "YAAT-E705"


class Client:
    """Calls the agent that runs on ``state_dir``.

    What only reads goes to the read socket, the rest to the control socket.

    Raises (every call):
        AgentNotRunning: nobody listens there.
        NotAllowed: the socket's mode refuses this user.
        NoAnswerInTime: the agent did not answer within ``patience`` seconds.
        YaatError: what the agent answered with, of the same class as there.
    """

    def __init__(self, state_dir: Path, *, patience: float = PATIENCE) -> None:
        self._state_dir = state_dir
        self._patience = patience
        self._http: dict[str, httpx.Client] = {}

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self._http.values():
            one.close()

    def call(self, action: Action[A, R], given: A) -> R:
        """Do it, and return its result as the class that the action names."""
        with self._errors():
            answer = self._socket(action).post(action.path, content=wire.encode(given))
        if answer.status_code != 200:
            raise _error_of(answer)
        return msgspec.json.decode(answer.content, type=action.result)

    def query(self, given: Query) -> AbstractContextManager[Answer]:
        """Ask in SQL; leaving the block before the end stops the query."""
        return self.stream(QUERY, given, seconds=given.timeout)

    @contextlib.contextmanager
    def stream(self, action: Action[A, R], given: A, *, seconds: float = 0.0) -> Iterator[Answer]:
        """The answer of an action that streams; ``seconds`` may pass before its first row, beyond the usual."""
        headers = {"accept": wire.ARROW}
        patience = httpx.Timeout(self._patience, read=seconds + self._patience)
        with (
            self._errors(),
            self._socket(action).stream(
                "POST", action.path, content=wire.encode(given), headers=headers, timeout=patience
            ) as response,
        ):
            if response.status_code != 200:
                response.read()
                raise _error_of(response)
            with contextlib.closing(Answer(response)) as answer:
                yield answer

    def _socket(self, action: Action[Any, Any]) -> httpx.Client:
        name = sockets.READ if action.danger == "read" else sockets.CONTROL
        if name not in self._http:
            path = str(self._state_dir / name)
            self._http[name] = httpx.Client(
                transport=httpx.HTTPTransport(uds=path), base_url="http://yaat", timeout=self._patience
            )
        return self._http[name]

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException:
            raise NoAnswerInTime(
                "the agent did not answer in time",
                where=str(self._state_dir),
                fix="try again; `yaat status` and the agent's log say what keeps it busy",
            ) from None
        except httpx.ConnectError as error:
            raise _connect_error(error, self._state_dir) from None
        except httpx.TransportError as error:
            raise AnswerCut(
                f"the connection to the agent broke: {error}",
                where=str(self._state_dir),
                fix="the agent stopped or was killed; `yaat status` tells",
            ) from None


class Answer:
    """The rows of a query as they come: a `QueryAnswer` on this side."""

    def __init__(self, response: httpx.Response) -> None:
        import pyarrow as pa

        self._response = response
        self._reader = pa.ipc.open_stream(pa.PythonFile(_Body(response), mode="r"))
        self.schema = self._reader.schema
        self.truncated = False

    def close(self) -> None:
        """Hang up; the agent stops the query when it is not at its end."""
        self._response.close()

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

    def __init__(self, response: httpx.Response) -> None:
        self._pieces = response.iter_raw()
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


def _error_of(answer: httpx.Response) -> YaatError:
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
