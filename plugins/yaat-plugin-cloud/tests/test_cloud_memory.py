"""What outlives a failure and a restart: parts that were acknowledged, boundaries, waits, the circuit breaker."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from support.forwarding import batch_of, forwarding, numbered, position
from support.ingest_server import (
    end,
    hang,
    obey,
    picky,
    served,
    status,
    taken_then,
)

from yaat_core.components import Done, Partial, Pause, Retry
from yaat_core.config.options import Duration
from yaat_core.errors import StoreNewer
from yaat_plugin_cloud.config import CircuitBreakerConfig, RetryConfig

FILE = "state/delivery/sinks.cloud.json"
TEXTS = numbered(40)


async def test_an_acknowledged_part_is_not_sent_again_even_after_a_restart(tmp_path: Path) -> None:
    """Four parts, the third fails; a new life sends what is left."""
    with served(obey, obey, status(503)) as server:
        options: dict[str, Any] = {"max_batch_rows": 10, "ordered": True}
        async with forwarding(tmp_path, server.url, **options) as cloud:
            assert isinstance(await cloud.once(batch_of(TEXTS)), Retry)
        assert server.messages == TEXTS[:20]
        async with forwarding(tmp_path, server.url, **options) as cloud:
            assert await cloud.until_over(batch_of(TEXTS)) == Done()
        assert server.messages == TEXTS
        assert server.repeated == 0
        ids = [request.batch_id for request in server.requests]
    assert ids[2] == ids[3]
    assert len(set(ids)) == 4


async def test_a_request_that_may_have_arrived_is_repeated_as_it_was_whatever_the_options_say(
    tmp_path: Path,
) -> None:
    """Killed without a word: nothing of the delivery is on the disk, only how it is cut."""
    batch = batch_of(TEXTS)
    with served(*[taken_then(hang)] * 4) as server:
        async with forwarding(tmp_path, server.url, max_batch_rows=10) as cloud:
            with trio.move_on_after(60) as killed:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(cloud.once, batch)
                    while len(server.events) < 40:
                        await trio.sleep(0.01)
                    killed.cancel()
    with served() as again:
        again.taken = server.taken
        async with forwarding(tmp_path, again.url, max_batch_rows=7, compression="zstd") as cloud:
            assert await cloud.until_over(batch) == Done()
            assert again.repeated == 4
            assert len(again.events) == 40
            assert await cloud.until_over(batch_of(numbered(14)), first=41) == Done()
        assert [len(request.events) for request in again.requests] == [10] * 4 + [7] * 2


async def test_a_wait_survives_a_restart(tmp_path: Path) -> None:
    with served(status(429, b"", {"Retry-After": "600"})) as server:
        async with forwarding(tmp_path, server.url) as cloud:
            assert isinstance(await cloud.once(batch_of(TEXTS)), Retry)
        async with forwarding(tmp_path, server.url) as cloud:
            outcome = await cloud.once(batch_of(TEXTS))
        assert len(server.requests) == 1
    assert isinstance(outcome, Retry)
    assert outcome.why == "it answers 429"
    assert outcome.after is not None
    assert 60 < outcome.after <= 660


async def test_a_clock_that_was_set_back_does_not_make_the_wait_longer(tmp_path: Path) -> None:
    with served(status(503)) as server:
        async with forwarding(tmp_path, server.url) as cloud:
            await cloud.once(batch_of(TEXTS))
        document = json.loads((tmp_path / FILE).read_text())
        document["trouble"]["not_before"] += 1e9
        (tmp_path / FILE).write_text(json.dumps(document))
        async with forwarding(tmp_path, server.url) as cloud:
            outcome = await cloud.once(batch_of(TEXTS))
    assert isinstance(outcome, Retry)
    assert outcome.after is not None
    assert outcome.after <= 3_600


async def test_attempts_are_counted_over_restarts(tmp_path: Path) -> None:
    retry = RetryConfig(initial=Duration(0.001), max_delay=Duration(0.001), max_attempts=4)
    with served(otherwise=status(500)) as server:
        outcome: Any = None
        lives = 0
        while not isinstance(outcome, Partial):
            async with forwarding(tmp_path, server.url, retry=retry) as cloud:
                await trio.sleep(0.01)
                outcome = await cloud.once(batch_of(TEXTS))
            lives += 1
    assert lives == 4
    assert outcome.attempts == 4
    assert len(outcome.dead) == 40


async def test_an_outcome_is_the_same_after_a_kill_before_the_core_knew(tmp_path: Path) -> None:
    with served(otherwise=picky(lambda event: event["message"] == "event 5", lenient=True)) as server:
        async with forwarding(tmp_path, server.url) as cloud:
            first = await cloud.once(batch_of(TEXTS))
        async with forwarding(tmp_path, server.url) as cloud:
            assert await cloud.once(batch_of(TEXTS)) == first
        assert len(server.requests) == 1
    assert isinstance(first, Partial)
    assert [row for row, _ in first.dead] == [5]


@pytest.mark.parametrize("restart", [False, True])
async def test_a_dead_letter_between_two_attempts_forgets_neither(tmp_path: Path, *, restart: bool) -> None:
    """The core sends a letter again while what the queue has waits: what either has acknowledged stays so."""
    options: dict[str, Any] = {"max_batch_rows": 10, "ordered": True}
    queued, letter = batch_of(TEXTS), batch_of([f"dead {n}" for n in range(20)])
    again = attrs.evolve(position(3, 22), replay="a1b2")
    behaviours = [obey, obey, status(503), obey, status(503)]
    with served(*behaviours) as server:
        async with forwarding(tmp_path, server.url, **options) as cloud:
            assert isinstance(await cloud.once(queued), Retry)
            assert isinstance(await cloud.sink.deliver(letter, again), Retry)
            if not restart:
                assert await cloud.until_over(queued) == Done()
                assert await cloud.sink.deliver(letter, again) == Done()
        if restart:
            async with forwarding(tmp_path, server.url, **options) as cloud:
                assert await cloud.until_over(queued) == Done()
                assert await cloud.sink.deliver(letter, again) == Done()
        assert server.repeated == 0
        assert len(server.messages) == len(set(server.messages)) == 60
        assert len({request.batch_id for request in server.requests}) == 6, "two were sent twice"


async def test_a_breaker_sends_one_small_request_and_then_everything(tmp_path: Path) -> None:
    breaker = CircuitBreakerConfig(failure_threshold=3, reset_timeout=Duration(0.02), probe_rows=4)
    with served(otherwise=status(429)) as server:
        options: dict[str, Any] = {"max_batch_rows": 10, "in_flight": 4, "circuit_breaker": breaker}
        async with forwarding(tmp_path, server.url, **options) as cloud:
            server.otherwise = status(503)
            port_gone = batch_of(TEXTS)
            while not cloud.sink._breaker.open:
                outcome = await cloud.once(port_gone)
                assert isinstance(outcome, Retry)
            before = len(server.requests)
            assert isinstance(await cloud.once(port_gone), Retry)
            assert len(server.requests) == before + 1, "one request while it is open"
        # a new life knows that the server was down
        async with forwarding(tmp_path, server.url, **options) as cloud:
            await trio.sleep(0.1)
            before = len(server.requests)
            outcome = await cloud.once(port_gone)
            assert isinstance(outcome, Retry)
            assert outcome.after is not None
            assert len(server.requests) <= before + 1
            server.otherwise = obey
            assert await cloud.until_over(port_gone) == Done()
    assert sorted(server.messages) == sorted(TEXTS)
    assert server.repeated == 0


async def test_a_probe_of_what_surely_did_not_arrive_is_small(tmp_path: Path) -> None:
    breaker = CircuitBreakerConfig(failure_threshold=2, reset_timeout=Duration(0.02), probe_rows=4)
    with served() as server:
        async with forwarding(tmp_path, server.url, circuit_breaker=breaker) as cloud:
            assert await cloud.once(batch_of(["the first"])) == Done()
            server.stop()
            for _ in range(4):
                outcome = await cloud.once(batch_of(TEXTS), first=2)
                assert isinstance(outcome, Retry)
            assert "refused" in outcome.why
            server.start()
            assert await cloud.until_over(batch_of(TEXTS), first=2) == Done()
    assert [len(request.events) for request in server.requests][:2] == [1, 4]
    assert server.messages == ["the first", *TEXTS]


async def test_what_an_earlier_life_may_have_sent_is_not_cut_for_a_probe(tmp_path: Path) -> None:
    """Killed with a request on its way; then the server is down long enough to open the breaker."""
    breaker = CircuitBreakerConfig(failure_threshold=2, reset_timeout=Duration(0.02), probe_rows=4)
    with served(taken_then(hang)) as server:
        async with (
            forwarding(tmp_path, server.url, circuit_breaker=breaker) as cloud,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(cloud.once, batch_of(TEXTS))
            while not server.events:
                await trio.sleep(0.01)
            nursery.cancel_scope.cancel()
        server.stop()
        async with forwarding(tmp_path, server.url, circuit_breaker=breaker) as cloud:
            for _ in range(4):
                assert isinstance(await cloud.once(batch_of(TEXTS)), Retry)
                await trio.sleep(0.05)
            server.start()
            assert await cloud.until_over(batch_of(TEXTS)) == Done()
    assert server.repeated == 1
    assert server.messages == TEXTS


async def test_order_is_kept_through_failures(tmp_path: Path) -> None:
    noise = random.Random(1)
    with served() as server:
        server.script = [noise.choice([obey, status(503), end, taken_then(end)]) for _ in range(60)]
        async with forwarding(tmp_path, server.url, max_batch_rows=3, ordered=True) as cloud:
            for start in range(0, 160, 40):
                texts = numbered(160)[start : start + 40]
                assert await cloud.until_over(batch_of(texts), first=start + 1) == Done()
    assert server.messages == numbered(160)


async def test_several_are_in_flight_and_never_more(tmp_path: Path) -> None:
    waiting, most = [0], [0]
    gate = trio.Event()

    def slow(exchange: Any) -> None:
        exchange.read_body()
        with server._lock:
            waiting[0] += 1
            most[0] = max(most[0], waiting[0])
            if waiting[0] == 3:
                token.run_sync_soon(gate.set)
        while not gate.is_set():
            exchange.server.closing.wait(0.01)
        with server._lock:
            waiting[0] -= 1
        exchange.answer(200, {"accepted": exchange.take()})

    token = trio.lowlevel.current_trio_token()
    with served(otherwise=slow) as server:
        async with forwarding(tmp_path, server.url, max_batch_rows=2, in_flight=3) as cloud:
            with trio.fail_after(60):
                assert await cloud.once(batch_of(TEXTS)) == Done()
        assert len(server.connections) == 3, "connections are used again"
    assert most[0] == 3
    assert sorted(server.messages) == sorted(TEXTS)


async def test_a_delivery_that_lost_its_beginning_to_the_queues_bound(tmp_path: Path) -> None:
    batch = batch_of(TEXTS)
    with served(obey, status(503)) as server:
        options: dict[str, Any] = {"max_batch_rows": 10, "ordered": True}
        async with forwarding(tmp_path, server.url, **options) as cloud:
            assert isinstance(await cloud.once(batch), Retry)
            assert await cloud.until_over(batch.slice(15), first=16) == Done()
    assert server.messages == TEXTS[:10] + TEXTS[15:]
    sizes = [len(request.events) for request in server.requests]
    assert sizes == [10, 10, 5, 10, 10]


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"version": 1}', b'{"version": 1, "cut": {}}', b"\xff\x00"]
)
async def test_a_damaged_file_is_told_and_everything_is_delivered(tmp_path: Path, data: bytes) -> None:
    with served() as server:
        async with forwarding(tmp_path, server.url):
            pass
        (tmp_path / FILE).write_bytes(data)
        async with forwarding(tmp_path, server.url) as cloud:
            [finding] = cloud.sink.problems()
            assert "damaged" in finding.problem
            assert await cloud.until_over(batch_of(TEXTS)) == Done()
    assert server.messages == TEXTS


async def test_a_later_format_is_refused_untouched(tmp_path: Path) -> None:
    with served() as server:
        async with forwarding(tmp_path, server.url):
            pass
        (tmp_path / FILE).write_bytes(b'{"version": 2, "new": true}')
        with pytest.raises((StoreNewer, ExceptionGroup)):
            async with forwarding(tmp_path, server.url):
                pass
    assert (tmp_path / FILE).read_bytes() == b'{"version": 2, "new": true}'


async def test_state_that_cannot_be_written_holds_nothing_up(tmp_path: Path) -> None:
    with served(status(503)) as server:
        async with forwarding(tmp_path, server.url) as cloud:
            shutil.rmtree((tmp_path / FILE).parent)
            (tmp_path / FILE).parent.touch()
            assert isinstance(await cloud.once(batch_of(TEXTS)), Retry)
            finding = cloud.sink.problems()[0]
            assert "can't be written" in finding.problem
            assert await cloud.until_over(batch_of(TEXTS)) == Done()
    assert server.messages == TEXTS


async def test_a_pause_leaves_what_was_acknowledged_acknowledged(tmp_path: Path) -> None:
    with served(obey, status(401)) as server:
        async with forwarding(tmp_path, server.url, max_batch_rows=20, ordered=True) as cloud:
            assert isinstance(await cloud.once(batch_of(TEXTS)), Pause)
        async with forwarding(tmp_path, server.url, max_batch_rows=20, ordered=True) as cloud:
            assert await cloud.once(batch_of(TEXTS)) == Done()
    assert server.messages == TEXTS
    assert [len(request.events) for request in server.requests] == [20, 20, 20]


async def test_a_dead_letter_between_two_attempts_does_not_disturb_them(tmp_path: Path) -> None:
    with served(obey, status(503), obey) as server:
        options: dict[str, Any] = {"max_batch_rows": 20, "ordered": True}
        async with forwarding(tmp_path, server.url, **options) as cloud:
            assert isinstance(await cloud.once(batch_of(TEXTS)), Retry)
            letter = attrs.evolve(position(1, 3), replay="ab" * 16)
            assert await cloud.sink.deliver(batch_of(["a", "b", "c"]), letter) == Done()
            assert await cloud.until_over(batch_of(TEXTS)) == Done()
    assert server.messages == [*TEXTS[:20], "a", "b", "c", *TEXTS[20:]]
    assert len({request.batch_id for request in server.requests}) == 3
