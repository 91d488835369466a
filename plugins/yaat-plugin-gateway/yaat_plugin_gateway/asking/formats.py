"""Which format an answer has: the one that is named, else the first that the client takes (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from typing import Final

from yaat_core.control.encoders import ENCODERS
from yaat_plugin_gateway.web.refusal import Refused

#: By format: what is written in Accept.
MEDIA_TYPES: Final = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}
assert MEDIA_TYPES.keys() == ENCODERS.keys()


def format_for(accept: str) -> str:
    """The format for a header ``Accept``; JSON for anything and for nothing.

    Raises:
        Refused: 406, none of them is to be had.
    """
    ranges = (
        sorted(map(_range, accept.split(",")), key=lambda found: -found[1])
        if accept.strip()
        else [("*/*", 1.0)]
    )
    for wanted, quality in ranges:
        if quality <= 0:
            continue
        for form, media_type in MEDIA_TYPES.items():
            if wanted in ("*/*", media_type, media_type.split("/")[0] + "/*"):
                return form
    raise Refused(
        406,
        "not_acceptable",
        "no answer in a format that the header Accept asks for",
        fix=f"accept one of {', '.join(MEDIA_TYPES.values())}",
    )


def _range(text: str) -> tuple[str, float]:
    """A media range and its quality, 1 where it is not a number."""
    media_range, *parameters = text.split(";")
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                quality = float(value)
            except ValueError:
                quality = 1.0
    return media_range.strip().lower(), quality
