"""Charts: exactly what is drawn, and that no size, data or look makes one larger than asked."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yaat_core import plots
from yaat_core.cli.table import cells_wide
from yaat_core.plots import Look, Series, human

MIDNIGHT = 1_764_547_200.0
PLAIN = Look(color=False)
ASCII = Look(color=False, unicode=False)


def bare(line: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", line)


def drawn(lines: Sequence[str]) -> str:
    return "\n".join(bare(line).rstrip() for line in lines)


def test_a_line_with_a_gap() -> None:
    times = [MIDNIGHT + 60 * minute for minute in range(60)]
    values = [None if 25 < minute < 35 else float(minute) for minute in range(60)]
    assert drawn(plots.line(times, [Series(values)], width=50, height=8, look=PLAIN)) == LINE


LINE = """\
60┤                                           ⣀⣀⠤⠄
  │                                 ⢀⣀⣀⠤⠤⠒⠒⠊⠉⠉
  │                           ⠠⠤⠒⠒⠉⠉⠁
  │              ⢀⣀⡠⠤⠤⠒
  │     ⣀⣀⡠⠤⠔⠒⠒⠉⠉⠁
 0┤⠐⠒⠊⠉⠉
  └┬───────────┬──────────┬───────────┬───────────
 00:00       00:15      00:30     00:45 UTC"""


def test_an_area() -> None:
    times = [MIDNIGHT + 60 * minute for minute in range(60)]
    values = [1000.0 * (minute % 20) for minute in range(60)]
    assert drawn(plots.area(times, values, width=40, height=6, look=PLAIN, unit="B")) == AREA


AREA = """\
20Ki┤          ⢀⣄          ⣠⡀         ⢀⡄
    │      ⢀⣤⣴⣾⣿⣿      ⣠⣤⣶⣿⣿⡇     ⢀⣤⣴⣾⣿⡇
    │  ⢀⣠⣴⣾⣿⣿⣿⣿⣿⣿  ⣀⣤⣶⣿⣿⣿⣿⣿⣿⡇ ⢀⣠⣴⣾⣿⣿⣿⣿⣿⡇
   0┤⠐⠚⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠒⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠓⠚⠛⠛⠛⠛⠛⠛⠛⠛⠛⠃
    └┬────────────────┬─────────────────
   00:00          00:30 UTC"""


def test_lines_without_colours_have_signs_of_their_own() -> None:
    times = [MIDNIGHT + 60 * minute for minute in range(10)]
    series = [Series([1.0] * 10, "low"), Series([9.0] * 10, "high")]
    assert drawn(plots.line(times, series, width=30, height=8, look=ASCII)) == TWO


TWO = """\
* low  + high
10++++++++++++++++++++++++++++
  |
 5+
  |
 0+***************************
  ++-------------+------------
 00:00         00:05"""


def test_bars_and_what_finds_no_room() -> None:
    made = plots.bars(["GET", "a very long name", "日本"], [1500, 30, None], width=30, height=3, look=PLAIN)
    assert drawn(made) == BARS
    assert plots.bars(list("abcd"), [1, 2, 3, 4], width=30, height=2, look=PLAIN)[-1] == "and 3 more"


BARS = """\
GET        ██████████████ 1.5k
a very lo… ▎                30
日本"""


def test_a_histogram() -> None:
    made = plots.histogram([0, 4, 8, 2], [0, 0.25, 0.5, 0.75, 1], width=40, height=7, look=PLAIN, unit="s")
    assert drawn(made) == HISTOGRAM


HISTOGRAM = """\
8┤                   ██████████
 │                   ██████████
4┤          ▄▄▄▄▄▄▄▄▄██████████
 │          ███████████████████▃▃▃▃▃▃▃▃▃
