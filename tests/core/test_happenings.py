"""The agent's diary, and what of the health board and of component states gets into it."""

from __future__ import annotations

from yaat_core.components import ComponentId
from yaat_core.happenings import Diary
from yaat_core.health import HealthBoard
from yaat_core.supervisor import Keeper


def told(diary: Diary) -> list[tuple[str, str, str]]:
    return [(one.level, one.component, one.what) for one in diary.last(1000)]


def test_numbers_go_up_and_the_oldest_are_forgotten() -> None:
    diary = Diary(remembered=3)
    for number in range(5):
        diary.add("state", "sinks.a", str(number))
    numbers = [one.number for one in diary.last(10)]
    assert [one.what for one in diary.last(10)] == ["2", "3", "4"]
    assert numbers == sorted(set(numbers))
    assert [one.what for one in diary.after(numbers[0], 1)] == ["3"]
    assert [one.what for one in diary.last(1)] == ["4"]
    assert diary.newest == numbers[-1]
    assert not diary.after(diary.newest, 10)


def test_a_problem_is_written_when_it_comes_gets_worse_and_goes() -> None:
    health = HealthBoard()
    for _ in range(3):
        health.set("sinks.a", "no answer", level="warn", advice="wait")
    health.set("sinks.a", "no answer", level="error")
    health.clear("sinks.a")
    health.clear("sinks.a")
    assert told(health.diary) == [
        ("warning", "sinks.a", "no answer"),
        ("error", "sinks.a", "no answer"),
        ("info", "sinks.a", "no longer: no answer"),
    ]
    assert health.diary.last(3)[0].advice == "wait"


def test_other_words_for_the_same_problem_are_not_written_each_time() -> None:
    health = HealthBoard()
    for number in range(50):
        health.set("sinks.a", f"{number} events were lost", topic="lost")
    assert told(health.diary) == [("error", "sinks.a", "0 events were lost")]


def test_what_is_forgotten_leaves_no_problem() -> None:
    health = HealthBoard()
    health.set("sinks.a", "one")
    health.set("sinks.a", "two", topic="full")
    health.set("sinks.b", "three")
    health.forget("sinks.a")
    assert [problem.what for problem in health.now().problems] == ["three"]


def test_states_of_components() -> None:
    health = HealthBoard()
    keeper = Keeper(ComponentId("sinks", "a"), "test", health)
    keeper.works()
    keeper.works()
    keeper.turn("retrying", "503")
    keeper.turn("retrying", "504")
    assert told(health.diary) == [
        ("info", "sinks.a", "ok, was starting"),
        ("warning", "sinks.a", "retrying, was ok"),
    ]
