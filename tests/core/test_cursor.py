"""The accounting holds after every operation, whatever happens to a sink's events."""

from __future__ import annotations

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
        st.tuples(st.sampled_from([*FATES, "rewind"]), st.integers(0, 60), st.integers(0, 12)), max_size=30
    ),
)
def test_every_event_has_one_fate(attached: int, operations: list[tuple[str, int, int]]) -> None:
    tail = 80
    cursor = Cursor.attach(attached, 0)
    for what, start, length in operations:
        if what == "rewind":
            cursor = cursor.rewind(start)
        else:
            first = max(start, attached + 1)
            cursor = cursor.settle(first, min(tail, first + length), what)  # type: ignore[arg-type]
        assert balanced(cursor, tail)
        assert all(getattr(cursor, fate) >= 0 for fate in FATES)
        assert all(low > cursor.done + 1 for low, _ in cursor.ranges[:1])


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
    import attrs

    cursor = attrs.evolve(Cursor.attach(0, 0), inflight=(1, 10))
    assert cursor.settle(1, 5, "delivered").inflight == (1, 10)
    assert cursor.settle(1, 10, "delivered").inflight is None
