"""How far something is that takes a while: a bar on a terminal, nothing anywhere else."""

from __future__ import annotations

import contextlib
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Final

import click

from yaat_core.cli import units
from yaat_core.cli.door import Door

_WIDTH: Final = 30
#: Seconds between two pictures of what goes on fast.
_EVERY: Final = 0.1
_SECOND: Final = 1.0


class Progress:
    """A bar on stderr while the block lasts, where a person reads it and no document was asked for; gone afterwards."""

    def __init__(self, door: Door, what: str) -> None:
        self._what = what
        self._shown = sys.stderr.isatty() and not door.as_json
        self._drawn = False
        self._last = 0.0

    def __enter__(self) -> Progress:
        return self

    @property
    def shown(self) -> bool:
        """Whether anybody sees it."""
        return self._shown

    def at(self, done: int, total: int) -> None:
        """So many of so many are done. One step is no progress to show."""
        if done < total or self._drawn:
            self.share(done, total, f"{units.count(done)} of {units.count(total)} {self._what}")

    def share(self, done: int, total: int, text: str) -> None:
        """A bar of ``done`` of ``total``, and a text."""
        filled = _WIDTH * min(done, total) // max(1, total)
        self._draw(f"[{'#' * filled}{'.' * (_WIDTH - filled)}] {text}")

    def say(self, text: str) -> None:
        """Only a text: nobody knows how much there will be."""
        self._draw(text)

    def often(self, done: int, total: int | None) -> None:
        """As `at`, for a loop that calls it all the time; ``total`` None: it is not known."""
        now = time.monotonic()
        if now - self._last < _EVERY:
            return
        self._last = now
        if total is None:
            self.say(f"{units.count(done)} {self._what}")
        else:
            self.share(done, total, f"{units.count(done)} of {units.count(total)} {self._what}")

    def clear(self) -> None:
        """Take it away for now: something else is written."""
        if self._drawn:
            click.echo("\r\x1b[K", err=True, nl=False)
            self._drawn = False

    def _draw(self, line: str) -> None:
        if not self._shown:
            return
        columns = shutil.get_terminal_size((80, 24)).columns
        click.echo(f"\r{line[: columns - 1]}\x1b[K", err=True, nl=False)
        self._drawn = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()


@contextlib.contextmanager
def waiting(door: Door, what: str) -> Iterator[None]:
    """While one step takes long of which nobody knows how far it is: what it does, and for how many seconds already."""
    began, ended = time.monotonic(), threading.Event()

    def show(progress: Progress) -> None:
        while not ended.wait(_SECOND):
            progress.say(f"{what}, {round(time.monotonic() - began)} s")

    with Progress(door, what) as progress:
        if not progress.shown:
            yield
            return
        shower = threading.Thread(target=show, args=(progress,), daemon=True)
        shower.start()
        try:
            yield
        finally:
            ended.set()
            shower.join()
