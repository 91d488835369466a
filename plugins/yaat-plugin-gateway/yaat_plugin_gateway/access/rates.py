"""How fast keys may send, when they have no limits of their own."""

from __future__ import annotations

from yaat_core import Duration, Size, configuration, option, positive


@configuration
class KeyLimits:
    """Limits of each key. A key that was made with limits of its own has those instead."""

    events_per_second: int | None = option(
        None,
        help="Events that a key may send a second; none: any number.",
        example=10_000,
        validator=positive,
    )
    bytes_per_second: Size | None = option(
        None,
        help="Bytes of JSON, unpacked, that a key may send a second.",
        example="10MiB",
        validator=positive,
    )
    requests_per_second: int | None = option(
        None, help="Requests that a key may make a second.", example=100, validator=positive
    )
    burst: Duration = option(
        "10s",
        help="How much may come at once: what these limits allow in this time.",
        validator=positive,
    )
