"""TLS against a real server with made certificates, HTTP/2, and `yaat validate` step by step."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trio
import trustme
from support.forwarding import batch_of, config, forwarding, numbered
from support.ingest_server import IngestServer, obey, served, status

from yaat_core.components import Done, Pause, Retry
from yaat_core.config.options import Duration, Secret
from yaat_core.errors import YaatError
from yaat_core.testing import make_context
from yaat_plugin_cloud.config import TlsConfig
from yaat_plugin_cloud.sink import CloudSink

TEN = numbered(10)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def ca_file(folder: Path, authority: trustme.CA) -> TlsConfig:
    authority.cert_pem.write_to_path(folder / "ca.pem")
    return TlsConfig(ca_file=str(folder / "ca.pem"))


def context_of(authority: trustme.CA, host: str = "127.0.0.1", **facts: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host, **facts).configure_cert(context)
    return context


async def outcome_and_finding(folder: Path, server: IngestServer, tls: TlsConfig) -> tuple[Any, Any]:
    """What a delivery says, and what `yaat validate` says."""
    async with forwarding(folder, server.url, tls=tls) as cloud:
        outcome = await cloud.once(batch_of(TEN))
        findings = await cloud.sink.check()
    return outcome, findings[0] if findings else None


async def test_a_server_that_the_authority_vouches_for(tmp_path: Path, authority: trustme.CA) -> None:
    with served(context=context_of(authority)) as server:
        outcome, finding = await outcome_and_finding(tmp_path, server, ca_file(tmp_path, authority))
    assert (outcome, finding) == (Done(), None)
    assert server.messages == TEN


async def test_an_expired_certificate(tmp_path: Path, authority: trustme.CA) -> None:
    past = datetime.now(UTC) - timedelta(days=1)
    with served(context=context_of(authority, not_before=past - timedelta(days=9), not_after=past)) as server:
        outcome, finding = await outcome_and_finding(tmp_path, server, ca_file(tmp_path, authority))
    assert isinstance(outcome, Pause)
    assert outcome.why == "the server's certificate has expired"
    assert "clock" in outcome.advice
    assert finding.problem.startswith("TLS: 127.0.0.1 port ")
    assert "has expired" in finding.problem
    assert server.requests == []


async def test_a_certificate_for_another_host(tmp_path: Path, authority: trustme.CA) -> None:
    with served(context=context_of(authority, "elsewhere.example")) as server:
        outcome, finding = await outcome_and_finding(tmp_path, server, ca_file(tmp_path, authority))
        by_name = server.url.replace("127.0.0.1", "localhost")
        async with forwarding(tmp_path / "n", by_name, tls=ca_file(tmp_path, authority)) as cloud:
            named = await cloud.once(batch_of(TEN))
    assert isinstance(outcome, Pause)
    assert "for another address" in outcome.why
    assert "for another address" in finding.problem
    assert isinstance(named, Pause)
    assert "for another host" in named.why
    assert server.requests == []


async def test_an_authority_that_nobody_knows(tmp_path: Path, authority: trustme.CA) -> None:
    with served(context=context_of(trustme.CA())) as server:
        outcome, finding = await outcome_and_finding(tmp_path, server, ca_file(tmp_path, authority))
        assert isinstance(outcome, Pause)
        assert "authority that is not known" in outcome.why
        assert "tls.ca_file" in outcome.advice
        assert "authority that is not known" in finding.problem
        outcome, finding = await outcome_and_finding(tmp_path, server, TlsConfig())
        assert isinstance(outcome, Pause), "the system does not know it either"
    assert server.requests == []


async def test_versions_below_the_minimum(tmp_path: Path, authority: trustme.CA) -> None:
    context = context_of(authority)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    file = ca_file(tmp_path, authority).ca_file
    with served(context=context) as server:
        outcome, finding = await outcome_and_finding(
            tmp_path, server, TlsConfig(ca_file=file, min_version="1.3")
        )
        assert isinstance(outcome, Pause)
        assert "no version of TLS" in outcome.why
        assert "no version of TLS" in finding.problem
        outcome, finding = await outcome_and_finding(tmp_path, server, TlsConfig(ca_file=file))
        assert (outcome, finding) == (Done(), None)


async def test_a_server_without_tls(tmp_path: Path, authority: trustme.CA) -> None:
    with served() as server:
        async with forwarding(
            tmp_path, server.url.replace("http:", "https:"), tls=ca_file(tmp_path, authority)
        ) as cloud:
            outcome = await cloud.once(batch_of(TEN))
            [finding] = await cloud.sink.check()
        server.failures.clear()
    assert isinstance(outcome, Pause)
    assert outcome.why == "what answers there does not speak TLS"
    assert "does not speak TLS" in finding.problem


@pytest.mark.parametrize("data", [None, b"", b"no certificate"])
async def test_an_authority_file_that_is_none(tmp_path: Path, data: bytes | None) -> None:
    if data is not None:
        (tmp_path / "ca.pem").write_bytes(data)
    tls = TlsConfig(ca_file=str(tmp_path / "ca.pem"))
    sink = CloudSink(config("https://127.0.0.1:1", tls=tls), make_context(tmp_path, "sinks.cloud"))
    [finding] = await sink.check()
    assert "tls.ca_file" in finding.problem
    assert "BEGIN CERTIFICATE" in finding.advice
    with pytest.raises(YaatError, match="ca_file"):
        await sink.open()
    await sink.aclose()


async def found(folder: Path, url: str, **options: Any) -> list[str]:
    sink = CloudSink(config(url, **options), make_context(folder, "sinks.cloud"))
    findings = await sink.check()
    assert all(finding.advice for finding in findings)
    return [finding.problem for finding in findings]


async def test_each_step_of_the_way_is_told_apart(tmp_path: Path) -> None:
    [problem] = await found(tmp_path, "http://no-such-name.invalid", allow_plain_http=True)
    assert problem.startswith("DNS: no-such-name.invalid: ")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    [problem] = await found(tmp_path, f"http://127.0.0.1:{port}")
    assert problem == f"connection: 127.0.0.1 port {port}: the connection is refused"
    with served() as server:
        [problem] = await found(tmp_path, server.url, api_key=Secret("wrong"))
        assert problem == f"authentication: {server.url}/v1/ingest: it answers 401: no such key"
        [problem] = await found(tmp_path, server.url + "/elsewhere")
        assert problem == f"API: {server.url}/elsewhere/v1/ingest: it answers 404"
    for number, step in ((403, "authentication"), (404, "API"), (302, "API"), (503, "API"), (204, "API")):
        with served(status(number)) as server:
            [problem] = await found(tmp_path, server.url)
            assert problem.startswith(f"{step}: {server.url}/v1/ingest: it answers {number}")
    with served() as server:
        assert await found(tmp_path, server.url) == []
        assert server.events == []


async def test_a_port_that_takes_connections_and_says_nothing(tmp_path: Path, authority: trustme.CA) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=8) as deaf:
        url = f"https://127.0.0.1:{deaf.getsockname()[1]}"
        short = {"connect_timeout": Duration(2), "tls": ca_file(tmp_path, authority)}
        [problem] = await found(tmp_path, url, **short)
        assert "no answer to the TLS handshake" in problem
        async with forwarding(tmp_path, url, **short) as cloud:
            outcome = await cloud.once(batch_of(TEN))
    assert isinstance(outcome, Retry)
    assert "connect_timeout" in outcome.why


@contextmanager
def hypercorn(authority: trustme.CA, folder: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A real HTTP/2 server: Hypercorn, in a thread with a loop of its own."""
    from hypercorn.config import Config
    from hypercorn.trio import serve

    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    seen: list[dict[str, Any]] = []
    app = _application(seen)
    listener = socket.create_server(("127.0.0.1", 0))
    settings = Config()
    settings.bind = [f"fd://{listener.detach()}"]
    settings.certfile = settings.keyfile = str(folder / "server.pem")
    stop: list[Any] = []
    ready = threading.Event()

    async def main() -> None:
        over = trio.Event()
        stop.append((trio.lowlevel.current_trio_token(), over))
        ready.set()
        await serve(app, settings, shutdown_trigger=over.wait)

    port = socket.socket(fileno=int(settings.bind[0].removeprefix("fd://")))
    number = port.getsockname()[1]
    port.detach()
    thread = threading.Thread(target=trio.run, args=(main,))
    thread.start()
    ready.wait(30)
    try:
        yield f"https://127.0.0.1:{number}", seen
    finally:
        token, over = stop[0]
        token.run_sync_soon(over.set)
        thread.join(30)


def _application(seen: list[dict[str, Any]]) -> Any:
    import gzip
    import json

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        events = json.loads(gzip.decompress(body))["events"]
        seen.append({"version": scope["http_version"], "events": events})
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 202, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps({"accepted": len(events)}).encode()})

    return app


@pytest.mark.parametrize(("http2", "version"), [(True, "2"), (False, "1.1")])
async def test_http_2_where_it_is_wanted(
    tmp_path: Path, authority: trustme.CA, http2: bool, version: str
) -> None:
    texts = [f"{n} {'x' * 500}" for n in range(3_000)]
    with hypercorn(authority, tmp_path) as (url, seen):
        options: dict[str, Any] = {"http2": http2, "max_batch_rows": 300, "tls": ca_file(tmp_path, authority)}
        async with forwarding(tmp_path, url, **options) as cloud:
            assert await cloud.until_over(batch_of(texts)) == Done()
    assert {request["version"] for request in seen} == {version}
    assert sorted(event["message"] for request in seen for event in request["events"]) == sorted(texts)


def test_the_server_of_these_tests_obeys_by_default() -> None:
    assert IngestServer().otherwise is obey
