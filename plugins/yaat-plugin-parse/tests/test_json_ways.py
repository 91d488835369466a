"""JSON by columns and by rows: the same result, and everything that a program may write."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from yaat_core.components import Processor
from yaat_core.event import Event, EventBatch, Labels
from yaat_plugin_parse.found import Fields
from yaat_plugin_parse.naming import every_name, known_names
from yaat_plugin_parse.objects import columns, rows, text
from yaat_plugin_parse.objects.reader import ObjectReader
from yaat_plugin_parse.objects.shape import Shape

KNOWN = every_name(known_names(UTC))

names = st.one_of(
    st.sampled_from(
        ["level", "time", "msg", "a", "b", "a.b", "", "ü", 'q"uote', "back\\slash", "dd.trace_id"]
    ),
    st.text(max_size=4),
)
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.integers(-9, 9),
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(-1000, 1000, width=16),
    st.text(max_size=9),
    st.sampled_from(["2026-01-05T10:00:00Z", "2026-01-05", "12", "true", "\x00", "\U0001f4a9", "\u2028"]),
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(names, values, max_size=6)


def one_by_one(lines: list[str], max_depth: int = 8) -> list[dict[str, str]]:
    found = [rows.decode(line) for line in lines]
    return [rows.flatten(one, max_depth, 200) for one in found if one is not None]


def texts_of(fields: list[Fields]) -> dict[int, dict[str, str]]:
    """Every field of every row."""
    result: dict[int, dict[str, str]] = {}
    for part in fields:
        tags = part.tags.to_pylist() if part.tags is not None else [[] for _ in part.rows]
        for place, row in enumerate(part.rows.tolist()):
            own = {
                name: column[place].as_py() for name, column in part.columns.items() if column[place].is_valid
            }
            assert row not in result
            assert not own.keys() & dict(tags[place]).keys()
            result[row] = own | dict(tags[place])
    return result


@given(st.lists(objects, min_size=1, max_size=6), st.booleans(), st.integers(1, 4))
def test_both_ways_give_the_same(values: list[dict[str, Any]], ascii_only: bool, max_depth: int) -> None:
    lines = [json.dumps(value, ensure_ascii=ascii_only) for value in values]
    found = texts_of(
        ObjectReader(KNOWN, max_depth=max_depth, max_fields=200).read(pa.array(lines, pa.string()), "s")
    )
    assert [found[row] for row in range(len(lines))] == one_by_one(lines, max_depth)


@settings(max_examples=60, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.lists(st.dictionaries(names, leaves, max_size=4) | objects, min_size=1, max_size=3))
def test_what_the_reader_of_columns_takes_it_gives_exactly(values: list[dict[str, Any]]) -> None:
    """Straight at the fast way: every row that it does not call inexact is that of the other way."""
    lines = [json.dumps(value, ensure_ascii=False) for value in values]
    shape = Shape(8, 200)
    for line in lines:
        value = rows.decode(line)
        assert value is not None
        shape.learn(value)
    assume(shape.usable and columns.plain(pa.array(lines, pa.string())) is None)
    read = columns.read(pa.array(lines, pa.string()), shape)
    assume(read is not None)
    assert read is not None
    inexact = np.zeros(len(lines), bool) if read.inexact is None else read.inexact
    for row, expected in enumerate(one_by_one(lines)):
        if not inexact[row]:
            got = {name: column[row].as_py() for name, column in read.fields.items() if column[row].is_valid}
            assert got == expected


def test_a_uniform_batch_goes_by_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not one of its lines is read alone but for the sample that the shape is learnt from."""
    reader = ObjectReader(KNOWN, max_depth=8, max_fields=200)
    lines = pa.array([json.dumps({"n": n, "f": n / 8, "s": str(n), "o": {"b": True}}) for n in range(3000)])
    first = texts_of(reader.read(lines, "s"))
    alone: list[str] = []
    monkeypatch.setattr(rows, "decode", lambda line: alone.append(line))
    again = texts_of(reader.read(lines, "s"))
    assert (len(alone), again) == (0, first)
    assert again[2999] == {"n": "2999", "f": "374.875", "s": "2999", "o.b": "true"}


