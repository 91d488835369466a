"""Texts to values: one by one as a column at a time."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yaat_core.event import TIME_TYPE
from yaat_plugin_gateway.ingest import texts

MANY = 50
TIMES = (
    "2026-01-05T10:00:00Z",
    "1969-12-31T23:59:59.9+00:00",
    "2026-02-28T23:59:59.123456Z",
    "2026-02-28T23:59:59.123456789-05:30",
    "0001-01-01T00:00:00+02:00",
)
NO_TIMES = (
    "0000-01-01T00:00:00Z",
    "2026-02-29T10:00:00Z",
    "2026-01-05T24:00:00Z",
    "2026-01-05T10:00:60Z",
    "2026-01-05T10:00:00",
    "2026-01-05T10:00:00.Z",
    "2026-01-05T10:00:00.1234567890Z",
    "2026-01-05T10:00:00+24:00",
    "2026-01-05T10:00:00+02:60",
    "2026-01-05 10:00:00Z",
    "2026-01-05T10:00:00z",
    "\u0662026-01-05T10:00:00Z",
)
IDENTITY = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.mark.parametrize("text", TIMES)
def test_a_time_is_the_same_alone_and_among_many(text: str):
    alone = texts.times([text])
    assert alone is not None
    assert alone.type == TIME_TYPE
    assert texts.times([text] * MANY).equals(pa.concat_arrays([alone] * MANY))


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_plain_time_is_none_alone_and_among_many(text: str):
    assert texts.times([text]) is None
    assert texts.times([text] * MANY) is None


@given(
    st.text(alphabet="0123456789:-.TZ+", max_size=35) | st.datetimes().map(lambda at: f"{at.isoformat()}Z")
)
def test_any_text_is_read_alike(text: str):
    alone, many = texts.times([text]), texts.times([text] * MANY)
    assert (alone is None) == (many is None)
    assert alone is None or many[:1].equals(alone)


@pytest.mark.parametrize("text", [IDENTITY, IDENTITY.upper()])
def test_an_identity_is_the_same_alone_and_among_many(text: str):
    alone, many = texts.uuids([text]), texts.uuids([text] * MANY)
    assert many.equals(pa.concat_arrays([alone] * MANY))
    assert alone.to_pylist() == [bytes.fromhex(IDENTITY.replace("-", ""))]


@pytest.mark.parametrize(
    "text", ["", IDENTITY[:-1], IDENTITY + "0", IDENTITY.replace("-", "0"), IDENTITY[:-1] + "g"]
)
def test_what_is_no_identity_is_none_alone_and_among_many(text: str):
    assert texts.uuids([text]) is None
    assert texts.uuids([text] * MANY) is None
