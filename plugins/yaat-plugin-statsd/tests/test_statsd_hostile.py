"""Whatever comes in: nothing is raised, a neighbour's line counts, and memory is bounded."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yaat_plugin_statsd.framing import MAX_BYTES, Either, Framing, Lines, Packets
from yaat_plugin_statsd.grammar import Rejected

#: The fixture is a factory: what it makes is new for each example.
FRESH = [HealthCheck.function_scoped_fixture]

PIECES = st.sampled_from(
    [b"a", b":", b"|", b"#", b"@", b"T", b",", b"=", b";", b"c", b"g", b"ms", b"s", b"_e{", b"_sc|", b"}", b"1", b"nan", b"1e400",
     b"-", b"+", b"0.5", b"c:", b"e:", b"card:", b"m:", b"d:", b"\0", b"\x1b[31m", b"\xff", "ü".encode(), b"\r", b"\t", b" ",
     b"statsd_type:x", b"yaat.source:x", b"host:", b"dd.internal.entity_id:"]
)  # fmt: skip
LINES = st.lists(PIECES, max_size=12).map(b"".join) | st.binary(max_size=60).map(
    lambda raw: raw.replace(b"\n", b"")
)


@settings(max_examples=300, suppress_health_check=FRESH)
@given(lines=st.lists(LINES, max_size=8))
def test_any_bytes(bench, lines):
    box = bench()
    for _ in range(2):
        box.read(b"\n".join([b"first:1|c", *lines, b"last:1|c"]))
    rows = [*box.cut(), *box.notes()]
    values = {row.metric_name: row.metric_value for row in rows}
    assert values["first"] == values["last"] == 2
    for row in rows:
        assert row.metric_value is None or math.isfinite(row.metric_value)
        assert "\x1b" not in (row.metric_name or "")
        assert not any("\x1b" in key + value for key, value in row.tags.items())
        assert row.tags["statsd_type"] in ("c", "m", "g", "ms", "h", "d", "s", "_e", "_sc")
        assert row.metric_name != ""


@settings(max_examples=100, suppress_health_check=FRESH)
@given(
    samples=st.lists(
        st.tuples(
            st.sampled_from(["c", "ms", "g"]),
            st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 3)),
            st.sampled_from(["", "|@0.5", "|@1"]),
            st.sampled_from(["", "|#a:1", "|#a:2,b"]),
        ),
        max_size=60,
    )
)
def test_totals_agree_with_what_was_sent(bench, samples):
    box = bench(counters=("count",), aggregates=("sum", "count"), gauge_deltas=False)
    wanted: dict[tuple[str, str], float] = {}
    for kind, value, rate, tags in samples:
        box.read(f"m.{kind}:{value}|{kind}{rate}{tags}")
        weight = 2 if rate == "|@0.5" else 1
        if kind == "g":
            wanted["m.g", tags] = value
        elif kind == "c":
            wanted["m.c", tags] = wanted.get(("m.c", tags), 0) + value * weight
        else:
            wanted["m.ms.sum", tags] = wanted.get(("m.ms.sum", tags), 0) + value * weight
            wanted["m.ms.count", tags] = wanted.get(("m.ms.count", tags), 0) + weight
    written = {"": "", "1": "|#a:1", "2": "|#a:2,b"}
    found = {(row.metric_name, written[row.tags.get("a", "")]): row.metric_value for row in box.cut()}
    assert found.keys() == wanted.keys()
    assert all(found[key] == pytest.approx(wanted[key], abs=1e-6) for key in wanted)


def test_a_datagram_of_64_kib(bench):
    lines = b"\n".join(b"counter.%d:1|c" % (number % 100) for number in range(4000))[:65_507]
    box = bench(counters=("count",)).read(lines)
    whole = lines.split(b"\n")
    assert sum(box.values().values()) == pytest.approx(len(whole), abs=1)


def test_a_million_tags(bench):
    box = bench(max_series=1000, counters=("count",))
    for number in range(0, 1_000_000, 50_000):
        box.read(
            b"a:1|c|#" + b",".join(b"t%d:1" % tag for tag in range(number, number + 50_000)) + b"\nok:1|c"
        )
    for number in range(20_000):
        box.read(b"a:1|c|#t%d:1" % number)
    assert box.rejected() == {"tags_too_long": 20}
    assert len(box.window) == 1000
    assert box.window.refused == 20_000 - 999
    assert [row.metric_value for row in box.cut() if row.metric_name == "ok"] == [20]


def test_what_is_remembered_of_raw_lines_is_bounded(bench, monkeypatch):
    monkeypatch.setattr("yaat_plugin_statsd.reading._ROUTES", 100)
    box = bench(counters=("count",))
    for number in range(1000):
        box.read(f"a:1|c|x{number}")
    assert sum(map(len, box.reader._routes.values())) <= 100
    assert box.values() == {"a": 1000}


def test_a_line_of_very_many_metrics_is_cut_short(bench):
    box = bench(counters=("count",)).read(
        b"a:" + b":".join([b"1|c"] * 2000), b"a:" + b":".join([b"1|c"] * 9000)
    )
    assert box.values() == {"a": 100}
    assert box.rejected() == {"too_many_metrics": 1, "tags_too_long": 1}


def test_control_characters_become_underscores(bench):
    [row] = bench(counters=("count",)).read("a\x1b[31m\x07:1|c|#k\x00:v\u2028\x9b").cut()
    assert row.metric_name == "a_[31m_"
    assert dict(row.tags) == {"k_": "v__", "statsd_type": "c"}


def test_bytes_that_are_no_utf8(bench):
    assert bench(counters=("count",)).read(b"a\xff:1|c").values() == {"a\ufffd": 1}


# --- streams ------------------------------------------------------------------------------------


def fed(framing: Framing, data: bytes, cuts: list[int]) -> list[bytes]:
    """The lines of ``data``, fed in pieces."""
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    pieces = [data[start:end] for start, end in itertools.pairwise(places)]
    texts = [framing.feed(piece) for piece in pieces]
    return [line for text in [*texts, framing.end()] for line in text.split(b"\n") if line]


NAMES = st.lists(st.binary(min_size=1, max_size=20).map(lambda raw: raw.replace(b"\n", b"x")), max_size=10)
CUTS = st.lists(st.integers(0, 300), max_size=10)


@given(NAMES, CUTS, st.sampled_from([b"", b"\n"]))
def test_lines_in_any_pieces(lines, cuts, end):
    assert fed(Lines(), b"\n".join(lines) + end, cuts) == lines


@given(NAMES, CUTS)
def test_packets_in_any_pieces(packets, cuts):
    data = b"".join(len(one).to_bytes(4, "little") + one for one in packets)
    assert fed(Packets(), data, cuts) == packets


@given(NAMES, CUTS, st.booleans())
def test_either_in_any_pieces(lines, cuts, prefixed):
    lines = [line for line in lines if line != b"\0"]
    prefix = [len(line).to_bytes(4, "little") if prefixed else b"" for line in lines]
    end = b"" if prefixed else b"\n"
    data = b"".join(before + line + end for before, line in zip(prefix, lines, strict=True))
    framing = Either()
    if prefixed or len(data) < 4 or data[3]:
        assert fed(framing, data, cuts) == lines


def test_a_line_that_is_too_long_is_skipped_to_its_end():
    framing = Lines()
    assert framing.feed(b"a\n" + b"x" * MAX_BYTES) == b"a"
    assert framing.feed(b"x") == b""
    assert framing.skipped == 1
    assert framing.feed(b"x" * 10) == b""
    assert framing.feed(b"x\nb\nc") == b"b"
    assert framing.end() == b"c"


def test_a_packet_that_is_too_long_or_torn():
    with pytest.raises(Rejected, match="packet_too_long"):
        Packets().feed(b"\xff\xff\xff\x7f")
    framing = Packets()
    framing.feed(b"\x05\0\0\0ab")
    assert framing.torn
    with pytest.raises(Rejected, match="torn_packet"):
        framing.end()
