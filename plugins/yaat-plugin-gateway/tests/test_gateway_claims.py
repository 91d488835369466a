"""What comes twice is taken once: batches by their Batch-Id, events by their event_id, through a restart too."""

from __future__ import annotations

import uuid

import httpx
import trio
from support.ingesting import event, gateway

from yaat_core import Duration
from yaat_core.event import Event, EventBatch
from yaat_core.testing import RecordingOutlet
from yaat_plugin_gateway.ingest.seen import Seen


async def test_a_repeated_batch_is_answered_as_the_first_time_and_taken_once(tmp_path):
    async with gateway(tmp_path) as one:
        events = [event("a"), event("b")]
        answers = [await one.post(events, batch_id="b1") for _ in range(3)]
        assert [answer.json()["accepted"] for answer in answers] == [2, 2, 2]
        assert one.messages() == ["a", "b"]
        assert len(one.limits.taken) == 1
        assert one.counted("yaat_gateway_repeated_batches_total") == 2


async def test_the_same_batch_id_of_another_organization_is_another_batch(tmp_path):
    async with gateway(tmp_path) as one:
        await one.post([event("a")], batch_id="b1")
        await one.post([event("b")], batch_id="b1", key="key-of-rival")
        assert one.messages() == ["a", "b"]


async def test_a_repeat_waits_for_the_first_one(tmp_path):
    outlet = RecordingOutlet(synced=False)
    async with gateway(tmp_path, outlet) as one, trio.open_nursery() as nursery:
        answers: list[httpx.Response] = []
        events = [event("a")]

        async def send() -> None:
            answers.append(await one.post(events, batch_id="b"))

        for _ in range(5):
            nursery.start_soon(send)
        await one.until(lambda: outlet.sent)
        await trio.sleep(0.2)
        assert not answers
        outlet.sync()
        await one.until(lambda: len(answers) == 5)
        assert {answer.json()["accepted"] for answer in answers} == {1}
        assert one.messages() == ["a"]


async def test_batches_are_known_after_a_restart(tmp_path):
    async with gateway(tmp_path) as one:
        await one.post([event("a")], batch_id="b1")
        stored = one.outlet.stored()
    async with gateway(tmp_path, RecordingOutlet(stored)) as again:
        assert (await again.post([event("a")], batch_id="b1")).json()["accepted"] == 1
        assert not again.messages()


async def test_an_event_that_comes_in_another_batch_is_taken_once(tmp_path):
    async with gateway(tmp_path) as one:
        first, second, third = event("1"), event("2"), event("3")
        await one.post([first, second], batch_id="b1")
        answer = await one.post([second, third, third], batch_id="b2")
        assert answer.json() == {"accepted": 3, "duplicates": 2, "errors": []}
        assert one.messages() == ["1", "2", "3"]
        assert (await one.post([first])).json()["duplicates"] == 1, "without a Batch-Id too"
        assert one.counted("yaat_gateway_duplicate_events_total") == 3
        stored = one.outlet.stored()
    async with gateway(tmp_path, RecordingOutlet(stored)) as again:
        assert (await again.post([first, second, third, event("4")])).json()["duplicates"] == 3
        assert again.messages() == ["4"]


async def test_the_same_event_id_of_another_organization_is_another_event(tmp_path):
    async with gateway(tmp_path) as one:
        same = event("mine")
        await one.post([same])
        await one.post([same], key="key-of-rival")
        assert [found.organization_id for found in one.events()] == ["acme", "rival"]


async def test_the_same_events_at_one_time_are_taken_once(tmp_path):
    outlet = RecordingOutlet(room=1)
    async with gateway(tmp_path, outlet) as one, trio.open_nursery() as nursery:
        same = event("once")
        for number in range(6):
            nursery.start_soon(lambda number=number: one.post([same], batch_id=f"b{number}"))
        await one.until(lambda: outlet.sent)
        outlet.make_room()
    assert one.messages() == ["once"]


async def test_events_without_an_id_are_all_taken(tmp_path):
    async with gateway(tmp_path) as one:
        for _ in range(2):
            await one.post([{"service_name": "s"}, {"service_name": "s"}])
        assert len(one.events()) == 4


async def test_what_is_too_old_or_too_much_is_forgotten_and_deleted(tmp_path):
    async with gateway(tmp_path, remember_batches=3, remember_events=4) as one:
        events = [event(f"{number}") for number in range(12)]
        for number, single in enumerate(events):
            assert (await one.post([single], batch_id=f"b{number}")).json()["duplicates"] == 0
        stored = one.outlet.stored()
        assert len([key for key in stored if key[:1] == b"b"]) <= 5
        assert len([key for key in stored if key[:1] == b"i"]) <= 5
        assert (await one.post([events[0]], batch_id="b0")).json() == {
            "accepted": 1,
            "duplicates": 0,
            "errors": [],
        }
        assert (await one.post([events[-1]], batch_id="b11")).json()["accepted"] == 1
        assert len(one.messages()) == 13
    async with gateway(tmp_path, RecordingOutlet(stored), remember=Duration(0.001)) as later:
        await later.post([events[-1]], batch_id="b11")
        assert later.messages() == ["11"], "a day later it is a new batch"
        await later.post([event("other")], batch_id="other")
        assert len(later.outlet.stored()) <= 4


async def test_checkpoints_that_cant_be_read_are_deleted(tmp_path):
    stored = {b"b": b"", b"x" + bytes(16): b"?", b"b" + bytes(16): b"\x09" + bytes(30)}
    async with gateway(tmp_path, RecordingOutlet(stored)) as one:
        await one.post([event("a")], batch_id="b1")
        assert set(one.outlet.stored()).isdisjoint(stored)


def test_identities_are_exact_and_bounded():
    seen = Seen(10)

    def rows(*numbers: int) -> EventBatch:
        return EventBatch.from_events(
            [Event(message=str(number), event_id=uuid.UUID(int=number)) for number in numbers]
        )

    forgotten: list[bytes] = []
    for start in range(1, 41, 5):
        batch = rows(*range(start, start + 5))
        new, found = seen.new_rows("acme", batch)
        assert new is batch
        assert seen.new_rows("rival", batch)[0] is batch
        forgotten += seen.remember(start, b"%d" % start, "acme", found)
    assert forgotten == [b"1", b"6", b"11", b"16", b"21", b"26"]
    assert len(seen.new_rows("acme", rows(*range(1, 41)))[0]) == 30
    assert list(seen.forget_before(36)) == [b"31"]
    assert len(seen.new_rows("acme", rows(*range(31, 41)))[0]) == 5
    assert len(Seen(0).new_rows("acme", rows(1, 1))[0]) == 2, "0 remembers none"
