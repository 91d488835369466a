"""Written times, against Python's own reading of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yaat_plugin_parse import timestamps
from yaat_plugin_parse.zones import zone_of

WHEN = datetime(2026, 1, 5, 10, 0, 0, 123456, UTC)
moments = st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC))
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def read(*texts: str | None, zone: str = "UTC") -> list[datetime | None]:
    return timestamps.parse(pa.array(texts, pa.string()), zone_of(zone)).to_pylist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-05T10:00:00.123456Z", WHEN),
        ("2026-01-05t10:00:00.123456z", WHEN),
        ("2026-01-05 10:00:00.123456", WHEN),
        ("2026-01-05 10:00:00,123456", WHEN),
        ("2026/01/05 10:00:00.123456", WHEN),
        ("2026-01-05T10:00:00.123456789Z", WHEN),
        ("2026-01-05T12:00:00.123456+02:00", WHEN),
        ("2026-01-05T12:00:00.123456+0200", WHEN),
        ("2026-01-05T12:00:00.123456 +02", WHEN),
        ("2026-01-05 10:00:00.123456 UTC", WHEN),
        ("2026-01-05T10:00:00.5Z", WHEN.replace(microsecond=500_000)),
        ("05/Jan/2026:10:00:00 +0000", WHEN.replace(microsecond=0)),
        ("05/jan/2026 05:00:00 -0500", WHEN.replace(microsecond=0)),
        ("1767607200", WHEN.replace(microsecond=0)),
        ("1767607200.123456", WHEN),
        ("1767607200123", WHEN.replace(microsecond=123_000)),
        ("1767607200123.456", WHEN),
        ("1767607200123456", WHEN),
        ("1767607200123456789", WHEN),
        ("1.767607200123456e+18", WHEN),
        ("0", datetime(1970, 1, 1, tzinfo=UTC)),
        ("Mon, 05 Jan 2026 10:00:00 GMT", WHEN.replace(microsecond=0)),
        ("20260105T100000Z", WHEN.replace(microsecond=0)),
        ("2026-01-05", datetime(2026, 1, 5, tzinfo=UTC)),
        (" 2026-01-05T10:00:00.123456Z ", WHEN),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2024-02-29 00:00:00", datetime(2024, 2, 29, tzinfo=UTC)),
    ],
)
def test_forms(text: str, expected: datetime) -> None:
    assert read(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "last tuesday",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-32 00:00:00",
        "2026-01-05 24:00:01",
        "2026-01-05 10:60:00",
        "2026-01-05 10:00:61",
        "2026-01-05T10:00:00+25:00",
        "2026-01-05T10:00:00Z rest",
        "31/Feb/2026:10:00:00 +0000",
        "05/Foo/2026:10:00:00 +0000",
        "1969-12-31T23:59:59Z",
        "2201-01-01T00:00:00Z",
        "1969-12-31T23:00:00",
        "-1",
        "99999999999",
        "9" * 19,
        "9" * 400,
        "1e999",
        "\x00",
        "\uff12026-01-05T10:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "2026-01-05T10:00:00.000000words000Z",
    ],
)
def test_what_is_no_time_is_null(text: str) -> None:
    assert read(text, "2026-01-05T10:00:00Z") == [None, WHEN.replace(microsecond=0)]


def test_rows_of_all_forms_stand_beside_each_other() -> None:
    texts = [
        "1767607200",
        None,
        "05/Jan/2026:10:00:00 +0000",
        "x",
        "2026-01-05T10:00:00Z",
        "2026-01-05 10:00:00,000",
    ]
    plain = WHEN.replace(microsecond=0)
    assert read(*texts) == [plain, None, plain, None, plain, plain]


@given(st.lists(moments, min_size=1, max_size=9), offsets)
def test_iso_times_of_one_form(times: list[datetime], zone: timezone) -> None:
    for kind in ("auto", "seconds", "milliseconds", "microseconds"):
        texts = [time.astimezone(zone).isoformat(timespec=kind) for time in times]
        assert read(*texts) == [datetime.fromisoformat(text).astimezone(UTC) for text in texts]


@given(st.lists(st.tuples(moments, st.sampled_from(["iso", "log", "common", "mail", "epoch"])), max_size=12))
def test_mixed_times(rows: list[tuple[datetime, str]]) -> None:
    write = {
        "iso": lambda when: when.isoformat(),
        "log": lambda when: when.strftime("%Y-%m-%d %H:%M:%S,%f"),
        "common": lambda when: when.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "mail": format_datetime,
        "epoch": lambda when: str((when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)),
    }
    rows = [(when, form) for when, form in rows if form != "epoch" or when.year > 1973]
    whole = ("common", "mail")
    expected = [when.replace(microsecond=0) if form in whole else when for when, form in rows]
    assert read(*[write[form](when) for when, form in rows]) == expected


@given(
    st.lists(
        st.one_of(
            st.none(), st.text(max_size=40), st.from_regex(r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d.{0,9}")
        )
    )
)
def test_no_text_raises_and_none_changes_its_neighbours(texts: list[str | None]) -> None:
    alone = [read(text)[0] for text in texts]
    assert read(*texts) == alone
    assert (
        timestamps.parse(pa.array(["x", *texts, "y"], pa.string()).slice(1, len(texts))).to_pylist() == alone
    )


@given(moments, st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]))
def test_local_times(when: datetime, zone: str) -> None:
    local = when.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    expected = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    texts = [local.isoformat(sep=" "), local.strftime("%Y/%m/%d %H:%M:%S.%f")]
    assert read(*texts, zone=zone) == [expected, expected]


def test_a_zone_in_the_text_wins_over_the_option() -> None:
    assert read("2026-01-05T10:00:00Z", "2026-01-05T10:00:00", zone="+02:00") == [
        datetime(2026, 1, 5, 10, tzinfo=UTC),
        datetime(2026, 1, 5, 8, tzinfo=UTC),
    ]


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "+25:00", "", "Europe/"])
def test_unknown_zones_are_refused_with_advice(name: str) -> None:
    with pytest.raises(ValueError, match="Europe/Berlin"):
        zone_of(name)