def test_one_odd_line_sends_only_its_neighbours_the_slow_way(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = ObjectReader(KNOWN, max_depth=8, max_fields=200)
    plain = [json.dumps({"n": n}) for n in range(4096)]
    reader.read(pa.array(plain), "s")
    alone: list[str] = []
    decode = rows.decode

    def counted(line: str) -> dict[str, Any] | None:
        alone.append(line)
        return decode(line)

    monkeypatch.setattr(rows, "decode", counted)
    odd = [*plain[:700], '{"n":"text"}', *plain[701:]]
    found = texts_of(reader.read(pa.array(odd), "s"))
    assert found[700] == {"n": "text"}
    assert found[4095] == {"n": "4095"}
    assert 0 < len(alone) <= 512


def test_streams_do_not_disturb_each_other() -> None:
    reader = ObjectReader(KNOWN, max_depth=8, max_fields=200)
    for _ in range(3):
        for number in range(300):
            line = json.dumps({"v": number if number % 2 else str(number)})
            assert texts_of(reader.read(pa.array([line] * 2), str(number))) == {
                0: {"v": str(number)},
                1: {"v": str(number)},
            }


def test_ever_new_keys_take_no_columns(make: Callable[..., Processor]) -> None:
    """A column for each of 60,000 names and 3,000 rows would be gigabytes."""
    step = make("json")
    lines = [json.dumps({f"k{row}-{key}": key for key in range(20)}) for row in range(3000)]
    batch = EventBatch.build(len(lines), {"message": pa.array(lines)})
    before = pa.default_memory_pool().bytes_allocated()
    result, _ = step.process(batch)
    assert pa.default_memory_pool().bytes_allocated() - before < 50_000_000
    assert dict(result.column("tags")[2999].as_py()) == {f"k2999-{key}": str(key) for key in range(20)}


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ('{"a":NaN,"b":-Infinity}', {"a": "NaN", "b": "-Infinity"}),
        ('{"a":"tab\there"}', {"a": "tab\there"}),
        ('{"a":"\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        ('{"a":"x\\ud800y"}', {"a": "x\ufffdy"}),
        ('{"a":18446744073709551615}', {"a": "18446744073709551615"}),
        ('{"a":123456789012345678901234567890}', {"a": "123456789012345678901234567890"}),
        ('{"a":1,"a":2}', {"a": "2"}),
        ('{"a":[1,{"b":null}],"c":[]}', {"a": '[1,{"b":null}]', "c": "[]"}),
        ('{"a":null,"b":{},"c":""}', {"c": ""}),
        ('{"a":{"b":{"c":1}},"a.b.c":2}', {"a.b.c": "2"}),
        (
            '{"a":12.50,"b":12.0,"c":1e3,"d":1e-7,"e":1e300}',
            {"a": "12.5", "b": "12", "c": "1000", "d": "1e-07", "e": "1e+300"},
        ),
        ("{}", {}),
    ],
)
def test_what_programs_write(line: str, fields: dict[str, str]) -> None:
    assert texts_of(ObjectReader(KNOWN, max_depth=8, max_fields=200).read(pa.array([line, line]), "")) == {
        0: fields,
        1: fields,
    }


@pytest.mark.parametrize(
    "line",
    [
        "{broken}",
        '{"a":1}{"a":2}',
        '{"a":1} {"a":2}',
        '{"a":' * 100_000 + "}",
        '{"a":' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"a":1,}',
        "{'a':1}",
        '{"a":' + "9" * 5000 + "}",
    ],
)
def test_what_is_no_object_stays_a_line(line: str, make: Callable[..., Processor]) -> None:
    step = make("json")
    good = '{"a":1}'
    events = list(step.process(EventBatch.from_events([Event(message=one) for one in (good, line, good)]))[0])
    assert [event.message for event in events] == [good, line, good]
    assert [dict(event.tags) for event in events] == [{"a": "1"}, {}, {"a": "1"}]


@given(st.floats())
def test_numbers_are_written_alike_alone_and_in_columns(number: float) -> None:
    column = pa.array([number, None])
    if abs(number) < 1e300:
        assert text.of_column(column).to_pylist() == [text.of_float(number), None]
        assert float(text.of_float(number)) == number


def test_lines_of_two_kinds_keep_their_order(make: Callable[..., Processor]) -> None:
    step = make("json")
    lines = ["plain" if row % 3 else json.dumps({"msg": str(row), "n": row}) for row in range(999)]
    batch = EventBatch.build(len(lines), {"message": pa.array(lines)}, Labels(stream="s"))
    events = list(step.process(batch)[0])
    assert [event.message for event in events] == ["plain" if row % 3 else str(row) for row in range(999)]
    assert [event.tags for event in events] == [{} if row % 3 else {"n": str(row)} for row in range(999)]
