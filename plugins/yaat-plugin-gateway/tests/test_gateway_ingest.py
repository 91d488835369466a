"""POST /v1/ingest over a real socket: what is answered, and what is in."""

from __future__ import annotations

import gzip
import json
import shutil
import socket
import ssl
import subprocess
from pathlib import Path

import httpx
import pytest
import trio
from backports import zstd
from support.ingesting import KEY, PATIENCE, CountingLimits, event, gateway, make_source

from yaat_core import Duration, Size
from yaat_core.stats import Stats
from yaat_core.testing import RecordingOutlet


async def test_events_are_in_before_they_are_answered(tmp_path):
    outlet = RecordingOutlet(synced=False)
    async with gateway(tmp_path, outlet) as one, trio.open_nursery() as nursery:
        answers: list[httpx.Response] = []

        async def send() -> None:
            answers.append(await one.post([event("a"), event("b", level="error")]))

        nursery.start_soon(send)
        await one.until(lambda: outlet.sent)
        await trio.sleep(0.2)
        assert not answers, "answered before it was durable"
        assert not one.limits.taken
        outlet.sync()
        await one.until(lambda: answers)
        assert answers[0].status_code == 200
        assert answers[0].json() == {"accepted": 2, "duplicates": 0, "errors": []}
        assert answers[0].headers["ratelimit-remaining"] == "5"
        assert one.messages() == ["a", "b"]
        assert [kinds for kinds, _ in one.limits.taken] == [{"log": 2}]
        assert one.limits.origins == {("acme", "shop", "production")}


async def test_the_organization_is_that_of_the_key(tmp_path):
    async with gateway(tmp_path) as one:
        await one.post([event(organization_id="acme")], key="key-of-rival")
        assert [found.organization_id for found in one.events()] == ["rival"]
        assert one.outlet.sent[0].batch.labels.relayed


@pytest.mark.parametrize(
    ("key", "status"), [(None, 401), ("wrong", 401), ("key-to-read", 403), ("key-for-shop", 200)]
)
async def test_who_may_send(tmp_path, key, status):
    async with gateway(tmp_path) as one:
        assert (await one.post([event()], key=key)).status_code == status
        assert len(one.events()) == (status == 200)


@pytest.mark.parametrize(
    "fields", [{"service_name": "pay"}, {"environment": "test"}, {"service_name": " pay "}]
)
async def test_a_key_sends_for_its_services_and_environments_alone(tmp_path, fields):
    async with gateway(tmp_path) as one:
        answer = await one.post([event(), event(**fields)], key="key-for-shop")
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "out_of_scope"
        assert next(iter(fields.values())).strip() in answer.json()["error"]["problem"]
        assert not one.events()


async def test_a_refused_sender_with_a_large_body_is_told_why(tmp_path):
    async with gateway(tmp_path, max_body=Size(6_000_000)) as one:
        large = json.dumps({"events": [event("x" * 5_000_000)]}).encode()
        for _ in range(3):
            answer = await one.post(None, content=large, key="wrong")
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"content-type": "text/plain"}, 415, "unsupported_media_type"),
        ({"content-type": "application/json; charset=utf-8"}, 200, None),
        ({"content-encoding": "br"}, 415, "unknown_coding"),
        ({"content-encoding": "gzip"}, 400, "malformed"),
        ({"x-yaat-schema-version": "1"}, 200, None),
        ({"x-yaat-schema-version": "2"}, 400, "schema_too_new"),
        ({"x-yaat-schema-version": "one"}, 400, "invalid_header"),
        ({"batch-id": "a" * 129}, 400, "invalid_header"),
        ({"batch-id": "a b"}, 400, "invalid_header"),
        ({"batch-id": ""}, 400, "invalid_header"),
        ({"batch-id": "A-z0.9_:/+="}, 200, None),
    ],
)
async def test_headers(tmp_path, headers, status, code):
    async with gateway(tmp_path) as one:
        answer = await one.post([event()], **headers)
        assert answer.status_code == status, answer.text
        if code:
            assert answer.json()["error"]["code"] == code
            assert not one.events()


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("zstd", zstd.compress)])
async def test_packed_bodies(tmp_path, coding, pack):
    async with gateway(tmp_path) as one:
        body = json.dumps({"events": [event(f"m{number}") for number in range(100)]}).encode()
        answer = await one.post(None, content=pack(body), content_encoding=coding)
        assert answer.json()["accepted"] == 100
        (_, size), *_ = one.limits.admitted
        assert size == len(body), "what counts is the JSON"
        bomb = await one.post(None, content=pack(bytes(100_000_000)), content_encoding=coding)
        assert (bomb.status_code, bomb.json()["error"]["code"]) == (413, "too_large")