0┤▁▁▁▁▁▁▁▁▁▁████████████████████████████
 └┬─────────────────┬──────────────────┬
 0s               500ms               1s"""


@pytest.mark.parametrize(
    ("values", "look", "shown"),
    [
        ([0, 1, None, 4, 8], PLAIN, "   ▁▂ ▄█"),
        ([0, 1, math.nan, 4, 8], ASCII, "   _. ~#"),
        ([5, 5, 5], PLAIN, "     ███"),
        ([0, 0], PLAIN, "      ▁▁"),
        ([], PLAIN, "        "),
        ([None, None], PLAIN, "        "),
        ([9] * 50 + [0] * 7 + [7], PLAIN, "▁▁▁▁▁▁▁█"),
    ],
)
def test_sparklines(values: Sequence[float | None], look: Look, shown: str) -> None:
    assert plots.sparkline(values, width=8, look=look) == shown


def test_colours_are_reset_and_only_there_when_asked_for() -> None:
    times = [MIDNIGHT, MIDNIGHT + 60]
    for look, there in ((Look(), True), (PLAIN, False)):
        made = plots.line(times, [Series([1, 2], "a"), Series([2, 1], "b")], width=40, height=10, look=look)
        assert ("\x1b[38;5;6m" in "".join(made)) is there
        assert ("\x1b[38;5;3m" in "".join(made)) is there
        assert all(line.count("\x1b[38") == 0 or line.rstrip().endswith("\x1b[0m") for line in made[1:])


def test_names_from_data_command_no_terminal() -> None:
    made = plots.line([MIDNIGHT], [Series([1.0], "a\x1b[2J")], width=40, height=8)
    assert "\x1b[2J" not in "".join(made)
    assert "\x1b[2J" not in "".join(plots.bars(["a\x1b[2J"], [1], width=40, height=8))


def test_no_data_says_so() -> None:
    assert "no data" in drawn(plots.line([], [], width=20, height=5))
    assert "no data" in drawn(plots.area([MIDNIGHT], [None], width=20, height=5))


def test_edges_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="need 3 edges"):
        plots.histogram([1, 2], [0, 1], width=20, height=5)


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [
        (0, "", "0"),
        (0.25, "", "0.25"),
        (999, "", "999"),
        (999.97, "", "1k"),
        (1234, "", "1.2k"),
        (-2_500_000, "", "-2.5M"),
        (1536, "B", "1.5Ki"),
        (0.02, "s", "20ms"),
        (180, "s", "3m"),
        (0, "s", "0s"),
        (1e30, "", "1e30"),
        (math.inf, "", "inf"),
    ],
)
def test_numbers_for_people(number: float, unit: str, text: str) -> None:
    assert human(number, unit) == text


numbers = st.lists(
    st.none() | st.floats(allow_nan=True, allow_infinity=True) | st.integers(-(10**6), 10**6), max_size=60
)
looks = st.builds(Look, color=st.booleans(), unicode=st.booleans())


@settings(max_examples=20, deadline=None)
@given(numbers, numbers, st.integers(10, 90), st.integers(3, 20), looks, st.floats(0.001, 10_000_000))
def test_never_larger_than_asked(
    first: list[float | None],
    second: list[float | None],
    width: int,
    height: int,
    look: Look,
    step: float,
) -> None:
    count = min(len(first), len(second))
    first, second = first[:count], second[:count]
    times = [MIDNIGHT + step * index for index in range(count)]
    labels = [f"label {index} é" for index in range(count)]
    clean = [abs(value) if value is not None and math.isfinite(value) else 0.0 for value in first]
    size = {"width": width, "height": height, "look": look}
    charts = [
        plots.line(times, [Series(first, "one"), Series(second, "the other")], **size),  # type: ignore[arg-type]
        plots.area(times, first, unit="B", **size),  # type: ignore[arg-type]
        plots.bars(labels, first, unit="s", **size),  # type: ignore[arg-type]
        plots.histogram(clean, [float(edge) for edge in range(count + 1)], **size),  # type: ignore[arg-type]
        [plots.sparkline(first, width=width, look=look)],
    ]
    for chart in charts:
        assert len(chart) <= height
        for line in chart:
            assert cells_wide(bare(line)) <= width, chart
            assert look.color or "\x1b" not in line
            assert look.unicode or bare(line).replace("é", "").replace("…", "").isascii()
