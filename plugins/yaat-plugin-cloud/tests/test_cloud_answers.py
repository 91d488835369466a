"""Every answer, and what becomes of the events: judged by what the server has."""

from __future__ import annotations

import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from support.forwarding import batch_of, forwarding, numbered
from support.ingest_server import (
    Behaviour,
    answer_bytes,
    end,
    endless,
    hang,
    limited,
    picky,
    raw,
    reset_in_the_middle,
    served,
    status,
    taken_then,
)

from yaat_core.components import Done, Partial, Pause, Retry
from yaat_core.config.options import Duration, Secret, Size
from yaat_plugin_cloud.config import RetryConfig

TEN = numbered(10)
OK = {"Content-Type": "application/json"}


async def test_one_request_for_a_batch(tmp_path: Path) -> None:
    with served() as server:
        async with forwarding(tmp_path, server.url) as cloud:
            assert await cloud.once(batch_of(TEN)) == Done()
    [request] = server.requests
    assert server.messages == TEN
    assert request.headers["prefer"] == "handling=lenient"
    assert request.headers["content-encoding"] == "gzip"
    assert not (tmp_path / "state/delivery/sinks.cloud.json").read_text().count("parts"), "nothing went wrong"


#: What is no acknowledgement. The events may have been taken, so the same request is sent again.
NOT_ACKNOWLEDGED: dict[str, Behaviour] = {
    "500": status(500),
    "503": status(503, b"<html>"),
    "408": status(408),
    "409": status(409),
    "425": status(425),
    "204": status(204),
    "205 and 206": status(206, {"accepted": 10}),
    "200 without a body": status(200, b"", OK),
    "200 with a page": status(200, b"<html>welcome</html>", {"Content-Type": "text/html"}),
    "200 with the right words as text": status(200, b'{"accepted": 10}', {"Content-Type": "text/plain"}),
    "200 with half of it": status(200, b'{"accepted": ', OK),
    "200 with a list": status(200, [10]),
    "200 with a truth for a number": status(200, {"accepted": True}),
    "200 with fewer and no reason": status(200, {"accepted": 9}),
    "200 that is compressed": status(200, b"\x1f\x8b\x08" + bytes(9), {**OK, "Content-Encoding": "gzip"}),
    "200 nested too deeply": status(200, b"[" * 100_000, OK),
    "200 without an end": endless,
    "200 cut off": raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"),
    "reset in the middle of the body": reset_in_the_middle,
    "end before the answer": end,
    "no HTTP": raw(b"220 smtp ready\r\n"),
    "a header without an end": raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000),
    "taken, then no answer": taken_then(end),
    "taken, then 502": taken_then(lambda exchange: exchange.answer(502)),
}


@pytest.mark.parametrize("name", NOT_ACKNOWLEDGED)
async def test_what_is_no_acknowledgement_is_repeated_as_it_was(tmp_path: Path, name: str) -> None:
    with served(*[NOT_ACKNOWLEDGED[name]] * 2) as server:
        async with forwarding(tmp_path, server.url) as cloud:
            assert await cloud.until_over(batch_of(TEN)) == Done()
            assert [type(outcome) for outcome in cloud.outcomes] == [Retry, Retry, Done]
    assert server.messages == TEN
    assert len(server.taken) == 1
    assert len({request.batch_id for request in server.requests}) == 1


async def test_interim_answers_are_passed_over(tmp_path: Path) -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\n\r\n" * 3 + answer_bytes(200, {"accepted": 10})
    with served(taken_then(raw(interim))) as server:
        async with forwarding(tmp_path, server.url) as cloud:
            assert await cloud.once(batch_of(TEN)) == Done()


async def test_an_answer_byte_by_byte(tmp_path: Path) -> None:
    with served(taken_then(raw(answer_bytes(200, {"accepted": 10}), pause=0.001))) as server:
        async with forwarding(tmp_path, server.url) as cloud:
            assert await cloud.once(batch_of(TEN)) == Done()


@pytest.mark.parametrize("behaviour", [hang, raw(answer_bytes(200, {"accepted": 10}), pause=0.2)])
async def test_an_answer_has_a_deadline(tmp_path: Path, behaviour: Behaviour) -> None:
    short = {"read_timeout": Duration(0.5), "write_timeout": Duration(0.5), "connect_timeout": Duration(3)}
    with served(behaviour) as server:
        async with forwarding(tmp_path, server.url, **short) as cloud:
            outcome = await cloud.once(batch_of(TEN))
            assert isinstance(outcome, Retry)
            assert "answer" in outcome.why
            assert await cloud.until_over(batch_of(TEN)) == Done()
    assert server.messages == TEN