async def test_bodies_without_a_length_come_in_chunks(tmp_path):
    async def pieces():  # type: ignore[no-untyped-def]
        for piece in (b'{"events": [', json.dumps(event("chunked")).encode(), b"]}"):
            yield piece

    async with gateway(tmp_path) as one:
        headers = {"authorization": f"Bearer {KEY}"}
        answer = await one.client.post("/v1/ingest", content=pieces(), headers=headers)
        assert answer.json()["accepted"] == 1
        assert one.messages() == ["chunked"]


async def test_a_slow_sender_has_so_much_time(tmp_path):
    async with gateway(tmp_path, body_timeout=Duration(0.3)) as one:
        stream = await trio.open_tcp_stream("127.0.0.1", one.port)
        head = f"POST /v1/ingest HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-length: 50\r\n\r\n{{"
        async with stream:
            await stream.send_all(head.encode())
            with trio.fail_after(PATIENCE):
                answer = await stream.receive_some()
        assert b" 408 " in answer.split(b"\r\n")[0]


async def test_bad_events_are_named_and_nothing_is_taken(tmp_path):
    async with gateway(tmp_path) as one:
        answer = await one.post([event("good"), event(level="loud"), {"message": "whose?"}], batch_id="b")
        assert answer.status_code == 422
        assert answer.json()["errors"] == [
            {
                "index": 1,
                "field": "level",
                "problem": "must be one of debug, info, warning, error, critical",
                "got": "loud",
            },
            {"index": 2, "field": "service_name", "problem": "is required and must not be blank", "got": ""},
        ]
        assert not one.outlet.sent
        assert not one.limits.admitted
        assert (await one.post([event("good")], batch_id="b")).status_code == 200, "the id is not used up"


async def test_with_lenient_handling_the_good_ones_are_taken(tmp_path):
    async with gateway(tmp_path) as one:
        events = [event("good"), {"message": "whose?"}, event("fine")]
        first = await one.post(events, prefer="respond-async, handling=lenient", batch_id="b")
        again = await one.post(events, prefer="handling=lenient", batch_id="b")
        for answer in (first, again):
            assert answer.status_code == 200
            assert answer.headers["preference-applied"] == "handling=lenient"
            assert answer.json()["accepted"] == 2
            assert [wrong["index"] for wrong in answer.json()["errors"]] == [1]
        assert one.messages() == ["good", "fine"]
        assert (await one.post([{}], prefer="handling=lenient")).status_code == 422
        assert one.counted("yaat_gateway_bad_events_total") == 1, "a repeated batch is not counted twice"


@pytest.mark.parametrize(("count", "status"), [(4_000, 200), (14_000, 422)])
async def test_an_answer_stays_below_what_agents_read(tmp_path, count, status):
    """Agents read 1 MiB: what can't be named in it is not taken beside it either."""
    async with gateway(tmp_path) as one:
        wrong = {"service_name": "shop", "message": "x", "level": "loud" * 20, "trace_id": "z" * 60}
        answer = await one.post([event("good"), *[wrong] * count], prefer="handling=lenient", batch_id="b")
        assert answer.status_code == status
        assert len(answer.content) < 2**20
        told = answer.json()
        assert [entry["index"] for entry in told["errors"]] == list(range(1, len(told["errors"]) + 1))
        assert len(told["errors"]) + told.get("errors_left_out", 0) == count
        assert one.messages() == (["good"] if status == 200 else [])


async def test_limits_are_asked_before_anything_is_taken(tmp_path):
    async with gateway(tmp_path) as one:
        one.limits.closed = True
        answer = await one.post([event()], batch_id="b")
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
        one.limits.closed = False
        assert (await one.post([event()], batch_id="b")).json()["accepted"] == 1
        one.limits.closed = True
        assert (await one.post([event()], batch_id="b")).status_code == 200, "what is in costs nothing"


async def test_too_many_requests_at_one_time_are_refused_for_a_moment(tmp_path):
    outlet = RecordingOutlet(synced=False)
    async with gateway(tmp_path, outlet, max_requests=2) as one, trio.open_nursery() as nursery:
        for number in range(2):
            nursery.start_soon(one.post, [event(f"{number}")])
        await one.until(lambda: len(outlet.sent) == 2)
        answer = await one.post([event()])
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert [finding.level for finding in one.source.problems()] == ["warn"]
        outlet.sync()


async def test_a_full_pipeline_refuses_for_a_moment_and_takes_nothing(tmp_path):
    outlet = RecordingOutlet(room=0)
    async with gateway(tmp_path, outlet, patience=Duration(0.2)) as one:
        answer = await one.post([event("later")], batch_id="b")
        assert answer.status_code == 503
        outlet.make_room()
        assert (await one.post([event("later")], batch_id="b")).json()["accepted"] == 1
        assert one.messages() == ["later"]


