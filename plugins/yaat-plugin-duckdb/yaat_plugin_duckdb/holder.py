"""Keeps a store open: opens it, and opens it again after any error, since nobody knows what such an instance is worth.

Queries share the instance, so they are stopped before it is closed. One thread at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import attrs
import duckdb

from yaat_core.components import Context
from yaat_core.config.options import Size
from yaat_core.errors import StoreDamaged, YaatError
from yaat_plugin_duckdb.answers import Answers
from yaat_plugin_duckdb.complaints import first_line
from yaat_plugin_duckdb.config import DuckDBConfig
from yaat_plugin_duckdb.engine import limits_of
from yaat_plugin_duckdb.ledger import Owner
from yaat_plugin_duckdb.memory import Memory
from yaat_plugin_duckdb.opening import Opened, open_store
from yaat_plugin_duckdb.places import Places
from yaat_plugin_duckdb.problems import Problems
from yaat_plugin_duckdb.store import Store

#: What a query hears that was stopped for the sake of the writer.
_CLOSED: Final = "the database was closed while the query ran"
_MEMORY_SIGNS: Final = ("failed to pin", "failed to allocate", "could not allocate", "out of memory")


class Holder:
    """The store of a sink from `start` to `stop`, one instance after another."""

    def __init__(self, config: DuckDBConfig, context: Context) -> None:
        self.places = Places(context.path(config.path))
        self.memory = Memory(config.memory_limit, config.query_memory)
        self.answers = Answers(self.memory)
        self.problems = Problems(self.places)
        self.store: Store | None = None
        self.settled = 0
        """Rows up to here are in the files themselves: safe without DuckDB's log and without the queue."""
        self.me = Owner(agent_id=context.agent_id, sink=str(context.id), queue_id=None)
        self._config = config
        self._log = context.log
        self._known = 0
        self._reopened = context.stats.counter(
            "yaat_duckdb_reopened_total", "Times the database failed and was reopened."
        )
        self._aside = context.stats.counter(
            "yaat_duckdb_set_aside_total", "Damaged files that were set aside."
        )

    def opened(self) -> Store:
        """The store, opened if it is not.

        Raises:
            YaatError: as `open_store`.
            StoreDamaged: committed rows are gone, so that the core has to start over.
        """
        if self.store is not None:
            return self.store
        limits = attrs.evolve(limits_of(self._config), memory=self.memory.writing)
        opened = open_store(self.places, limits, self.me)
        store = self.store = opened.store
        self.settled = min(self.settled, store.sequence) if opened.had_log else store.sequence
        self.memory.watch(store.cursor())
        self.answers.admit()
        self._tell(opened)
        if store.sequence < self._known:
            raise StoreDamaged(
                f"the database lost what came after sequence {store.sequence}",
                where=str(self.places.path),
                effect="what the queue still has is delivered again",
            )
        self._known = store.sequence
        return store

    def committed(self) -> None:
        """A COMMIT has returned: what is stored now must be there after every opening."""
        self._known = self.store.sequence if self.store else self._known

    def abandon(self, error: Exception) -> str:
        """Close everything after an error; returns the error as a line.

        Where memory was short and no query had it, the next opening gets more of it.
        """
        line = first_line(error)
        self._log.warning("the database failed, reopening it: %s", line)
        self._reopened.add()
        short = any(sign in str(error).lower() for sign in _MEMORY_SIGNS)
        if short and not self.answers.running and self.memory.widen():
            self._log.warning(
                "rows with very long texts need more than memory_limit: %s for a while",
                Size(self.memory.writing),
            )
        self.close()
        return line

    def close(self) -> None:
        """Stop the queries, close the store. Safe twice."""
        self.answers.stop(_CLOSED)
        self.memory.watch(None)
        if self.store is not None:
            self.store.close()
        self.store = None

    def reopen(self) -> None:
        """Close, and open at once so that queries find it. What is in the way is told to the next delivery."""
        self.close()
        try:
            self.opened()
        except (YaatError, duckdb.Error) as error:
            self._log.warning("not reopened yet: %s", error)
            self.close()

    def lost(self, files: Sequence[Path]) -> None:
        """Count files that were set aside."""
        self._aside.add(len(files))

    def _tell(self, opened: Opened) -> None:
        self.problems.look(opened.store)
        if opened.set_aside:
            self.lost(opened.set_aside)
            self._log.error(
                "the database was damaged: set aside %s; it holds events up to sequence %d, what the queue still has is "
                "delivered again",
                ", ".join(_short(file, self.places.path.parent) for file in opened.set_aside),
                opened.store.sequence,
            )
        for finding in self.problems.now():
            self._log.warning("%s: %s", finding.problem, finding.advice)


def _short(file: Path, folder: Path) -> str:
    return str(file.relative_to(folder)) if file.is_relative_to(folder) else str(file)
