"""How old events go: whole files, when the newest event in one is too old, and when all take more than they may.

Only removing a file gives disk space back: DuckDB's files do not shrink by deleting rows. So a file takes the events of
an eighth of `retention`, or a fortieth of `max_bytes`, whichever is full first, and then the next one begins. Events
stay until the last one of their file is old enough: up to an eighth of `retention` longer.
"""

from __future__ import annotations

from typing import Final

from yaat_core.clock import ages
from yaat_core.components import Context
from yaat_plugin_duckdb.config import DuckDBConfig
from yaat_plugin_duckdb.known import Known
from yaat_plugin_duckdb.store import Store

#: Files that the retention time is cut into.
_PERIODS: Final = 8
#: Files that `max_bytes` is cut into: more for large databases, so that no file grows without need.
_FILES: Final = 40
_FEW_FILES: Final = 8
_ENOUGH_BYTES: Final = 64 * 2**20


class Retention:
    """When a file is full, and when it goes."""

    def __init__(self, config: DuckDBConfig, context: Context) -> None:
        self._keep = config.retention
        self._max_bytes = int(config.max_bytes)
        self.file_bytes = max(self._max_bytes // _FILES, min(self._max_bytes // _FEW_FILES, _ENOUGH_BYTES))
        """How large a file grows before the next one begins."""
        self._log = context.log
        stats = context.stats
        self._removed = stats.counter(
            "yaat_duckdb_expired_events_total", "Events that retention removed from the database."
        )
        self._used = stats.gauge("yaat_duckdb_used_bytes", "Bytes of the database's files.")
        self._files = stats.gauge("yaat_duckdb_files", "Files of the database.")

    def is_full(self, store: Store, now_us: int | None = None) -> bool:
        """Does the next file begin, for events that are accepted at ``now_us``?"""
        if self._is_past(store, now_us or ages.now_us()):
            return True
        return store.current.bytes() >= self.file_bytes

    def _is_past(self, store: Store, now_us: int) -> bool:
        return self._keep is not None and store.age_us(now_us) >= self._keep * 1e6 / _PERIODS

    def apply(self, store: Store) -> int:
        """Remove the files that are too old or too much; returns how many events they had."""
        old = self._too_old(store)
        old += self._too_much(store, old)
        gone = store.retire(old) if old else 0
        if old:
            self._removed.add(gone)
            self._log.info("retention removed the oldest %d events, %d files", gone, len(old))
        self._used.set(store.bytes())
        self._files.set(len(store.sealed) + 1)
        return gone

    def _too_old(self, store: Store) -> list[Known]:
        if self._keep is None:
            return []
        horizon_us = ages.now_us() - int(self._keep * 1e6)
        return [one for one in store.sealed if 0 < one.aged_us <= horizon_us]

    def _too_much(self, store: Store, gone: list[Known]) -> list[Known]:
        """The oldest of what is left; one file's worth of room is kept for what comes until the next look."""
        left = [one for one in store.sealed if one not in gone]
        excess = store.bytes() - sum(_bytes(one) for one in gone) - (self._max_bytes - self.file_bytes)
        found = []
        for one in left:
            if excess <= 0:
                break
            found.append(one)
            excess -= _bytes(one)
        return found


def _bytes(one: Known) -> int:
    return one.partition.bytes() + one.partition.wal_bytes()
