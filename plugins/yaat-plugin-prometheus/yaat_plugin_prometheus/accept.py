"""Which format a client wants.

The library's `choose_encoder` takes the first media type that it knows, whatever its weight, and repeats the version that
was asked for in its answer, also one that it does not write; so this is decided here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

#: Versions of each media type that are written; a request may leave the version out.
_OPENMETRICS: Final[Mapping[str, tuple[str, ...]]] = {"application/openmetrics-text": ("", "1.0.0", "0.0.1")}
_TEXT: Final[Mapping[str, tuple[str, ...]]] = {"text/plain": ("", "0.0.4"), "text/*": ("",), "*/*": ("",)}


def wants_openmetrics(accept: str) -> bool:
    """Is OpenMetrics wanted at least as much as the text format? Whoever asks for nothing gets the latter."""
    openmetrics = max(_weights(accept, _OPENMETRICS), default=0.0)
    return openmetrics > 0 and openmetrics >= max(_weights(accept, _TEXT), default=0.0)


def _weights(accept: str, wanted: Mapping[str, tuple[str, ...]]) -> Iterator[float]:
    for part in accept.split(","):
        media, *given = (piece.strip() for piece in part.split(";"))
        named = {
            name.strip().lower(): value.strip(' "')
            for name, _, value in (one.partition("=") for one in given)
        }
        if named.get("version", "") in wanted.get(media.lower(), ()):
            yield _weight(named.get("q", "1"))


def _weight(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        return 0.0
