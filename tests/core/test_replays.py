"""Dead letters that are delivered again: where their events are at every moment, and what becomes of them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from support.letters import Site, Stable
from trio.testing import MockClock

from yaat_core import upkeep
from yaat_core.components import Held, Outcome, Partial, Pause, Position, Retry
from yaat_core.event import EventBatch
from yaat_core.pipeline.lane import Lane
from yaat_core.replaying import STEP_BYTES, step
from yaat_core.rooms import Rooms


async def test_delivered_again_with_the_same_ids(site: Site, autojump_clock: MockClock) -> None:
    [line, *_] = [json.loads(line) for line in site.dead()[0].path.read_text().splitlines()[1:]]
    before = site.sink.positions[0].batch_id
    site.sink.mended = True
    assert await site.replay() == (1, 2, [])
    assert site.account() == (8, 2, 0, 0, 0)
    assert site.names() == [".replay"]
    async with site.rig.running():
        await site.rig.until_empty(site.lane)
    assert site.account() == (10, 0, 0, 0, 0)
    assert site.names() == []
    assert sorted(site.sink.got) == sorted(f"m{n}{' bad' if n in (2, 6) else ''}" for n in range(10))
    assert site.sink.ids[0].hex() == line["event"]["event_id"].replace("-", "")
    last = site.sink.positions[-1]
    assert last.batch_id != before, "the other end has answered for the first one"
    assert (last.replay, last.first, last.last) == (before, 3, 4)
    assert site.lane.cursor.files == ()


async def test_refused_again_it_is_another_letter_with_the_new_reason(
    site: Site, autojump_clock: MockClock
) -> None:
    [old] = site.dead()
    for round in range(3):
        assert await site.replay() == (1, 2, [])
        async with site.rig.running():
            await site.rig.until_empty(site.lane)
        assert site.account() == (8, 0, 2, 0, 0)
        [new] = site.dead()
        assert (new.of, new.events, new.first, new.last) == (old.id, 2, 3, 7), round
        old = new
    lines = [json.loads(line) for line in old.path.read_text().splitlines()]
    assert [line["sequence"] for line in lines[1:]] == [3, 7]
    assert lines[0]["attempts"] == 2
    assert len({position.batch_id for position in site.sink.positions}) == 4


async def test_only_what_is_refused_again_is_dead(site: Site, autojump_clock: MockClock) -> None:
    site.sink.answers = [Partial([(1, "still bad")])]
    await site.replay()
    async with site.rig.running():
        await site.rig.until_empty(site.lane)
    assert site.account() == (9, 0, 1, 0, 0)
    [letter] = site.dead()
    assert json.loads(letter.path.read_text().splitlines()[1])["sequence"] == 7
    assert json.loads(letter.path.read_text().splitlines()[1])["reason"] == "still bad"


@pytest.mark.parametrize(
    "answer",
    [Retry("busy"), Retry("busy", after=5.0), Pause("401", "mend the key"), RuntimeError("boom"), Held()],
)
async def test_a_letter_that_is_not_taken_waits_and_the_lane_goes_on(
    site: Site, autojump_clock: MockClock, answer: Any
) -> None:
    class Choosy(Stable):
        async def deliver(self, batch: EventBatch, position: Position) -> Outcome:
            if position.replay and not self.mended:
                self.positions.append(position)
                if isinstance(answer, BaseException):
                    raise answer
                return answer  # type: ignore[no-any-return]
            return await super().deliver(batch, position)

    sink = Choosy()
    worker = site.rig.worker(site.lane, sink)
    await site.replay()
    async with site.rig.running():
        await site.rig.until(lambda: len(sink.positions) > 2, "it is not tried again")
        await site.rig.write(["after"])
        await site.until_account(9, 2, 0, 0, 0)
        assert any(problem.component == "sinks.a" for problem in site.rig.health.now().problems)
        sink.mended = True
        await site.rig.until_empty(site.lane)
        await site.rig.until(lambda: not site.rig.health.now().problems, "it stays unwell")
    assert site.account() == (11, 0, 0, 0, 0)
    again = [position for position in sink.positions if position.replay]
    assert len({position.batch_id for position in again}) == 1, "a retry has the same Batch-Id"
    assert worker.lane.replaying == ""


async def test_asked_twice_it_is_delivered_once(site: Site, autojump_clock: MockClock) -> None:
    letters = site.dead()
    results: list[tuple[int, int]] = []

    async def ask() -> None:
        done = await site.rig.dead_letters.take_up(site.lane, letters)
        results.append(done[:2])

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(ask)
    assert sorted(results) == [(0, 0), (0, 0), (1, 2)]
    assert site.account() == (8, 2, 0, 0, 0)
    [refused] = (await site.rig.dead_letters.take_up(site.lane, letters))[2]
    assert "already" in refused.problem


async def test_a_damaged_letter_is_told_and_left(site: Site, autojump_clock: MockClock) -> None:
    [letter] = site.dead()
    whole = letter.path.read_bytes()
    head, first, second = whole.splitlines(keepends=True)
    for data in (whole[:-30], head + first, b"{}\n" + first + second, head + first + b'{"sequence": 4}\n'):
        letter.path.write_bytes(data)
        letters, events, [problem] = await site.replay()
        assert (letters, events) == (0, 0)
        assert "damaged" in problem
        assert site.names() == [".jsonl"]
        assert letter.path.read_bytes() == data
    assert site.account() == (8, 0, 2, 0, 0)


@pytest.mark.parametrize("how", ["cut", "emptied"])
async def test_damaged_while_it_waits_it_is_dead_again_and_told(
    site: Site, autojump_clock: MockClock, how: str
) -> None:
    await site.replay()
    [path] = site.folder.iterdir()
    path.write_bytes(path.read_bytes()[:-30] if how == "cut" else b"")
    async with site.rig.running():
        await site.rig.until_empty(site.lane)
        problem = await site.told()
    assert "damaged: it is not what was written: its 2 events stay dead" in problem.what
    assert path.stem in problem.advice
    assert site.account() == (8, 0, 2, 0, 0)
    assert site.names() == [".jsonl"]


async def test_what_has_no_file_any_more_is_lost_and_told(site: Site, autojump_clock: MockClock) -> None:
    await site.replay()
    for path in site.folder.iterdir():
        path.unlink()
    async with site.rig.running():
        await site.rig.until_empty(site.lane)
        problem = await site.told()
    assert "2 events were lost" in problem.what
    assert "not there any more" in problem.advice
    assert site.account() == (8, 0, 0, 0, 2)


async def test_a_file_that_nothing_counts_is_a_dead_letter(site: Site, autojump_clock: MockClock) -> None:
    [letter] = site.dead()
    letter.path.rename(letter.path.with_suffix(".replay"))
    async with site.rig.running():
        await site.rig.until(lambda: site.names() == [".jsonl"], "it is still taken for one that waits")
    assert site.account() == (8, 0, 2, 0, 0)
    assert site.sink.ids == []


async def test_a_directory_that_can_not_be_changed_is_told_and_tried_again(
    site: Site, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.sink.mended = True
    plain = Path.rename
    refuses = [True]

    def rename(self: Path, target: Path) -> Path:
        if refuses[0]:
            raise OSError(30, "Read-only file system")
        return plain(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    assert await site.replay() == (1, 2, [])
    assert site.account() == (8, 2, 0, 0, 0)
    async with site.rig.running():
        await site.rig.until(lambda: bool(site.rig.health.now().problems), "nothing is told")
        [problem] = site.rig.health.now().problems
        assert "can't be delivered again: [Errno 30] Read-only" in problem.what
        assert site.account() == (8, 2, 0, 0, 0), "nothing is lost for it"
        refuses[0] = False
        await site.rig.until_empty(site.lane)
    assert site.account() == (10, 0, 0, 0, 0)
    assert not site.rig.health.now().problems


async def test_what_waits_can_be_put_back(site: Site, autojump_clock: MockClock) -> None:
    await site.replay()
    site.lane.replaying = site.folder.joinpath(*os.listdir(site.folder)).stem
    assert await site.rig.dead_letters.put_back(site.lane) == 0, "it is on its way"
    site.lane.replaying = ""
    assert await site.rig.dead_letters.put_back(site.lane) == 2
    assert site.account() == (8, 0, 2, 0, 0)
    assert site.names() == [".jsonl"]


async def test_what_waits_too_long_is_dropped(site: Site, autojump_clock: MockClock) -> None:
    [letter] = site.dead()
    os.utime(letter.path, (1, 1))
    await site.replay()
    await site.rig.dead_letters.expire([site.lane], 3600)
    assert site.account() == (8, 2, 0, 0, 0), "its time counts from when it was asked for"
    await site.rig.dead_letters.expire([site.lane], -10)
    assert site.account() == (8, 0, 0, 2, 0)
    assert site.names() == []


async def test_letters_of_a_sink_without_a_place_go_in_time(site: Site, autojump_clock: MockClock) -> None:
    await site.replay()
    await site.rig.dead_letters.expire([], 3600)
    assert site.names() == [".jsonl"], "nobody will deliver it"
    await site.rig.dead_letters.expire([], -10)
    assert site.names() == []


async def test_a_letter_of_events_that_still_wait_is_not_sent_beside_them(
    site: Site, autojump_clock: MockClock
) -> None:
    """A kill between the letter and the cursor: the queue delivers those events again."""
    await site.rig.write(["m10 bad"])
    batch = EventBatch.build(1, {"message": "m10 bad"})
    position = Position(queue_id=bytes(16), sink="sinks.a", first=11, last=11)
    site.rig.dead_letters.write(batch, position, Partial([(0, "x")]))
    letters, events, [problem] = await site.replay()
    assert (letters, events) == (1, 2)
    assert "wait in the queue" in problem


async def test_a_letter_from_before_the_sink_has_its_place(site: Site, autojump_clock: MockClock) -> None:
    site.lane.cursor = attrs.evolve(site.lane.cursor, attached_after=10, done=10, delivered=0, dead=0)
    letters, _, [problem] = await site.replay()
    assert letters == 0
    assert "older than the sink's place" in problem
    site.lane.cursor = attrs.evolve(site.lane.cursor, attached_after=0, dead=1, delivered=9)
    letters, _, [problem] = await site.replay()
    assert letters == 0
    assert "not counted as dead" in problem


@pytest.mark.parametrize("mended", [True, False])
async def test_killed_before_the_new_letter_was_counted(
    site: Site, autojump_clock: MockClock, *, mended: bool
) -> None:
    """The letter is delivered again under the same Batch-Id, and whatever is the answer now, counts."""
    await site.replay()
    [path] = site.folder.iterdir()
    async with site.rig.running():
        await site.rig.until_empty(site.lane)
    [new] = site.dead()
    uncounted = new.path.read_bytes()
    # As it was before the answer was counted: the old letter waits, the new one is written.
    path.write_bytes(uncounted.replace(b'"of":', b'"was":'))
    site.lane.cursor = site.lane.cursor.take_up([path.stem], 2).tidied([(path.stem, "queued")])
    assert (await site.rig.dead_letters.take_up(site.lane, [new]))[2][0].problem.startswith("is only now")
    site.sink.mended = mended
    async with site.rig.running():
        await site.rig.until_empty(site.lane)
    assert site.account() == ((10, 0, 0, 0, 0) if mended else (8, 0, 2, 0, 0))
    assert site.names() == ([] if mended else [".jsonl"])
    assert site.sink.positions[-1].batch_id == new.id


def _letters(folder: Path, sizes: list[int]) -> Iterator[Path]:
    place = folder / "sinks.a"
    place.mkdir(parents=True)
    for number, size in enumerate(sizes):
        path = place / f"{number:032x}.jsonl"
        head = {"events": 0, "first": 1, "last": 1, "time": 1_000.0 + number % 3}
        path.write_bytes(json.dumps(head).encode() + b"\n")
        os.truncate(path, max(size, path.stat().st_size))
        yield path


def test_steps_go_over_all_letters_once_and_end(tmp_path: Path) -> None:
    paths = list(_letters(tmp_path, [10] * 10 + [STEP_BYTES] * 2))
    seen: list[str] = []
    after, lefts = None, []
    while True:
        one = step(tmp_path, None, after, 4, now=2_000.0)
        assert len(one.letters) <= 4
        seen += [head.id for head in one.letters]
        lefts.append(one.left)
        # What is refused again at once is a new letter.
        (paths[0].parent / f"new{len(seen)}.jsonl").write_text(
            json.dumps({"events": 0, "first": 1, "last": 1, "time": 2_000.5}) + "\n"
        )
        if (after := one.next) is None:
            break
    assert sorted(seen) == sorted(path.stem for path in paths)
    assert lefts == sorted(lefts, reverse=True)
    assert lefts[-1] == 0


async def test_purging_the_queue_puts_letters_back(site: Site, autojump_clock: MockClock) -> None:
    @attrs.frozen
    class Few:
        lanes: dict[str, Lane]
        detached: dict[str, Lane]
        dead_letters: Any

    await site.replay()
    await site.rig.write(["waits"])
    rooms: Rooms = Few({"sinks.a": site.lane}, {}, site.rig.dead_letters)  # type: ignore[assignment]
    assert await upkeep.queue_purge(rooms, "sinks.a") == 1
    assert site.account() == (8, 0, 2, 1, 0)
