"""What becomes an event, and that no event keeps the next one coming."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from yaat_core.happenings import Diary, Happening, Level
from yaat_plugin_self.quiet import BURST, FREE, Quiet

STARTS = itertools.count(1_000_000, 10_000)


def happenings(*given: tuple[str, Level], seconds: float = 10.0) -> Iterator[Happening]:
    """Of (component, level), so many seconds apart; later than those of the call before."""
    start = next(STARTS)
    for place, (component, level) in enumerate(given):
        yield Happening(
            number=int((start + place * seconds) * 1e6),
            at="2026-01-05T10:00:00.000+00:00",
            level=level,
            component=component,
            kind="state",
            what="x",
        )


def told(quiet: Quiet, *given: tuple[str, Level], seconds: float = 10.0) -> list[str]:
    return [quiet.why_not(one) or "told" for one in happenings(*given, seconds=seconds)]


BAD: tuple[str, Level] = ("sinks.cloud", "warning")
GOOD: tuple[str, Level] = ("sinks.cloud", "info")


def test_a_sink_that_turns_bad_and_good_again() -> None:
    quiet = Quiet("sources.self", lambda: 0)
    assert told(quiet, GOOD, BAD, GOOD, GOOD) == ["loop", "told", "told", "loop"]


def test_what_happens_to_the_source_itself_is_not_told() -> None:
    quiet = Quiet("sources.self", lambda: 0)
    assert told(quiet, ("sources.self", "error"), ("sources.other", "error"), ("agent", "info")) == [
        "own",
        "told",
        "told",
    ]


def test_a_sink_that_fails_over_own_events_does_not_go_on_for_ever() -> None:
    """Each turn of the sink is brought about by the event about the turn before: it comes to rest."""
    accepted = [0.0]
    quiet = Quiet("sources.self", lambda: accepted[0])
    turns = told(quiet, *[BAD, GOOD] * 50)
    assert turns.count("told") == 2 * FREE
    assert set(turns[2 * FREE :]) == {"loop"}
    assert told(quiet, ("sinks.other", "error")) == ["told"], "another component has its own account"
    accepted[0] = 1
    assert told(quiet, BAD, GOOD) == ["told", "told"], "other events come through: it is news again"


def test_every_bad_turn_is_told_while_others_send() -> None:
    accepted = iter(range(1000))
    quiet = Quiet("sources.self", lambda: next(accepted))
    assert set(told(quiet, *[BAD, GOOD] * 50)) == {"told"}


def test_the_rate_is_bounded() -> None:
    quiet = Quiet("sources.self", lambda: 0)
    many: list[tuple[str, Level]] = [("sources.app", "error")] * (BURST + 40)
    turns = told(quiet, *many, seconds=0.0)
    assert turns == ["told"] * BURST + ["rate"] * 40
    later = list(happenings(*many[: BURST + 1], seconds=100.0))[BURST]
    assert quiet.why_not(later) == ""


def test_levels_of_a_real_diary() -> None:
    diary, quiet = Diary(), Quiet("sources.self", lambda: 0)
    diary.add("problem", "queue", "full", level="error")
    diary.add("mended", "queue", "no longer: full")
    diary.add("mended", "queue", "no longer: full")
    assert [quiet.why_not(one) for one in diary.last(3)] == ["", "", "loop"]
