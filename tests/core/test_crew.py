"""Tasks that come and go while others go on."""

from __future__ import annotations

import trio

from yaat_core.crew import Crew


class Post:
    """Work that notes when it begins and ends; it may hold on when it is cancelled."""

    def __init__(self, holds: trio.Event | None = None) -> None:
        self.begun, self.ended = trio.Event(), trio.Event()
        self._holds = holds

    async def work(self) -> None:
        self.begun.set()
        try:
            await trio.sleep_forever()
        finally:
            if self._holds is not None:
                with trio.CancelScope(shield=True):
                    await self._holds.wait()
            self.ended.set()


async def test_one_leaves_and_another_comes_while_a_third_goes_on(autojump_clock: object) -> None:
    crew, scope = Crew(), trio.CancelScope()
    stays, leaves, comes = Post(), Post(), Post()
    crew.add("stays", stays.work)
    crew.add("leaves", leaves.work)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(crew.run, scope)
        await stays.begun.wait()
        await leaves.begun.wait()
        assert await crew.dismiss(["leaves", "unknown"], patience=5) == []
        assert leaves.ended.is_set()
        assert "leaves" not in crew
        crew.add("comes", comes.work)
        await comes.begun.wait()
        assert not stays.ended.is_set()
        scope.cancel()
        await crew.ended.wait()
    assert stays.ended.is_set()
    assert comes.ended.is_set()


async def test_a_successor_waits_for_one_that_holds_on(autojump_clock: object) -> None:
    crew, scope, free = Crew(), trio.CancelScope(), trio.Event()
    old, between, new = Post(free), Post(), Post()
    crew.add("one", old.work)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(crew.run, scope)
        await old.begun.wait()
        assert await crew.dismiss(["one"], patience=1) == ["one"]
        crew.add("one", between.work)
        assert await crew.dismiss(["one"], patience=1) == ["one"]
        crew.add("one", new.work)
        await trio.sleep(10)
        assert not new.begun.is_set()
        free.set()
        await new.begun.wait()
        assert not between.begun.is_set(), "it was dismissed before it could begin"
        scope.cancel()


async def test_a_crew_that_does_not_stay_ends_with_its_last_member(autojump_clock: object) -> None:
    crew = Crew(stays=False)
    crew.add("one", trio.lowlevel.checkpoint)
    await crew.run(trio.CancelScope())
    assert crew.ended.is_set()


async def test_dismissed_before_the_crew_runs() -> None:
    crew, post = Crew(stays=False), Post()
    crew.add("one", post.work)
    assert await crew.dismiss(["one"], patience=1) == []
    await crew.run(trio.CancelScope())
    assert not post.begun.is_set()
