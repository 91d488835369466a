"""Tags on whole columns do what dictionaries would do row by row."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from yaat_core import tags
from yaat_core.event import TAGS_TYPE

KEYS = st.sampled_from(["a", "b", "c", "yaat.x", "é"])
ROWS = st.lists(st.dictionaries(KEYS, st.text(max_size=5), max_size=4), max_size=8)


def column(rows: list[dict[str, str]]) -> pa.Array:
    return pa.array([list(row.items()) for row in rows], TAGS_TYPE)


def rows_of(array: pa.Array) -> list[dict[str, str]]:
    return [dict(row) for row in array.to_pylist()]


@given(ROWS, st.data())
def test_merge_prefers_own(own: list[dict[str, str]], data: st.DataObject) -> None:
    defaults = data.draw(
        st.lists(st.dictionaries(KEYS, st.text(max_size=5), max_size=4), min_size=len(own), max_size=len(own))
    )
    merged = tags.merge(column(own), column(defaults))
    assert rows_of(merged) == [{**d, **o} for o, d in zip(own, defaults, strict=True)]
    merged.validate(full=True)


@given(ROWS, st.dictionaries(KEYS, st.text(max_size=5), max_size=3))
def test_add_constant(own: list[dict[str, str]], constant: dict[str, str]) -> None:
    assert rows_of(tags.add_constant(column(own), constant)) == [{**constant, **row} for row in own]


@given(ROWS, st.lists(KEYS, max_size=3), st.integers(0, 8), st.integers(0, 8))
def test_slices_without_and_get(own: list[dict[str, str]], names: list[str], start: int, length: int) -> None:
    piece, expected = column(own).slice(start, length), own[start : start + length]
    assert rows_of(tags.without(piece, names)) == [
        {k: v for k, v in row.items() if k not in names} for row in expected
    ]
    assert tags.get(piece, "a").to_pylist() == [row.get("a") for row in expected]
    keys, values, offsets = tags.parts(piece)
    assert len(keys) == len(values) == offsets[-1]
    upper = tags.with_values(piece, pa.array([v.as_py() + "!" for v in values], pa.string()))
    assert rows_of(upper) == [{k: v + "!" for k, v in row.items()} for row in expected]


@given(st.lists(st.tuples(st.none() | st.text(max_size=3), st.none() | st.text(max_size=3)), max_size=6))
def test_from_columns_leaves_nulls_out(rows: list[tuple[str | None, str | None]]) -> None:
    made = tags.from_columns(
        len(rows),
        {"x": pa.array([r[0] for r in rows], pa.string()), "y": pa.array([r[1] for r in rows], pa.string())},
    )
    expected = [{k: v for k, v in zip("xy", row, strict=True) if v is not None} for row in rows]
    assert rows_of(made) == expected
