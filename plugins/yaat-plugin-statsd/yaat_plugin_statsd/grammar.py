"""The fields of a metric's line after its value, by the protocol's versions.

    NAME:VALUE[:VALUE...]|TYPE[|@RATE][|#TAG,...][|c:CONTAINER][|T SECONDS][|e:EXTERNAL][|card:CARDINALITY]

StatsD (etsy/statsd, docs/metric_types.md) and DogStatsD 1.0 to 1.6 (datagram_shell in Datadog's documentation).
Fields come in any order, and a field that nobody knows is skipped: newer clients must not lose their metrics here.
"""

from __future__ import annotations

import re
from typing import Final

import attrs

#: Types by their letters; ``m`` (meter) is a counter of old clients.
TYPES: Final = {
    b"c": "c",
    b"m": "m",
    b"g": "g",
    b"ms": "ms",
    b"h": "h",
    b"d": "d",
    b"s": "s",
}
#: Types whose values a sample rate scales; it means nothing for the others.
SAMPLED: Final = frozenset(("c", "m", "ms", "h", "d"))
#: What stands after a value, at most: hostile lines of 64 KiB must not keep the event loop busy.
_FIELD_BYTES: Final = 16_384
#: A timestamp is later than 1970 and before the year 10000, or it is not one.
_LATEST: Final = 253_402_300_799
_TIMESTAMP: Final = re.compile(rb"T\d{1,12}")


class Rejected(Exception):
    """A line, or one of its values, that can't be taken; ``reason`` is a stable word that is counted."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@attrs.define(slots=True)
class Description:
    """What a line says of its sender, as sent; metrics, events and service checks have it alike."""

    tags: bytes = b""
    container: bytes = b""
    external: bytes = b""
    cardinality: bytes = b""

    def takes(self, part: bytes) -> bool:
        """Take one ``|``-separated part, when it is one of these."""
        if part[:1] == b"#":
            self.tags = part[1:]
        elif part[:2] == b"c:":
            self.container = part[2:]
        elif part[:2] == b"e:":
            self.external = part[2:]
        elif part[:5] == b"card:":
            self.cardinality = part[5:]
        else:
            return False
        return True


@attrs.frozen(kw_only=True)
class Fields:
    """What stands after a value.

    ``weight`` is 1/rate, ``timestamp`` seconds since the epoch, ``more`` another ``VALUE|TYPE...``.
    """

    type: str
    weight: float = 1.0
    about: Description = attrs.field(factory=Description)
    timestamp: int | None = None
    more: bytes | None = None


def parse(tail: bytes) -> Fields:
    """The fields of ``TYPE|...``.

    Raises:
        Rejected: no_type, bad_type, bad_rate, bad_timestamp or tags_too_long.
    """
    if not tail:
        raise Rejected("no_type")
    if len(tail) > _FIELD_BYTES:
        raise Rejected("tags_too_long")
    first, *parts = tail.rstrip(b"\r ").split(b"|")
    letters, colon, more = first.partition(b":")  # two metrics in one: `a:1|c:200|ms`
    if colon:
        more = b"|".join((more, *parts))
        parts = []
    kind = TYPES.get(letters)
    if kind is None:
        raise Rejected("bad_type" if letters else "no_type")
    about, rate, timestamp = Description(), None, None
    for place, part in enumerate(parts, 1):
        mark = part[:1]
        if mark == b"@":
            rate, colon, more = part[1:].partition(b":")
            if colon:
                more = b"|".join((more, *parts[place:]))
                break
        elif mark == b"T":
            timestamp = part
        else:
            about.takes(part)  # what it does not know is of a later version
    return Fields(
        type=kind,
        weight=_weight(rate) if rate is not None and kind in SAMPLED else 1.0,
        about=about,
        timestamp=_timestamp(timestamp) if timestamp is not None and kind in ("c", "g") else None,
        more=more if colon else None,
    )


def number(raw: bytes) -> float:
    """A finite number.

    Raises:
        ValueError: something else, NaN and infinity included.
    """
    value = float(raw)
    if value - value != 0.0 or b"_" in raw:  # Python reads 1_000; StatsD does not
        raise ValueError("not a finite number")
    return value


def _weight(raw: bytes) -> float:
    try:
        rate = number(raw)
    except ValueError:
        rate = 0.0
    if not 1e-9 <= rate <= 1:
        raise Rejected("bad_rate")
    return 1 / rate


def _timestamp(raw: bytes) -> int:
    seconds = int(raw[1:]) if _TIMESTAMP.fullmatch(raw) else 0
    if not 0 < seconds <= _LATEST:
        raise Rejected("bad_timestamp")
    return seconds
