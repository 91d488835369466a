"""What running components say is wrong with them reaches health, and leaves it again."""

from __future__ import annotations

from collections.abc import Sequence

import trio
from support.rig import ListSink, Rig

from yaat_core.complaints import Complaints
from yaat_core.components import Finding
from yaat_core.health import HealthBoard


class Speaker:
    def __init__(self) -> None:
        self.said: Sequence[Finding] = ()

    def problems(self) -> Sequence[Finding]:
        return self.said


class Broken:
    def problems(self) -> Sequence[Finding]:
        raise RuntimeError("no")


def told(health: HealthBoard) -> list[tuple[str, str, str]]:
    return [(problem.component, problem.what, problem.level) for problem in health.now().problems]


def test_what_is_said_is_shown_until_it_is_no_longer_said() -> None:
    health, speaker = HealthBoard(), Speaker()
    complaints = Complaints(health)
    with complaints.hear("sources.app", speaker):
        speaker.said = [
            Finding(problem="one"),
            Finding(problem="two", level="warn"),
        ]
        complaints.look()
        assert told(health) == [("sources.app", "one", "error"), ("sources.app", "two", "warn")]
        assert not health.now().ok
        speaker.said = [Finding(problem="two", level="warn")]
        complaints.look()
        assert told(health) == [("sources.app", "two", "warn")]
        assert health.now().ok
    assert told(health) == []


def test_several_objects_speak_for_one_component_and_the_same_is_said_once() -> None:
    health, one, other = HealthBoard(), Speaker(), Speaker()
    complaints = Complaints(health)
    complaints.steady([("processors.auto", one), ("processors.auto", other)])
    one.said = other.said = [Finding(problem="lines do not fit")]
    complaints.look()
    assert told(health) == [("processors.auto", "lines do not fit", "error")]


def test_a_component_that_can_not_say_is_told_and_the_others_are_heard() -> None:
    health, speaker = HealthBoard(), Speaker()
    complaints = Complaints(health)
    complaints.steady([("sinks.bad", Broken()), ("sinks.good", speaker)])
    speaker.said = [Finding(problem="full")]
    complaints.look()
    assert told(health) == [
        ("sinks.bad", "can't say how it is: RuntimeError was raised", "error"),
        ("sinks.good", "full", "error"),
    ]


class Complaining(ListSink):
    def problems(self) -> Sequence[Finding]:
        return [Finding(problem="no space for the file", advice="make room")]


async def test_a_sink_is_heard_while_it_runs(rig: Rig) -> None:
    rig.worker(rig.lane("one"), Complaining())
    async with rig.running():
        with trio.fail_after(60):
            while not (problems := rig.health.now().problems):
                rig.complaints.look()
                await trio.sleep(0.01)
    assert [(problem.what, problem.advice) for problem in problems] == [
        ("no space for the file", "make room")
    ]
    assert rig.health.now().problems == ()
