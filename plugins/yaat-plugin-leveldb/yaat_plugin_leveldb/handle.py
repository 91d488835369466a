"""The open store: many threads use it, one closes it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from yaat_core.errors import StoreUnavailable


class Handle:
    """Closing LevelDB under a running call crashes the process, so `close` waits until nobody is inside."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._db: Any = None
        self._inside = 0

    @property
    def is_open(self) -> bool:
        """True between `open` and `close`."""
        return self._db is not None

    def open(self, db: Any) -> None:
        """Take over an open store."""
        with self._changed:
            self._db = db

    @contextmanager
    def use(self) -> Iterator[Any]:
        """The store, kept open meanwhile.

        Raises:
            StoreUnavailable: it is closed.
        """
        with self._changed:
            if self._db is None:
                raise StoreUnavailable("the queue is closed", fix="it reopens by itself when it can")
            db = self._db
            self._inside += 1
        try:
            yield db
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def close(self) -> None:
        """Close when the last user has left. Nobody gets in any more. Safe twice."""
        with self._changed:
            db, self._db = self._db, None
            while self._inside:
                self._changed.wait()
        if db is not None:
            db.close()
