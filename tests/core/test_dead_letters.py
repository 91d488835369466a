"""Dead letters: written whole or not at all, read back, forgotten without losing count."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import attrs
import msgspec
import pytest
import trio
from support.rig import ListSink, Rig

from yaat_core.components import Partial, Position
from yaat_core.deadletters import heads, letter
from yaat_core.errors import NotAllowed, StoreDamaged, UsageError
from yaat_core.event import Event, EventBatch
from yaat_core.pipeline.deadletter import DeadLetters, chosen, found, shown

SINK = "sinks.a"


def position(first: int, last: int, part: int = 0) -> Position:
    return Position(queue_id=bytes(16), sink=SINK, first=first, last=last, part=part)


def bury(folder: Path, first: int, reasons: list[str]) -> Path:
    batch = EventBatch.from_events([Event(message=f"m{first + n}") for n in range(len(reasons))])
    dead = Partial(list(enumerate(reasons)))
    return DeadLetters(folder).write(batch, position(first, first + len(reasons) - 1), dead)


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    bury(tmp_path, 1, ["too long", "too long", "no name"])
    bury(tmp_path, 11, ["refused"])
    letters, events = found(tmp_path, None, 10)
    assert events == {SINK: 4}
    assert [(one.first, one.last, one.events, dict(one.reasons)) for one in letters] == [
        (1, 3, 3, {"too long": 2, "no name": 1}),
        (11, 11, 1, {"refused": 1}),
    ]
    one, dead = shown(tmp_path, letters[0].id[:8], 2)
    assert one == letters[0]
    assert [(event.sequence, event.reason, event.event["message"]) for event in dead] == [
        (1, "too long", "m1"),
        (2, "too long", "m2"),
    ]
    assert found(tmp_path, "sinks.other", 10) == ([], {})
    assert found(tmp_path / "none", None, 10) == ([], {})
    assert len(found(tmp_path, None, 1)[0]) == 1


def test_an_id_is_only_compared_with_names_that_are_there(tmp_path: Path) -> None:
    bury(tmp_path / "dead", 1, ["x"])
    (tmp_path / "secret.jsonl").write_text("{}")
    for id in ("../../secret", "/etc/passwd", "nothing"):
        with pytest.raises(UsageError, match="no dead letter"):
            shown(tmp_path / "dead", id, 1)
    bury(tmp_path / "dead", 2, ["x"])
    with pytest.raises(UsageError, match="2 dead letters"):
        chosen(tmp_path / "dead", SINK, "")


def test_reasons_beyond_a_few_are_added_up(tmp_path: Path) -> None:
    bury(tmp_path, 1, [f"reason {n}" for n in range(200)])
    [one] = found(tmp_path, None, 1)[0]
    assert len(one.reasons) == 21
    assert sum(one.reasons.values()) == 200


def test_the_first_line_says_why_after_how_many_attempts_and_the_last_answer(tmp_path: Path) -> None:
    batch = EventBatch.from_events([Event(message=f"m{n}") for n in range(3)])
    answer = "422 \x1b[2J \ud800 " + "\x00" * 100_000
    dead = Partial([(0, "no name"), (1, "r" * 9_000), (2, "no name")], attempts=7, answer=answer)
    path = DeadLetters(tmp_path).write(batch, position(1, 3), dead)
    head = msgspec.json.decode(path.read_bytes().splitlines()[0])
    assert (head["sink"], head["events"], head["reason"], head["attempts"]) == (SINK, 3, "no name", 7)
    assert head["answer"].startswith("422 \x1b[2J ? \x00")
    [one] = found(tmp_path, None, 1)[0]
    assert (one.attempts, one.answer, one.problem) == (7, head["answer"], "")
    assert len(one.answer) == 4_001
    assert sorted(len(reason) for reason in one.reasons) == [7, 4_001]
    bury(tmp_path / "b", 1, ["x"])
    [plain] = found(tmp_path / "b", None, 1)[0]
    assert (plain.attempts, plain.answer) == (0, "")


@pytest.mark.parametrize("data", [b"", b"\xff" * 200, b"{}\n", b"[1]\n", b'{"events": "x"}\n'])
def test_a_damaged_letter_is_listed_with_its_problem(tmp_path: Path, data: bytes) -> None:
    path = bury(tmp_path, 1, ["x"])
    path.write_bytes(data)
    [one] = found(tmp_path, None, 1)[0]
    assert one.problem
    assert one.events == 0


def test_a_letter_that_is_damaged_inside(tmp_path: Path) -> None:
    path = bury(tmp_path, 1, ["x", "y"])
    path.write_bytes(path.read_bytes()[:-20])
    [one] = found(tmp_path, None, 1)[0]
    assert "damaged" in one.problem
    with pytest.raises(StoreDamaged, match="can't be read"):
        shown(tmp_path, one.id, 10)


def test_links_and_pipes_in_place_of_letters_are_not_followed(tmp_path: Path) -> None:
    path = bury(tmp_path, 1, ["x"])
    os.mkfifo(path.parent / "pipe.jsonl")
    (path.parent / "link.jsonl").symlink_to(path)
    problems = {one.id: one.problem for one in found(tmp_path, None, 9)[0]}
    assert "not a regular file" in problems["pipe"]
    assert "not a regular file" in problems["link"]
    assert not problems[path.stem]


def test_a_directory_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "dead").write_text("no")
    with pytest.raises(NotAllowed, match="can't be read"):
        found(tmp_path / "dead", None, 1)


async def test_forgetting_moves_dead_to_dropped(rig: Rig, tmp_path: Path) -> None:
    lane = rig.lane("a")
    await rig.write([f"m{n}" for n in range(30)])
    for first in (1, 11):
        bury(tmp_path / "dead", first, ["x", "y", "z"])
        await lane.settle(first, first + 9, "delivered", dead=3)
    letters = DeadLetters(tmp_path / "dead")
    assert lane.cursor.dead == 6
    one = heads(tmp_path / "dead", SINK)[:1]
    assert await letters.forget(lane, one) == 3
    assert (lane.cursor.dead, lane.cursor.dropped) == (3, 3)
    assert await letters.forget(lane, one) == 0
    assert rig.queue.state().cursors[SINK] == lane.cursor
    await letters.expire([lane], 3600)
    assert lane.cursor.dead == 3
    await letters.expire([lane], -1)
    assert (lane.cursor.dead, lane.cursor.dropped, lane.cursor.delivered) == (0, 6, 14)
    assert heads(tmp_path / "dead") == []


async def test_a_letter_that_a_kill_left_is_not_counted_twice(rig: Rig, tmp_path: Path) -> None:
    """Killed between cursor and file, or between file and cursor."""
    lane = rig.lane("a")
    await rig.write([f"m{n}" for n in range(30)])
    counted_already = bury(tmp_path / "dead", 1, ["x", "y", "z"])
    bury(tmp_path / "dead", 11, ["x", "y"])
    await lane.settle(11, 20, "delivered", dead=2)
    letters = DeadLetters(tmp_path / "dead")
    left = [head for head in heads(tmp_path / "dead", SINK) if head.path == counted_already]
    assert await letters.forget(lane, left) == 0
    assert (lane.cursor.dead, lane.cursor.dropped) == (2, 0)
    assert len(heads(tmp_path / "dead", SINK)) == 1


async def test_two_who_forget_at_once_count_once(rig: Rig, tmp_path: Path) -> None:
    lane = rig.lane("a")
    await rig.write([f"m{n}" for n in range(10)])
    bury(tmp_path / "dead", 1, ["x", "y", "z"])
    await lane.settle(1, 10, "delivered", dead=3)
    letters = DeadLetters(tmp_path / "dead")
    there = heads(tmp_path / "dead", SINK)
    counts: list[int] = []

    async def forget() -> None:
        counts.append(await letters.forget(lane, there))

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(forget)
    assert sorted(counts) == [0, 0, 3]
    assert lane.cursor.dropped == 3


async def test_a_full_disk_holds_the_sink_and_sends_nothing_twice(
    rig: Rig, autojump_clock: trio.testing.MockClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lane, sink = rig.lane("a"), ListSink()
    sink.answers = [Partial([(0, "bad")])]
    worker = rig.worker(lane, sink)
    plain, full = DeadLetters.write, [True]

    def write(self: Any, *given: Any) -> Path:
        if full[0]:
            raise OSError(28, "No space left on device")
        return plain(self, *given)

    monkeypatch.setattr(DeadLetters, "write", write)
    async with rig.running():
        await rig.write(["m0", "m1"])
        deadline = time.monotonic() + 60
        while worker.keeper.state != "retrying":
            assert time.monotonic() < deadline
            await trio.sleep(0.05)
        assert lane.waiting == 2
        [problem] = rig.health.now().problems
        assert "dead letters can't be written: No space left" in problem.what
        assert str(tmp_path / "dead") in problem.advice
        full[0] = False
        await rig.until_empty(lane)
    assert len(sink.positions) == 1
    assert (lane.cursor.delivered, lane.cursor.dead) == (1, 1)
    assert not rig.health.now().problems
    assert heads(tmp_path / "dead", SINK)[0].events == 1


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fails)
        with pytest.raises(OSError, match="No space"):
            bury(tmp_path, 1, ["x"])
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    path = bury(tmp_path, 1, ["x"])
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_letter_is_kept_whole(tmp_path: Path) -> None:
    event = Event(
        message='quote " and \x1b',
        service_name="web",
        level="error",
        stacktrace="a\n b",
        tags={"k": "v", "": "x"},
    )
    batch = EventBatch.from_events([event, event])
    path = DeadLetters(tmp_path).write(batch, position(7, 8), Partial([(1, "why")]))
    _, line = path.read_bytes().splitlines()
    document = msgspec.json.decode(line)
    assert (document["sequence"], document["reason"]) == (8, "why")
    kept, whole = document["event"], attrs.asdict(event)
    for name in ("message", "service_name", "level", "stacktrace", "tags"):
        assert kept[name] == whole[name]
    assert letter(heads(tmp_path)[0]).reasons == {"why": 1}
