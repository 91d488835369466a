"""Trace and span ids as lower-case hex, on whole columns."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_plugin_parse.matching import kept

_PARENT: Final = r"^[0-9a-f]{2}-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?$"
_UUID: Final = r"^([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})$"
#: Up to 18446743999999999999: what lies between that and 2**64 is too rare to spell out.
_DECIMAL: Final = (
    r"^(?:[1-9]\d{0,18}|1(?:[0-7]\d{18}|8(?:[0-3]\d{17}|4(?:[0-3]\d{16}|4(?:[0-5]\d{15}|6(?:[0-6]\d{14}"
    r"|7(?:[0-3]\d{13}|4[0-3]\d{12})))))))$"
)
_NOT_ZERO: Final = r"[^0]"


def trace_id(column: Any) -> Any:
    """8 to 32 hex digits (a UUID's count), padded to 16 or 32 as leading zeros are sometimes left out; else null."""
    return _padded(column, r"^[0-9a-f]{8,32}$")


def span_id(column: Any) -> Any:
    """8 to 16 hex digits, padded to 16; else null."""
    return _padded(column, r"^[0-9a-f]{8,16}$")


def datadog_id(column: Any) -> Any:
    """Datadog writes 64-bit ids in decimal, 128-bit ones as 32 hex digits."""
    text = pc.utf8_trim_whitespace(column)
    decimal = pc.match_substring_regex(text, _DECIMAL).fill_null(False)
    wide = trace_id(kept(text, pc.match_substring_regex(text, r"^\S{32}$")))
    if not decimal.true_count:
        return wide
    numbers = np.asarray(pc.cast(kept(text, decimal).fill_null("0"), pa.uint64()))
    return pc.if_else(decimal, _hex(numbers), wide)


def traceparent_trace(column: Any) -> Any:
    """The trace id in a W3C ``traceparent``, else null."""
    return _nonzero(_captured(column, "trace"))


def traceparent_span(column: Any) -> Any:
    """The span id in a W3C ``traceparent``, else null."""
    return _nonzero(_captured(column, "span"))


def _captured(column: Any, group: str) -> Any:
    found = pc.extract_regex(pc.ascii_lower(pc.utf8_trim_whitespace(column)), _PARENT)
    return pc.struct_field(found, group)


def _padded(column: Any, form: str) -> Any:
    text = pc.ascii_lower(pc.utf8_trim_whitespace(column))
    text = pc.replace_substring_regex(text, _UUID, r"\1\2\3\4\5")
    text = kept(text, pc.match_substring_regex(text, form))
    long = pc.match_substring_regex(text, r"^.{17}")
    return _nonzero(
        pc.if_else(long, pc.utf8_lpad(text, 32, padding="0"), pc.utf8_lpad(text, 16, padding="0"))
    )


def _nonzero(text: Any) -> Any:
    """Ids of zeros only mean that there is none (W3C trace context, 3.2.2)."""
    return kept(text, pc.match_substring_regex(text, _NOT_ZERO))


def _hex(numbers: Any) -> Any:
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    raw = numbers.astype(">u8").view(np.uint8).reshape(-1, 8)
    letters = np.stack([digits[raw >> 4], digits[raw & 15]], axis=2).reshape(-1, 16)
    return pa.array(np.ascontiguousarray(letters).view("S16").ravel().astype(str), pa.string())
