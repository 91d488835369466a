"""Damage inside a file shows when a query reads there, and from then on in every query. So the files are read through,
one at a time, and the damaged one is set aside: queries go on over the others.
"""

from __future__ import annotations

from typing import Final

import duckdb

from yaat_core.components import Context
from yaat_plugin_duckdb.complaints import first_line
from yaat_plugin_duckdb.diagnosis import is_damage, set_aside
from yaat_plugin_duckdb.holder import Holder
from yaat_plugin_duckdb.layout import TABLE
from yaat_plugin_duckdb.places import Partition
from yaat_plugin_duckdb.store import Store

_READ_ALL: Final = "SELECT max(hash(rows)) FROM {}.main.{} AS rows"


class Inspection:
    """Of one sink's files. One thread at a time."""

    def __init__(self, context: Context, holder: Holder) -> None:
        self._holder = holder
        self._log = context.log
        self._left: list[Partition] = []

    def step(self, store: Store) -> None:
        """Read one file through, when a query has met damage."""
        if self._holder.answers.take_suspicion():
            self._left = [*(one.partition for one in store.sealed), store.current]
        while self._left:
            partition = self._left.pop(0)
            if partition.path.exists():
                self._read(store, partition)
                return

    def _read(self, store: Store, partition: Partition) -> None:
        try:
            with store.cursor() as reading:
                reading.execute(_READ_ALL.format(partition.alias, TABLE)).fetchall()
        except duckdb.Error as error:
            if not is_damage(error):
                raise
            self._log.error("%s is damaged: %s", partition.path, first_line(error))
            self._holder.close()
            self._holder.lost(set_aside(partition, "file", first_line(error)))
            self._holder.reopen()
