"""How far something is that takes a while: a bar on a terminal, nothing anywhere else."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Final

import click

from yaat_core.cli import units
from yaat_core.cli.door import Door

_WIDTH: Final = 30


class Progress:
    """A bar on stderr while the block lasts, where a person reads it and no document was asked for; gone afterwards."""

    def __init__(self, door: Door, what: str) -> None:
        self._what = what
        self._shown = sys.stderr.isatty() and not door.as_json
        self._drawn = False

    def __enter__(self) -> Progress:
        return self

    def at(self, done: int, total: int) -> None:
        """So many of so many are done. One step is no progress to show."""
        if not self._shown or (done >= total and not self._drawn):
            return
        filled = _WIDTH * done // max(1, total)
        bar = "#" * filled + "." * (_WIDTH - filled)
        click.echo(
            f"\r[{bar}] {units.count(done)} of {units.count(total)} {self._what}\x1b[K", err=True, nl=False
        )
        self._drawn = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn:
            click.echo("\r\x1b[K", err=True, nl=False)
