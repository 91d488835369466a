"""What is old is judged by time that passed: a clock that jumps makes nothing old."""

from __future__ import annotations

import pytest

from yaat_core.clock import SLACK, TRUSTED_AFTER, AgeClock


class Machine:
    """A clock that can be set, and one that can't."""

    def __init__(self) -> None:
        self.wall, self.steady = 1_800_000_000.0, 5_000.0
        self.clock = AgeClock(lambda: self.wall, lambda: self.steady)

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


def test_goes_with_the_machine() -> None:
    machine = Machine()
    for _ in range(1_000):
        machine.passes(3600)
        machine.wall += 1  # it runs fast
        assert machine.clock.now() == pytest.approx(machine.wall)
        assert machine.clock.ahead() < 0.01
    assert machine.clock.now_us() == pytest.approx(machine.wall * 1e6)


def test_set_forward_and_back_again() -> None:
    machine = Machine()
    machine.wall += 1e6
    before = machine.wall - 1e6
    machine.passes(100)
    assert machine.clock.now() == pytest.approx(before + 100, abs=0.01)
    assert machine.clock.ahead() == pytest.approx(1e6, abs=0.01)
    machine.wall -= 1e6
    assert machine.clock.now() == pytest.approx(machine.wall, abs=0.01)
    assert machine.clock.ahead() == pytest.approx(0, abs=0.01)


def test_set_forward_for_good() -> None:
    machine = Machine()
    machine.wall += 1e9
    assert machine.clock.ahead() == pytest.approx(1e9, abs=0.01)
    machine.passes(TRUSTED_AFTER - 1)
    assert machine.clock.ahead() == pytest.approx(1e9, abs=0.01)
    machine.passes(1)
    assert machine.clock.ahead() == pytest.approx(0, abs=0.01)
    assert machine.clock.now() == pytest.approx(machine.wall, abs=0.01)
    machine.passes(60)
    assert machine.clock.now() == pytest.approx(machine.wall, abs=0.01)


def test_set_back_is_believed_and_forward_again_is_a_jump() -> None:
    machine = Machine()
    machine.wall -= 7200
    assert machine.clock.now() == pytest.approx(machine.wall)
    machine.passes(10)
    machine.wall += 3600
    assert machine.clock.now() == pytest.approx(machine.wall - 3600)
    assert machine.clock.ahead() == pytest.approx(3600)


def test_a_little_is_no_jump() -> None:
    machine = Machine()
    machine.wall += SLACK
    assert machine.clock.now() == pytest.approx(machine.wall, abs=0.01)
