"""Entries that were gone before they were read: journald rotates and vacuums, whether they were read or not."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import Final

from yaat_core.components import Finding
from yaat_core.stats import ComponentStats
from yaat_plugin_journald.cursors import Cursor, Places
from yaat_plugin_journald.readers import Nearest

#: Seconds for which a loss is shown in health.
_SHOWN: Final = 3600.0
#: Entries that were taken longer ago are far enough behind for files to be removed before they are read.
_BEHIND_US: Final = 5_000_000


class Losses:
    """Tells of them, counts them, and remembers the last one."""

    def __init__(self, stats: ComponentStats, log: logging.Logger) -> None:
        self._log = log
        self._counter = stats.counter(
            "yaat_journald_lost_entries_total",
            "Entries of the journal that were removed before they were read, as far as their numbers say.",
        )
        self._occasions = stats.counter(
            "yaat_journald_losses_total", "How often entries were gone before they were read."
        )
        self._last: Finding | None = None
        self._until = 0.0
        self._compared = ""

    def finding(self) -> Finding | None:
        """The last one, for an hour."""
        return self._last if time.monotonic() < self._until else None

    def compare(self, last: Cursor, seen_us: int, nearest: Nearest) -> None:
        """What lies between the last entry that was read and the first one that is there now.

        Numbers go on through rotation (systemd, docs/JOURNAL_FILE_FORMAT.md, "Sequence Numbers"): what they skip was removed.
        They count every entry of the journal, also those that were not asked for.
        """
        if nearest.there or last.text == self._compared:
            return
        self._compared = last.text
        after = nearest.after
        if after is None:
            if seen_us < last.us:
                self._tell(
                    None,
                    f"it holds nothing since {_shown(last.us)}, and the last entry that was read is gone",
                )
            return
        if after.us <= seen_us:
            return
        between = f"between {_shown(max(last.us, seen_us))} and {_shown(after.us)}"
        if after.sequence == last.sequence:
            if (lost := after.number - last.number - 1) > 0:
                self._tell(lost, f"up to {lost} entries {between} were removed before they were read")
            return
        self._tell(None, f"what was logged {between} was removed before it was read")

    def unfinished(self, count: int) -> None:
        """Events of which the first lines waited at the last stop, and are not there any more (or not asked for)."""
        self._tell(
            None, f"the beginning of {count} events, which had not come whole at the last stop, is gone"
        )

    def _tell(self, lost: int | None, what: str) -> None:
        problem = f"the journal was rotated or vacuumed: {what}"
        self._log.warning("%s; reading goes on with what is there", problem)
        self._occasions.add()
        if lost is not None:
            self._counter.add(lost)
        advice = "give the journal more room (SystemMaxUse= in journald.conf), or find out what holds the agent back"
        self._last = Finding(problem=problem, advice=advice, level="warn")
        self._until = time.monotonic() + _SHOWN


def suspicious(last: Cursor | None, places: Places) -> Cursor | None:
    """The entry after which numbers are skipped although reading is behind: were files removed meanwhile?

    Only the first entry of a batch is looked at: files are removed from under a reader between two batches.
    """
    if not len(places.times) or places.times[0] > time.time() * 1_000_000 - _BEHIND_US:
        return None
    if last is not None:
        same = places.streams[0][:32].decode() == last.sequence
        if not same or int(places.numbers[0]) > last.number + 1:
            return last
    return None


def _shown(us: int) -> str:
    return datetime.fromtimestamp(us / 1_000_000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
