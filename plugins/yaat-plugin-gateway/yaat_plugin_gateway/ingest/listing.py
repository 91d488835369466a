"""Bad events as an answer lists them, within what agents read of an answer: 1 MiB (`yaat-plugin-cloud`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import attrs
import msgspec

from yaat_plugin_gateway.ingest.careful import BadEvent

#: Bytes of JSON that the entries may have.
MOST: Final = 768 * 1024
#: Letters of each problem where all of them together would be too long.
_BRIEF: Final = 60


@attrs.frozen
class Listing:
    """``entries`` are ``{index, field, problem, got}``, in order; ``left_out`` had no room."""

    entries: Sequence[dict[str, Any]]
    left_out: int = 0


def listed(bad: Sequence[BadEvent]) -> Listing:
    """All of them; where that is too much with short problems and without what was got, and as many as fit."""
    entries = [one.to_json() for one in bad]
    if len(msgspec.json.encode(entries)) <= MOST:
        return Listing(entries)
    kept, left = [], MOST
    for entry in entries:
        brief = {**entry, "problem": entry["problem"][:_BRIEF], "got": ""}
        left -= len(msgspec.json.encode(brief)) + 1
        if left < 0:
            break
        kept.append(brief)
    return Listing(kept, len(entries) - len(kept))
