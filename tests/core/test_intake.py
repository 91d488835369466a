"""The bounded room: order, backpressure, cancellation, receipts."""

from __future__ import annotations

import trio
from trio.testing import wait_all_tasks_blocked

from yaat_core.event import Event, EventBatch
from yaat_core.pipeline.intake import Budget, Intake

BATCH = EventBatch.from_events([Event(message="x" * 1_000)])


async def test_budget_serves_in_order_and_survives_cancellation() -> None:
    budget, order = Budget(100), []

    async def take(name: str, amount: int) -> None:
        await budget.take(amount)
        order.append(name)

    await budget.take(90)
    async with trio.open_nursery() as nursery:
        given_up = trio.CancelScope()

        async def impatient() -> None:
            with given_up:
                await take("impatient", 80)

        nursery.start_soon(impatient)
        await wait_all_tasks_blocked()
        nursery.start_soon(take, "large", 60)
        await wait_all_tasks_blocked()
        nursery.start_soon(take, "second", 50)
        await wait_all_tasks_blocked()
        assert order == []
        given_up.cancel()
        await wait_all_tasks_blocked()
        budget.give(90)
        await wait_all_tasks_blocked()
        assert order == ["large"]
        budget.give(60)
    assert order == ["large", "second"]
    assert budget.held == 50


async def test_one_larger_than_the_room_passes_alone() -> None:
    budget = Budget(10)
    await budget.take(1_000)
    with trio.move_on_after(0) as waited:
        await budget.take(1)
    assert waited.cancelled_caught
    budget.give(1_000)
    assert budget.held == 0


async def test_send_waits_while_the_room_is_full_and_the_receipt_for_the_write() -> None:
    intake, tickets = Intake(), []
    intake.budget.size = 3 * (BATCH.nbytes + 256)

    async def send_all() -> None:
        for number in range(5):
            tickets.append(await intake.put("sources.a", BATCH, {b"k": str(number).encode()}))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send_all)
        await wait_all_tasks_blocked()
        assert len(tickets) == 3
        taken = await intake.take(2)
        assert [pending.checkpoints[b"k"] for pending in taken] == [b"0", b"1"]
        assert not tickets[0].done.is_set()
        for pending in taken:
            intake.settle(pending)
        await tickets[0].durable()
        await wait_all_tasks_blocked()
        assert len(tickets) == 5


async def test_drained_is_for_one_source_or_all() -> None:
    intake = Intake()
    await intake.put("sources.a", BATCH, {})
    await intake.put("sources.b", BATCH, {})
    [first] = await intake.take(1)
    intake.settle(first)
    await intake.drained("sources.a")
    with trio.move_on_after(0.01) as waited:
        await intake.drained()
    assert waited.cancelled_caught
    [second] = await intake.take(1)
    intake.settle(second)
    await intake.drained()


def test_memory_of_a_large_batch_is_exact_and_of_a_small_one_never_too_little():
    large = EventBatch.from_events([Event(message=f"{row} " + 90 * "x") for row in range(1_000)])
    assert large.nbytes == large.columns.nbytes
    part = EventBatch(large.columns.slice(10, 20))
    assert part.nbytes == part.columns.nbytes < large.nbytes / 10
    small = EventBatch.from_events([Event(message="a"), Event(message="b")])
    assert small.columns.nbytes <= small.nbytes < 1_000
