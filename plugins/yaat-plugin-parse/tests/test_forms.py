"""Times as programs write them: forms, zones, years that are not written, and formats of the user's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yaat_plugin_parse import date_patterns, offsets, timestamps
from yaat_plugin_parse.templates import compiled
from yaat_plugin_parse.zones import zone_of

WHEN = datetime(2026, 1, 5, 22, 7, 9, tzinfo=UTC)
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def micros(when: datetime) -> int:
    return (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def read(*texts: str, zone: str = "UTC", now: datetime = WHEN) -> list[datetime | None]:
    found: list[datetime | None] = timestamps.parse(
        pa.array(texts, pa.string()), zone_of(zone), micros(now)
    ).to_pylist()
    return found


@pytest.mark.parametrize(
    "text",
    [
        "Jan  5 22:07:09",
        "Jan 5 22:07:09",
        "Jan 05 22:07:09 2026",
        "Jan  5 2026 22:07:09",
        "Mon Jan 05 22:07:09 2026",
        "Mon Jan  5 22:07:09 UTC 2026",
        "Mon Jan  5 23:07:09 CET 2026",
        "Jan 5, 2026 10:07:09 PM",
        "January 5, 2026 10:07:09 PM",
        "Mon, 05 Jan 2026 22:07:09 +0000",
        "Mon, 5 Jan 2026 17:07:09 -0500 (EST)",
        "5 Jan 2026 17:07:09 EST",
        "05-Jan-2026 22:07:09",
        "05-JAN-26 22:07:09",
        "05/Jan/2026 22:07:09",
        "05 Jan 22:07:09",
        "0105 22:07:09",
        "20260105 22:07:09",
        "20260105T220709Z",
        "20260105-22:07:09",
        "260105 22:07:09",
        "1/5/2026 10:07:09 PM",
        "01/05/26 22:07:09",
        "05.01.2026 22:07:09",
        "2026/1/5 22:07:09",
        "2026-01-05 23:07:09 CET",
        "2026-01-05 10:07:09 PM",
        "2026-01-05T23:07:09+01:00[Europe/Berlin]",
        "2026-01-05 23:07:09 Europe/Berlin",
        "2026-01-05 22:07:09 UTC",
        "2026-01-05 22:07:09 GMT+0000",
        "2026-01-06 00:07:09 EET",
    ],
)
def test_forms(text: str) -> None:
    assert read(text, "no time", text) == [WHEN, None, WHEN]


@pytest.mark.parametrize(
    "text",
    [
        "Feb 30 10:00:00",
        "Jan 32 10:00:00",
        "Jan  0 10:00:00",
        "Jan  5 24:00:00",
        "Jan  5 10:60:00",
        "13/13/2026 10:00:00",
        "31.02.2026 10:00:00",
        "1/5/2026 13:07:09 PM",
        "1/5/2026 0:07:09 AM",
        "1332 10:00:00",
        "2026-01-05 10:00:00 XYZ",
        "2026-01-05 10:00:00 +24:00",
        "2026-01-05 10:00:00 Mars/Olympus",
        "Foo  5 10:00:00",
        "Mon, 31 Feb 2026 22:07:09 +0000",
        "10:00:00",
    ],
)
def test_what_is_no_time(text: str) -> None:
    assert read(text) == [None]


@pytest.mark.parametrize(
    ("text", "now", "expected"),
    [
        ("Dec 31 23:59:59", (2026, 1, 1, 0, 0, 5), 2025),
        ("Jan  1 00:00:01", (2025, 12, 31, 23, 59, 58), 2026),
        ("Jan  1 00:00:01", (2026, 1, 1, 0, 0, 5), 2026),
        ("Dec 31 23:59:59", (2026, 12, 31, 23, 59, 59), 2026),
        ("Dec  1 00:00:00", (2026, 11, 30, 0, 0, 0), 2026),
        ("Dec  2 00:00:00", (2026, 11, 30, 0, 0, 0), 2025),
        ("Feb 29 12:00:00", (2026, 3, 1, 0, 0, 0), 2024),
        ("Feb 29 12:00:00", (2028, 3, 1, 0, 0, 0), 2028),
        ("Feb 29 12:00:00", (2103, 3, 1, 0, 0, 0), 2096),
    ],
)
def test_the_year_that_is_not_written(text: str, now: tuple[int, ...], expected: int) -> None:
    [found] = read(text, now=datetime(*now, tzinfo=UTC))  # type: ignore[misc,arg-type]
    assert found is not None
    assert found.year == expected


def test_the_year_is_that_of_the_zone() -> None:
    """In Tokyo it is next year already."""
    [found] = read("Jan  1 08:00:00", zone="Asia/Tokyo", now=datetime(2025, 12, 31, 23, 30, tzinfo=UTC))
    assert found == datetime(2025, 12, 31, 23, tzinfo=UTC)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)), st.integers(0, 300))
def test_a_line_of_the_last_year_gets_its_year(now: datetime, days: int) -> None:
    now = now.replace(tzinfo=UTC, microsecond=0)
    when = now - timedelta(days=days)
    text = f"{MONTHS[when.month - 1]} {when.day:2d} {when:%H:%M:%S}"
    assert read(text, now=now) == [when]


@pytest.mark.parametrize(
    ("abbreviation", "zone", "hours"),
    [
        ("IST", "Asia/Kolkata", 5.5),
        ("CST", "America/Chicago", -6),
        ("CST", "Asia/Shanghai", 8),
        ("CST", "UTC", -6),
    ],
)
def test_an_abbreviation_means_the_configured_zone_where_that_has_it(
    abbreviation: str, zone: str, hours: float
) -> None:
    local = datetime(2026, 1, 5, 12)
    assert read(f"2026-01-05 12:00:00 {abbreviation}", zone=zone) == [
        (local - timedelta(hours=hours)).replace(tzinfo=UTC)
    ]


@given(st.text(max_size=12))
def test_no_zone_raises(text: str) -> None:
    offsets.of_text(text, UTC)


WRITTEN = {
    "%d.%m.%Y %H:%M:%S": lambda when: when.strftime("%d.%m.%Y %H:%M:%S"),
    "%Y%j-%H%M%S": lambda when: when.strftime("%Y%j-%H%M%S"),
    "%a %b %e %T %Y": lambda when: f"{when:%a} {MONTHS[when.month - 1]} {when.day:2d} {when:%H:%M:%S %Y}",
    "%I:%M:%S %p, %B %d %Y": lambda when: when.strftime("%I:%M:%S %p, %B %d %Y"),
    "%s": lambda when: str(int(when.timestamp())),
    "%FT%T%z": lambda when: when.astimezone(ZoneInfo("Asia/Kolkata")).strftime("%Y-%m-%dT%H:%M:%S%z"),
}


@pytest.mark.parametrize("form", WRITTEN)
@settings(max_examples=25)
@given(when=st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1)))
def test_formats_of_strftime_are_read_back(form: str, when: datetime) -> None:
    when = when.replace(tzinfo=UTC, microsecond=0)
    column = pa.array([WRITTEN[form](when), None, "other"], pa.string())
    assert date_patterns.read(date_patterns.template_of(form), column, UTC).to_pylist() == [when, None, None]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("yyyy-MM-dd HH:mm:ss", "2026-01-05 22:07:09"),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2026-01-05T23:07:09.000+01:00"),
        ("dd MMM yyyy HH:mm:ss,SSS", "05 Jan 2026 22:07:09,000"),
        ("dd/MM/yy hh:mm:ss a", "05/01/26 10:07:09 PM"),
        ("EEE MMM d HH:mm:ss zzz yyyy", "Mon Jan 5 23:07:09 CET 2026"),
        ("d. MMMM yyyy 'at' H:m:s", "5. January 2026 at 22:7:9"),
    ],
)
def test_patterns_of_java(pattern: str, text: str) -> None:
    assert date_patterns.read(compiled(date_patterns.java(pattern)), pa.array([text]), UTC).to_pylist() == [
        WHEN
    ]


@pytest.mark.parametrize("wrong", ["%Q", "no directive", "%Y %!"])
def test_wrong_formats_are_refused(wrong: str) -> None:
    with pytest.raises(ValueError):
        date_patterns.template_of(wrong)


@pytest.mark.parametrize("wrong", ["yyyy-MM-dd'T", "yyyy bb"])
def test_wrong_patterns_are_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="date pattern"):
        list(date_patterns.java(wrong))


def test_a_time_of_day_is_the_last_one() -> None:
    from yaat_plugin_parse import moments

    now = micros(datetime(2026, 1, 5, 0, 10, tzinfo=UTC))
    pieces = {"hour": pa.array(["23", "00"]), "minute": pa.array(["59", "05"])}
    assert moments.times(pieces, UTC, now).to_pylist() == [
        datetime(2026, 1, 4, 23, 59, tzinfo=UTC),
        datetime(2026, 1, 5, 0, 5, tzinfo=UTC),
    ]


def test_the_present_is_the_default() -> None:
    before = datetime.now(UTC)
    [found] = timestamps.parse(pa.array([f"{MONTHS[before.month - 1]} {before.day:2d} 00:00:00"])).to_pylist()
    assert found.year in (before.year, datetime.now(UTC).year)
