"""`yaat validate`: the way to the API, step by step, so that the first thing that fails is the one that is told."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import trio

from yaat_core.components import Finding
from yaat_core.event import EventBatch
from yaat_plugin_cloud.answers import Later, Stop, TooMuch, Unnamed, Verdict, judge
from yaat_plugin_cloud.client import Client
from yaat_plugin_cloud.config import CloudConfig
from yaat_plugin_cloud.endpoint import Endpoint
from yaat_plugin_cloud.failures import Unreached, meaning
from yaat_plugin_cloud.memory import Cut
from yaat_plugin_cloud.payload import Body, encode
from yaat_plugin_cloud.trust import NotTrusted

Trust = Callable[[], Awaitable[ssl.SSLContext | None]]


async def check(
    config: CloudConfig, where: Endpoint, trust: Trust, passed: Callable[[str], None]
) -> Sequence[Finding]:
    """The certificates, the name, the connection, TLS, then a batch without events under the key.

    ``passed`` is told each step that went well.
    """
    try:
        context = await trust()
    except NotTrusted as error:
        return [Finding(problem=f"{error.what} ({error.where})", advice=error.fix)]
    try:
        passed(f"DNS: {where.host} is {await _named(where)}")
        stream = await _connected(config, where)
        passed(f"connection: {where.host} port {where.port} answers")
        version = await _trusted(config, where, context, stream)
        passed(f"TLS: {version}, the certificate is good" if version else "TLS: none, by plain HTTP")
        found = await _asked(config, where, context)
    except _Failed as failed:
        return [failed.finding]
    if not found:
        passed(f"authentication: {where.url} takes the key")
    return found


class _Failed(Exception):
    def __init__(self, step: str, where: Endpoint, failure: Unreached) -> None:
        place = where.host if step == "DNS" else f"{where.host} port {where.port}"
        self.finding = Finding(problem=f"{step}: {place}: {failure.why}", advice=failure.advice)
        super().__init__(self.finding.problem)


async def _named(where: Endpoint) -> str:
    try:
        found = await trio.socket.getaddrinfo(where.host, where.port, type=trio.socket.SOCK_STREAM)
    except OSError as error:
        raise _Failed("DNS", where, meaning(error)) from error
    return ", ".join(dict.fromkeys(str(place[4][0]) for place in found))


async def _connected(config: CloudConfig, where: Endpoint) -> trio.SocketStream:
    try:
        with trio.fail_after(config.connect_timeout):
            return await trio.open_tcp_stream(where.host, where.port)
    except trio.TooSlowError as error:
        late = Unreached("no connection within connect_timeout", "see the network and firewalls", maybe=False)
        raise _Failed("connection", where, late) from error
    except OSError as error:
        raise _Failed("connection", where, meaning(error)) from error


async def _trusted(
    config: CloudConfig, where: Endpoint, context: ssl.SSLContext | None, stream: trio.SocketStream
) -> str:
    """The version of TLS; empty without TLS."""
    secure: Any = stream
    version = ""
    try:
        with trio.fail_after(config.connect_timeout):
            if context is not None:
                secure = trio.SSLStream(stream, context, server_hostname=where.host, https_compatible=True)
                await secure.do_handshake()
                version = str(secure.version())
    except trio.TooSlowError as error:
        raise _Failed(
            "TLS", where, Unreached("no answer to the TLS handshake", "see who answers there", maybe=False)
        ) from error
    except (trio.BrokenResourceError, OSError) as error:
        raise _Failed("TLS", where, meaning(error)) from error
    finally:
        await trio.aclose_forcefully(secure)
    return version


async def _asked(config: CloudConfig, where: Endpoint, context: ssl.SSLContext | None) -> Sequence[Finding]:
    cut = Cut(rows=1, bytes=int(config.max_batch_bytes), compression=config.compression, level=1)
    body = await trio.to_thread.run_sync(encode, EventBatch.empty(), [], cut)
    assert isinstance(body, Body)
    client = Client(config, context)
    try:
        answer = await client.post(body, None)
    except Unreached as error:
        raise _Failed("request", where, error) from error
    finally:
        await client.aclose()
    step = "authentication" if answer.status in (401, 403) else "API"
    return _told(step, where, judge(answer, 0), is_json=answer.is_json)


def _told(step: str, where: Endpoint, verdict: Verdict, *, is_json: bool) -> Sequence[Finding]:
    """An API that finds fault with a batch without events was reached, and knows the key."""
    if isinstance(verdict, Stop):
        return [Finding(problem=f"{step}: {where.url}: {verdict.why}", advice=verdict.advice)]
    if isinstance(verdict, Later) or (isinstance(verdict, Unnamed | TooMuch) and not is_json):
        advice = "the server was reached; see what it does, and whether this is the right one"
        return [Finding(problem=f"{step}: {where.url}: {verdict.why}", advice=advice, level="warn")]
    return ()
