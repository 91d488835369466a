"""The other end of the control API: what commands call. Synchronous; one `Client` for one state directory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import httpx
import msgspec

from yaat_core.actions.agent import QUERY, Query
from yaat_core.actions.base import Action
from yaat_core.control import calling, wire
from yaat_core.control.calling import PATIENCE as PATIENCE
from yaat_core.control.calling import AnswerCut as AnswerCut
from yaat_core.control.calling import NoAnswerInTime as NoAnswerInTime
from yaat_core.control.calling import Rows
from yaat_core.control.events import EventReader

A = TypeVar("A")
R = TypeVar("R")


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
            raise calling.error_of(answer)
        return msgspec.json.decode(answer.content, type=action.result)

    def query(self, given: Query) -> AbstractContextManager[Answer]:
        """Ask in SQL; leaving the block before the end stops the query."""
        return self.stream(QUERY, given, seconds=given.timeout)

    @contextlib.contextmanager
    def stream(self, action: Action[A, R], given: A, *, seconds: float = 0.0) -> Iterator[Answer]:
        """The answer of an action that streams; ``seconds`` may pass before its first row, beyond the usual."""
        patience = httpx.Timeout(self._patience, read=seconds + self._patience)
        with (
            self._errors(),
            self._socket(action).stream(
                "POST", action.path, content=wire.encode(given), headers=calling.TAKES_ARROW, timeout=patience
            ) as response,
        ):
            if response.status_code != 200:
                response.read()
                raise calling.error_of(response)
            with contextlib.closing(Answer(response)) as answer:
                yield answer

    @contextlib.contextmanager
    def follow(self, action: Action[A, R], given: A) -> Iterator[Iterator[R]]:
        """The results of a live action as they come, until the block is left.

        Raises (while iterated, beside the usual):
            AnswerCut: the agent stopped.
        """
        with (
            self._errors(),
            self._socket(action).stream("POST", action.path, content=wire.encode(given)) as response,
        ):
            if response.status_code != 200:
                response.read()
                raise calling.error_of(response)
            yield self._told(action, response)

    def _told(self, action: Action[A, R], response: httpx.Response) -> Iterator[R]:
        reader = EventReader()
        with self._errors():
            for piece in response.iter_raw():
                yield from calling.told(action, reader, piece)
        raise calling.ended(self._state_dir)

    def _socket(self, action: Action[Any, Any]) -> httpx.Client:
        name = calling.socket_of(action)
        if name not in self._http:
            transport = httpx.HTTPTransport(uds=str(self._state_dir / name))
            self._http[name] = httpx.Client(
                transport=transport, base_url=calling.BASE, timeout=self._patience
            )
        return self._http[name]

    def _errors(self) -> contextlib.AbstractContextManager[None]:
        return calling.errors(self._state_dir)


class Answer:
    """The rows of a query as they come: a `QueryAnswer` on this side."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._rows = Rows(response.iter_raw())
        self.schema = self._rows.schema

    @property
    def truncated(self) -> bool:
        """As `QueryAnswer.truncated`."""
        return self._rows.truncated

    def close(self) -> None:
        """Hang up; the agent stops the query when it is not at its end."""
        self._response.close()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)