@pytest.mark.parametrize("number", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed_and_the_key_goes_nowhere(tmp_path: Path, number: int) -> None:
    with served() as elsewhere, served() as server:
        server.script = [status(number, b"", {"Location": f"{elsewhere.url}/v1/ingest"})]
        async with forwarding(tmp_path, server.url) as cloud:
            outcome = await cloud.once(batch_of(TEN))
            assert isinstance(outcome, Pause)
            assert "redirects are not followed" in outcome.advice
            assert await cloud.until_over(batch_of(TEN)) == Done()
    ours = {request.batch_id for request in server.requests}
    assert not ours & {request.batch_id for request in elsewhere.requests + elsewhere.strangers}
    assert server.messages == TEN


@pytest.mark.parametrize("number", [401, 403, 404, 405, 415, 431])
async def test_what_nobody_but_a_person_mends_pauses_and_kills_nothing(tmp_path: Path, number: int) -> None:
    refusal = {"error": {"problem": "not for service web"}}
    with served(*[status(number, refusal)] * 3) as server:
        async with forwarding(tmp_path, server.url) as cloud:
            assert await cloud.until_over(batch_of(TEN)) == Done()
            pause = cloud.outcomes[0]
            assert isinstance(pause, Pause)
            assert pause.why == f"it answers {number}: not for service web"
            assert pause.advice
    assert server.messages == TEN


async def test_a_wrong_key_is_never_told(tmp_path: Path) -> None:
    with served() as server:
        async with forwarding(tmp_path, server.url, api_key=Secret("hunter2hunter2")) as cloud:
            outcome = await cloud.once(batch_of(TEN))
            assert isinstance(outcome, Pause)
            assert "hunter2" not in f"{outcome} {cloud.sink.__dict__}"
    assert "hunter2" not in (tmp_path / "state/delivery/sinks.cloud.json").read_text()


def bad(event: dict[str, Any]) -> bool:
    return event["message"] in ("event 3", "event 7")


@pytest.mark.parametrize("options", [{}, {"names": False}, {"lenient": True}])
@pytest.mark.parametrize("ordered", [True, False])
async def test_bad_events_are_dead_and_the_others_delivered(
    tmp_path: Path, options: dict[str, bool], ordered: bool
) -> None:
    with served(otherwise=picky(bad, **options)) as server:
        async with forwarding(tmp_path, server.url, ordered=ordered, max_batch_rows=5) as cloud:
            outcome = await cloud.until_over(batch_of(TEN))
    assert isinstance(outcome, Partial)
    assert [row for row, _ in outcome.dead] == [3, 7]
    assert all("refused by the server" in reason for _, reason in outcome.dead)
    assert "422" in outcome.answer
    good = [text for text in TEN if text not in ("event 3", "event 7")]
    assert sorted(server.messages) == good
    assert not ordered or server.messages == good


async def test_many_bad_events_among_good_ones_take_few_requests(tmp_path: Path) -> None:
    texts = numbered(1000)
    with served(otherwise=picky(lambda event: event["message"].endswith("7"))) as server:
        async with forwarding(tmp_path, server.url) as cloud:
            outcome = await cloud.until_over(batch_of(texts))
    assert isinstance(outcome, Partial)
    assert len(outcome.dead) == 100
    assert len(server.messages) == 900
    assert len(server.requests) == 2


@pytest.mark.parametrize("body", [b"<html>400</html>", {"error": "no such version"}])
async def test_a_server_that_refuses_everything_kills_nothing(tmp_path: Path, body: Any) -> None:
    texts = numbered(200)
    with served(otherwise=status(400, body)) as server:
        async with forwarding(tmp_path, server.url) as cloud:
            outcome = await cloud.once(batch_of(texts))
            assert isinstance(outcome, Pause)
            assert "refuses every event" in outcome.why
            assert len(server.requests) < 50
            server.otherwise = picky(lambda event: False)
            assert await cloud.until_over(batch_of(texts)) == Done()
    assert sorted(server.messages) == sorted(texts)


async def test_one_bad_event_alone_is_dead_when_the_server_takes_others(tmp_path: Path) -> None:
    with served(otherwise=picky(lambda event: True, names=False)) as server:
        async with forwarding(tmp_path, server.url) as cloud:
            outcome = await cloud.until_over(batch_of(["poison"]))
    assert isinstance(outcome, Partial)
    assert "gives no reason" in outcome.dead[0][1]


async def test_too_large_is_halved(tmp_path: Path) -> None:
    texts = [f"{n} " + "abc" * n for n in range(64)]
    with served(otherwise=limited(2_000)) as server:
        async with forwarding(tmp_path, server.url, compression="none", ordered=True) as cloud:
            assert await cloud.until_over(batch_of(texts)) == Done()
    assert server.messages == texts


async def test_a_server_that_takes_no_size_at_all_pauses(tmp_path: Path) -> None:
    with served(otherwise=status(413)) as server:
        async with forwarding(tmp_path, server.url) as cloud:
            outcome = await cloud.once(batch_of(TEN))
    assert isinstance(outcome, Pause)
    assert "not even" in outcome.why
    assert server.messages == []


@pytest.mark.parametrize("oversized", ["cut", "dead"])
async def test_one_event_that_is_too_large(tmp_path: Path, oversized: Any) -> None:
    noise = "".join(chr(0x4E00 + (n * 7919) % 20_000) for n in range(60_000))
    texts = ["small", noise, "small too"]
    options = {"max_batch_bytes": Size(20_000), "oversized": oversized, "ordered": True}
    with served() as server:
        async with forwarding(tmp_path, server.url, **options) as cloud:
            outcome = await cloud.until_over(batch_of(texts))
            cut = cloud.counted("yaat_cloud_cut_events_total")
    assert all(len(request.body) <= 20_000 for request in server.requests)
    if oversized == "dead":
        assert isinstance(outcome, Partial)
        assert [row for row, _ in outcome.dead] == [1]
        assert server.messages == ["small", "small too"]
        return
    assert outcome == Done()
    assert cut == 1
    small, large, _ = server.events
    assert "log.truncated" not in small["tags"]
    assert large["tags"]["log.truncated"] == "true"
    assert 1_000 < len(large["message"]) < len(noise)
    assert noise.startswith(large["message"][:-1])


@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
async def test_requests_stay_below_their_bound_however_badly_they_compress(
    tmp_path: Path, compression: Any
) -> None:
    import random

    noise = random.Random(1)
    texts = [noise.randbytes(600).hex() for _ in range(2_000)]
    with served() as server:
        options = {"compression": compression, "max_batch_bytes": Size(200_000), "ordered": True}
        async with forwarding(tmp_path, server.url, **options) as cloud:
            assert await cloud.until_over(batch_of(texts)) == Done()
    assert server.messages == texts
    assert all(len(request.body) <= 200_000 for request in server.requests)


LATER = {
    "3": (3, 3.3),
    "99999999": (3_600, 3_960),
    "0": (0, 0.1),
    "-5": (0, 0.1),
    "soon": (0, 0.1),
    "1e9": (0, 0.1),
    "Wed, 99 Foo 2026 10:00:00 GMT": (0, 0.1),
    "Wed, 21 Oct 1815 07:28:00 GMT": (0, 0.1),
    "in five minutes": (60, 331),
    "Fri, 31 Dec 9999 23:59:59 GMT": (3_600, 3_960),
}


@pytest.mark.parametrize("value", LATER)
@pytest.mark.parametrize("number", [429, 503])
async def test_retry_after_is_honoured_within_bounds(tmp_path: Path, value: str, number: int) -> None:
    least, most = LATER[value]
    if value == "in five minutes":
        value = formatdate(time.time() + 300, usegmt=True)
    with served(status(number, b"", {"Retry-After": value})) as server:
        async with forwarding(tmp_path, server.url) as cloud:
            outcome = await cloud.once(batch_of(TEN))
    assert isinstance(outcome, Retry)
    assert outcome.after is not None
    assert least <= outcome.after <= most


async def test_a_time_to_retry_goes_by_the_servers_own_clock(tmp_path: Path) -> None:
    theirs = {"Date": "Sat, 01 Jan 2000 00:00:00 GMT", "Retry-After": "Sat, 01 Jan 2000 00:00:20 GMT"}
    with served(status(429, b"", theirs)) as server:
        async with forwarding(tmp_path, server.url) as cloud:
            outcome = await cloud.once(batch_of(TEN))
    assert isinstance(outcome, Retry)
    assert outcome.after is not None
    assert 20 <= outcome.after <= 22


@pytest.mark.parametrize(
    "limit", [{"max_attempts": 3}, {"max_elapsed": Duration(0.001), "initial": Duration(0.05)}]
)
async def test_when_attempts_end_all_of_it_is_dead(tmp_path: Path, limit: dict[str, Any]) -> None:
    retry = RetryConfig(**{"initial": Duration(0.01), "max_delay": Duration(0.1), **limit})
    with served(otherwise=status(503, {"error": {"problem": "overloaded"}})) as server:
        async with forwarding(tmp_path, server.url, retry=retry) as cloud:
            outcome = await cloud.until_over(batch_of(TEN))
    assert isinstance(outcome, Partial)
    assert [row for row, _ in outcome.dead] == list(range(10))
    assert outcome.attempts == limit.get("max_attempts", outcome.attempts)
    assert outcome.answer == "it answers 503: overloaded"
    assert "not delivered after" in outcome.dead[0][1]
    assert server.messages == []
