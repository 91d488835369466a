"""How old events go: by the time since they were stored, and when the database takes more than it may.

DuckDB deletes millions of rows in milliseconds and reuses their space, but gives it free in its own time: whole row
groups (30,720 rows) at the next CHECKPOINT, parts of one when enough of it is gone, and nothing while a query reads.
The file itself mostly keeps its size. So what counts are the used blocks, and after a cut the next one waits until
that number has moved: else a database that frees late would be cut again and again.
"""

from __future__ import annotations

from typing import Final

from yaat_core.clock import ages
from yaat_core.components import Context
from yaat_plugin_duckdb.config import DuckDBConfig
from yaat_plugin_duckdb.store import Store

#: A cut leaves this part of what is allowed.
_LEAVES: Final = 0.9
#: Used blocks within these factors of the last cut's: it has not shown yet.
_FREED: Final = 0.95
_GROWN: Final = 1.1


class Retention:
    """Removes what is too old or too much."""

    def __init__(self, config: DuckDBConfig, context: Context) -> None:
        self._keep = config.retention
        self._max_bytes = config.max_bytes
        self._cut_at = 0
        self._log = context.log
        stats = context.stats
        self._removed = stats.counter(
            "yaat_duckdb_expired_events_total", "Events that retention removed from the database."
        )
        self._used = stats.gauge("yaat_duckdb_used_bytes", "Bytes that the database uses of its file.")

    def by_age(self, store: Store) -> int:
        """Remove what was stored too long ago; returns how many rows."""
        if self._keep is None:
            return 0
        upto = store.expired(int((ages.now() - self._keep) * 1e6))
        return self._forget(store, upto) if upto else 0

    def by_size(self, store: Store) -> int:
        """Remove the oldest rows when the used blocks are too many; returns how many rows."""
        used = store.used_bytes()
        self._used.set(used)
        if used <= self._max_bytes:
            self._cut_at = 0
            return 0
        if self._cut_at * _FREED <= used < self._cut_at * _GROWN:
            return 0
        self._cut_at = used
        oldest, rows = store.span()
        share = 1 - _LEAVES * self._max_bytes / used
        removed = self._forget(store, oldest + max(int((store.sequence - oldest + 1) * share), 1) - 1)
        self._log.info("max_bytes is reached: %d of %d events, the oldest, are removed", removed, rows)
        return removed

    def _forget(self, store: Store, upto: int) -> int:
        removed = store.forget(upto)
        self._removed.add(removed)
        return removed