async def test_a_full_disk_refuses_for_a_moment_and_takes_the_batch_once(tmp_path):
    outlet = RecordingOutlet(synced=False)
    async with gateway(tmp_path, outlet, patience=Duration(0.2)) as one:
        events = [event("once")]
        for _ in range(3):
            answer = await one.post(events, batch_id="b")
            assert answer.status_code == 503
            assert "durable" in answer.json()["error"]["problem"]
        assert one.messages() == ["once"]
        outlet.sync()
        assert (await one.post(events, batch_id="b")).json() == {"accepted": 1, "duplicates": 0, "errors": []}
        assert one.messages() == ["once"]
        assert len(one.limits.taken) == 1, "what became durable counts, though its sender had gone"


async def test_a_client_that_goes_away_changes_nothing(tmp_path):
    outlet = RecordingOutlet(synced=False)
    async with gateway(tmp_path, outlet) as one:
        body = json.dumps({"events": [event("gone")]}).encode()
        head = (
            f"POST /v1/ingest HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\nbatch-id: g\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        ).encode()
        for cut in (len(head) - 5, len(head) + 20):
            async with await trio.open_tcp_stream("127.0.0.1", one.port) as stream:
                await stream.send_all((head + body)[:cut])
        assert not outlet.sent
        async with await trio.open_tcp_stream("127.0.0.1", one.port) as stream:
            await stream.send_all(head + body)
            await one.until(lambda: outlet.sent)
        outlet.sync()
        assert (await one.post(None, content=body, batch_id="g")).json()["accepted"] == 1
        assert one.messages() == ["gone"]


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST /v1/ingest HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/ingest HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"POST /v1/ingest HTTP/1.1\r\nhost: x\r\ntransfer-encoding: xchunked\r\n\r\nhello",
        b"POST /v1/ingest HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 100_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"nonsense\r\n\r\n",
    ],
)
async def test_requests_that_are_none_end_alone(tmp_path, request_bytes):
    async with gateway(tmp_path) as one:
        async with await trio.open_tcp_stream("127.0.0.1", one.port) as stream:
            await stream.send_all(request_bytes)
            with trio.fail_after(PATIENCE):
                answer = await stream.receive_some()
        assert not answer or answer.split()[1] in (b"400", b"401", b"431", b"501"), answer
        assert not one.outlet.sent
        assert (await one.post([event()])).status_code == 200


async def test_other_paths_and_methods(tmp_path):
    async with gateway(tmp_path) as one:
        for method, path, status in (
            ("GET", "/", 404),
            ("GET", "/v1/ingest", 405),
            ("POST", "/v1/ingest/", 404),
        ):
            answer = await one.client.request(method, path, follow_redirects=False)
            assert answer.status_code == status, path
            assert set(answer.json()["error"]) == {"code", "problem", "fix"}
            assert answer.headers["cache-control"] == "no-store"


async def test_an_accident_is_told_by_a_number_and_no_more(tmp_path, caplog):
    async with gateway(tmp_path) as one:

        async def admit(*_: object) -> None:
            raise RuntimeError("secret inside")

        one.limits.admit = admit  # type: ignore[method-assign]
        answer = await one.post([event()])
        assert answer.status_code == 500
        assert "secret" not in answer.text
        assert "secret inside" in caplog.text
        assert answer.json()["error"]["problem"].split()[-1] in caplog.text


def self_signed(folder: Path) -> None:
    """``cert.pem`` and ``key.pem`` for localhost."""
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    files = ["-keyout", "key.pem", "-out", "cert.pem", "-addext", "subjectAltName=DNS:localhost"]
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    subprocess.run([*command.split(), *files], cwd=folder, capture_output=True, check=True)


async def test_tls(tmp_path):
    await trio.to_thread.run_sync(self_signed, tmp_path)
    certificate = tmp_path / "cert.pem"
    trusting = ssl.create_default_context(cafile=str(certificate))
    options = {"tls_certificate": "cert.pem", "tls_key": "key.pem", "tls_minimum": "1.3"}
    async with gateway(tmp_path, verify=trusting, **options) as one:
        assert (await one.post([event("sealed")])).status_code == 200
        old = ssl.create_default_context(cafile=str(certificate))
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        async with httpx.AsyncClient(verify=old) as client:
            with pytest.raises(httpx.ConnectError):
                await client.get(f"https://localhost:{one.port}/")
        with socket.create_connection(("127.0.0.1", one.port)) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert (await one.post([event("still")])).status_code == 200
        assert one.messages() == ["sealed", "still"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"tls_certificate": "none.pem"}, "can't be read"),
        ({"tls_certificate": "bad.pem"}, "don't fit"),
        ({"listen": "tcp://0.0.0.0:0"}, "in the clear"),
        ({"listen": "tcp://192.0.2.1:1"}, "can't listen"),
    ],
)
async def test_check_says_what_is_wrong(tmp_path: Path, options, problem):
    (tmp_path / "bad.pem").write_text("nothing\n")
    source = make_source(tmp_path, CountingLimits(), Stats(), **options)
    assert any(problem in finding.problem for finding in await source.check())
