"""Asking the engine: HTTP over its socket, one version of the API, bounded answers, errors that say what to do."""

from __future__ import annotations

import errno
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import msgspec
import trio

from yaat_core.display import terminal_safe
from yaat_core.errors import YaatError
from yaat_plugin_docker.address import find
from yaat_plugin_docker.plain import NotPlain, PlainAnswer

#: The oldest version of the API that this plugin understands, and the newest that it was written for.
OLDEST: Final = (1, 24)
NEWEST: Final = (1, 47)
#: `struct ucred` (unix(7)): process, user, group.
_CREDENTIALS: Final = struct.Struct("iII")
#: Bytes of one answer.
LARGEST: Final = 64 << 20
#: Seconds for an answer that is not followed.
PATIENCE: Final = 60.0

Parameters = Mapping[str, str]


class EngineError(YaatError):
    """The engine can't be reached, or refuses."""

    def __init__(self, problem: str, advice: str = "", *, status: int = 0) -> None:
        super().__init__(problem, fix=advice)
        self.status = status
        """Of HTTP; 0 when there was no answer."""

    @property
    def gone(self) -> bool:
        """The container is not there (any more)."""
        return self.status in (404, 409, 410)


class Engine:
    """An engine at an address. `meet` it before anything else, and again after it was away."""

    def __init__(self, host: str | None) -> None:
        """``host`` as the option has it.

        Raises:
            EngineError: DOCKER_HOST names what can't be used.
        """
        try:
            address = find(host)
        except ValueError as error:
            raise EngineError(str(error), "set `host`, or mend the agent's environment") from None
        transport = httpx.AsyncHTTPTransport(
            uds=address.path,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=8),
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),  # never used: loading certificates takes long
        )
        self.address = address
        self.podman = False
        """It is podman, not Docker."""
        self.owner: int | None = None
        """The user id of who listens at the socket; None: it is not on this machine for sure."""
        self._prefix = ""
        self._http = httpx.AsyncClient(
            transport=transport,
            base_url=f"http://{address.authority}",
            timeout=httpx.Timeout(PATIENCE, connect=10.0),
            trust_env=False,
        )

    async def aclose(self) -> None:
        """Let go of all connections."""
        await self._http.aclose()

    async def meet(self) -> None:
        """Who is it, and which version of the API do both know?

        Raises:
            EngineError: nobody is there, or it is too old or too new.
        """
        self._prefix = ""
        answer = _mapping(await self.get("/version"))
        components = answer.get("Components") or []
        self.podman = any("podman" in str(_mapping(one).get("Name", "")).lower() for one in components)
        newest, oldest = _version(answer.get("ApiVersion")), _version(answer.get("MinAPIVersion") or "1.12")
        if newest < OLDEST or oldest > NEWEST:
            raise EngineError(
                f"{self.address}: the engine speaks versions {_dotted(oldest)} to {_dotted(newest)} of its API, "
                f"the agent {_dotted(OLDEST)} to {_dotted(NEWEST)}",
                "update the older of the two",
            )
        self._prefix = f"/v{_dotted(min(newest, NEWEST))}"
        self.owner = await self._listener()

    async def get(self, path: str, parameters: Parameters | None = None) -> Any:
        """A JSON document.

        Raises:
            EngineError: no answer, a refusal, or no JSON.
        """
        async with self.stream(path, parameters) as chunks:
            body = bytearray()
            async for chunk in chunks:
                body += chunk
                if len(body) > LARGEST:
                    raise EngineError(f"{self.address}: an answer of more than {LARGEST >> 20} MiB")
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise EngineError(f"{self.address}: the answer is no JSON: {error}", _NO_ENGINE) from None

    @asynccontextmanager
    async def stream(
        self, path: str, parameters: Parameters | None = None, *, followed: bool = False
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """An answer as it comes; one that is ``followed`` may be quiet for any time.

        Raises:
            EngineError: no answer, a refusal, or an end in the middle.
        """
        patience = httpx.Timeout(PATIENCE, connect=10.0, read=None if followed else PATIENCE)
        try:
            async with self._http.stream(
                "GET", self._prefix + path, params=dict(parameters or {}), timeout=patience
            ) as answer:
                if answer.status_code >= 300:
                    raise await self._refusal(answer.status_code, answer.aiter_raw())
                yield answer.aiter_raw()
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    @asynccontextmanager
    async def log(
        self, path: str, parameters: Parameters, *, followed: bool = False
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """A log as it comes, without any framing of HTTP; one that was cut looks like one that ended.

        Raises:
            EngineError: no answer, or a refusal.
        """
        target = str(httpx.URL(self._prefix + path, params=dict(parameters)))
        try:
            async with await self._connect() as stream:
                answer = PlainAnswer(stream, float("inf") if followed else PATIENCE)
                await answer.ask(target, self.address.authority)
                if answer.status >= 300:
                    raise await self._refusal(answer.status, answer.pieces())
                yield answer.pieces()
        except OSError as error:
            raise self._unreachable(error) from error
        except (NotPlain, trio.BrokenResourceError, trio.TooSlowError) as error:
            said = str(error) or "the connection broke, or nothing came for too long"
            raise EngineError(f"{self.address}: {said}", "look at the engine's own log") from error

    async def _listener(self) -> int | None:
        if self.address.path is None:
            return None
        try:
            async with await self._connect() as stream:
                told = stream.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        except OSError as error:
            raise self._unreachable(error) from error
        return int(_CREDENTIALS.unpack(told)[1])

    async def _connect(self) -> trio.SocketStream:
        if self.address.path is not None:
            return await trio.open_unix_socket(self.address.path)
        url = httpx.URL(f"http://{self.address.authority}")
        return await trio.open_tcp_stream(url.host, url.port or 80)

    async def _refusal(self, status: int, chunks: AsyncIterator[bytes]) -> EngineError:
        body = bytearray()
        async for chunk in chunks:
            body += chunk
            if len(body) > 4096:
                break
        try:
            said = str(_mapping(msgspec.json.decode(body)).get("message", ""))
        except msgspec.DecodeError:
            said = body.decode("utf-8", "replace")
        said = terminal_safe(said.strip())[:300]
        advice = "give the agent's user the right to ask this engine" if status in (401, 403) else ""
        return EngineError(
            f"{self.address}: {said or 'refused'} (HTTP {status})",
            advice,
            status=status,
        )

    def _unreachable(self, error: httpx.HTTPError | OSError) -> EngineError:
        number = _errno(error)
        if number in (errno.EACCES, errno.EPERM):
            return EngineError(
                f"no permission for the engine's socket {self.address}",
                "add the agent's user to the group that owns the socket (`usermod -aG docker USER`, then restart "
                "the agent); that group has the rights of root",
            )
        if number == errno.ENOENT:
            return EngineError(
                f"there is no engine's socket at {self.address}",
                "start the engine, or set `host` (podman: `systemctl enable --now podman.socket` and "
                "unix:///run/podman/podman.sock, or unix:///run/user/UID/podman/podman.sock)",
            )
        if number == errno.ECONNREFUSED:
            return EngineError(f"no engine answers at {self.address}", "start the engine, or set `host`")
        said = str(error) or type(error).__name__
        return EngineError(f"{self.address}: {said}", "look at the engine's own log")


_NO_ENGINE: Final = "is it the socket of a container engine?"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _version(text: Any) -> tuple[int, int]:
    major, _, minor = str(text).partition(".")
    try:
        return int(major), int(minor)
    except ValueError:
        raise EngineError(f"the engine names no version of its API: {str(text)[:40]!r}", _NO_ENGINE) from None


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _errno(error: BaseException | None) -> int | None:
    """Of the system call behind it all."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, OSError) and error.errno is not None:
            return error.errno
        error = error.__cause__ or error.__context__
    return None
