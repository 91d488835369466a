"""The accounting holds after every operation, whatever happens to a sink's events."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yaat_core.cursor import Cursor

FATES = ("delivered", "dead", "dropped", "lost")


def balanced(cursor: Cursor, tail: int) -> bool:
    settled = cursor.delivered + cursor.dead + cursor.dropped + cursor.lost
    return cursor.accepted(tail) == settled + cursor.queued(tail)


@given(
    attached=st.integers(0, 20),
    operations=st.lists(
        st.tuples(st.sampled_from([*FATES, "rewind", "take up"]), st.integers(0, 60), st.integers(0, 12)),
        max_size=30,
    ),
)
def test_every_event_has_one_fate(attached: int, operations: list[tuple[str, int, int]]) -> None:
    tail = 80
    cursor = Cursor.attach(attached, 0)
    for what, start, length in operations:
        if what == "rewind":
            cursor = cursor.rewind(start)
        elif what == "take up":
            cursor = cursor.take_up(["a"], min(length, cursor.dead))
        else:
            first = max(start, attached + 1)
            cursor = cursor.settle(first, min(tail, first + length), what)  # type: ignore[arg-type]
        assert balanced(cursor, tail)
        assert all(getattr(cursor, fate) >= 0 for fate in (*FATES, "replaying"))
        assert all(low > cursor.done + 1 for low, _ in cursor.ranges[:1])


@attrs.frozen
class Letter:
    """What a file of the directory would be: so many events of a piece that is settled."""

    id: str
    events: int


@given(data=st.data(), attached=st.integers(0, 20))
def test_letters_that_are_delivered_again_are_always_somewhere(data: st.DataObject, attached: int) -> None:
    """Dead and queued are, to the event, what the letters hold, whatever is done to them in whatever order."""
    tail, number = attached, 0
    cursor = Cursor.attach(attached, 0)
    dead: list[Letter] = []
    waiting: list[Letter] = []
    expected = dict.fromkeys((*FATES, "replayed"), 0)
    for _ in range(data.draw(st.integers(0, 25))):
        what = data.draw(st.sampled_from(["deliver", "take", "answer", "purge", "expire", "put back"]))
        if what == "deliver":
            rows = data.draw(st.integers(1, 20))
            bad = data.draw(st.integers(0, rows))
            cursor = cursor.settle(tail + 1, tail + rows, "delivered").reclassify(bad, "delivered", "dead")
            tail += rows
            expected["delivered"] += rows - bad
            if bad:
                dead.append(Letter(f"{(number := number + 1)}", bad))
        elif what == "take" and dead:
            some = data.draw(st.lists(st.sampled_from(dead), min_size=1, unique=True))
            cursor = cursor.take_up([one.id for one in some], sum(one.events for one in some))
            assert set(cursor.files) == {(one.id, "queued") for one in some}
            waiting += some
            dead = [one for one in dead if one not in some]
        elif what == "answer" and waiting:
            one = waiting.pop(data.draw(st.integers(0, len(waiting) - 1)))
            again = data.draw(st.integers(0, one.events))
            cursor = cursor.answered(one.id, one.events, dead=again)
            assert cursor.files == ((one.id, "gone"),)
            expected["delivered"] += one.events - again
            expected["replayed"] += one.events - again
            if again:
                dead.append(Letter(f"{(number := number + 1)}", again))
        elif what == "purge" and dead:
            one = dead.pop()
            cursor = cursor.let_go([one.id], one.events, "dead")
            expected["dropped"] += one.events
        elif what == "expire" and waiting:
            one = waiting.pop()
            cursor = cursor.let_go([one.id], one.events, "replaying")
            expected["dropped"] += one.events
        elif what == "put back" and waiting:
            dead.append(one := waiting.pop())
            cursor = cursor.put_back([one.id], one.events)
        cursor = cursor.tidied(cursor.files)
        assert balanced(cursor, tail)
        assert cursor.dead == sum(one.events for one in dead)
        assert cursor.queued(tail) == cursor.replaying == sum(one.events for one in waiting)
        for name in ("delivered", "dropped", "lost", "replayed"):
            assert getattr(cursor, name) == expected[name]


def test_no_more_is_delivered_again_than_is_dead() -> None:
    cursor = Cursor.attach(0, 0).settle(1, 10, "delivered").reclassify(3, "delivered", "dead")
    with pytest.raises(ValueError, match="3 are dead"):
        cursor.take_up(["a"], 4)
    assert cursor.take_up(["a"], 3).queued(10) == 3


def test_only_what_is_tidied_is_forgotten() -> None:
    cursor = Cursor.attach(0, 0).settle(1, 10, "delivered").reclassify(9, "delivered", "dead")
    cursor = cursor.take_up(["a", "b"], 6).let_go(["c"], 3, "dead")
    assert cursor.files == (("a", "queued"), ("b", "queued"), ("c", "gone"))
    back = cursor.put_back(["a"], 3)
    assert back.files == (("b", "queued"), ("c", "gone"), ("a", "dead")), "a letter's file is to be one thing"
    assert back.tidied(cursor.files).files == (("a", "dead"),), (
        "what was decided meanwhile is still to be done"
    )


def test_what_a_letter_has_is_owed_or_settled() -> None:
    cursor = Cursor.attach(0, 0).settle(1, 10, "delivered").settle(21, 30, "dropped")
    assert cursor.is_settled(3, 9)
    assert cursor.is_settled(22, 30)
    assert not cursor.is_settled(9, 12)
    assert not cursor.is_settled(15, 25)


def test_a_rewind_below_everything_takes_letters_along() -> None:
    cursor = Cursor.attach(0, 0).settle(1, 10, "delivered").reclassify(10, "delivered", "dead")
    back = attrs.evolve(cursor.take_up(["a"], 10), reached=10).rewind(0)
    assert balanced(back, 10)
    assert (back.delivered, back.replaying, back.queued(10)) == (0, 0, 10)


def test_settling_twice_counts_once() -> None:
    cursor = Cursor.attach(0, 0).settle(1, 10, "delivered").settle(5, 12, "delivered")
    assert cursor.delivered == 12
    assert cursor.done == 12


def test_out_of_order_pieces_join() -> None:
    cursor = Cursor.attach(0, 0).settle(11, 20, "dropped")
    assert cursor.next_piece() == (1, 10)
    assert cursor.queued(30) == 20
    cursor = cursor.settle(1, 10, "delivered")
    assert cursor.done == 20
    assert cursor.ranges == ()


def test_rewind_after_a_drop_keeps_the_drop() -> None:
    """A sink's position stays behind events it never got; that is no reason to deliver them again."""
    cursor = Cursor.attach(0, 0).settle(1, 50, "delivered").settle(51, 100, "dropped")
    assert cursor.rewind(50) == cursor
    back = cursor.rewind(40)
    assert (back.done, back.delivered, back.queued(100)) == (40, 40, 60)


def test_inflight_is_forgotten_when_passed() -> None:
    cursor = attrs.evolve(Cursor.attach(0, 0), inflight=(1, 10))
    assert cursor.settle(1, 5, "delivered").inflight == (1, 10)
    assert cursor.settle(1, 10, "delivered").inflight is None
