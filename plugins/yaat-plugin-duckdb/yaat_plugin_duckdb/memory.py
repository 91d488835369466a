"""How much memory DuckDB may use: little while it only writes, more while queries run.

Most of what DuckDB takes within its limit is a cache of blocks that it wrote or read. Writing needs little of it, so
the limit for writing bounds the cache; a query gets more for as long as it runs, and what it cached goes with it.
"""

from __future__ import annotations

import threading
from typing import Final

import duckdb

from yaat_plugin_duckdb.engine import limit_memory

#: What a CHECKPOINT may be given at most.
_MOST: Final = 4 * 2**30


class Memory:
    """The memory limit of one instance after another. Any thread."""

    def __init__(self, writing: int, querying: int) -> None:
        self.writing = writing
        """Bytes while nobody asks; more for a while after `widen`."""
        self._least = writing
        self._querying = querying
        self._queries = 0
        self._set = 0
        self._lock = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None

    def watch(self, connection: duckdb.DuckDBPyConnection | None) -> None:
        """This instance was opened, with the limit for writing; None: it is about to be closed."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None if connection is None else connection.cursor()
            self._set = self.writing
            self._adjust()

    def query_begins(self) -> None:
        """One more query runs."""
        with self._lock:
            self._queries += 1
            self._adjust()

    def query_ends(self) -> None:
        """One less."""
        with self._lock:
            self._queries -= 1
            self._adjust()

    def adjust(self) -> None:
        """Lower what could not be lowered when a query ended, since its memory was not free yet."""
        with self._lock:
            self._adjust()

    def widen(self) -> bool:
        """Twice as much for writing, from the next opening on; False when it has as much as there ever is."""
        if self.writing >= _MOST:
            return False
        self.writing = min(2 * self.writing, _MOST)
        return True

    def narrow(self) -> bool:
        """As configured again; False when it is so already."""
        wide = self.writing != self._least
        self.writing = self._least
        return wide

    def _adjust(self) -> None:
        wanted = self.writing + (self._querying if self._queries > 0 else 0)
        if self._connection is None or wanted == self._set:
            return
        try:
            limit_memory(self._connection, wanted)
        except duckdb.Error:
            # Still in use, or the instance has failed: the next look, or the next opening, sets it.
            return
        self._set = wanted
