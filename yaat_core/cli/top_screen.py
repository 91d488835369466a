"""The screen of `yaat top`: a table that is drawn anew every second, and keys that sort it."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import sys
import termios
import threading
import tty
from collections.abc import Iterator, Sequence
from typing import Any, Final

import attrs
import click

from yaat_core.actions.base import Nothing
from yaat_core.actions.live import WATCH
from yaat_core.cli import units
from yaat_core.cli.door import Door
from yaat_core.cli.marks import mark
from yaat_core.cli.table import table
from yaat_core.control.client import Client
from yaat_core.display import terminal_safe
from yaat_core.status import Rates, Status

_HEAD: Final = ("COMPONENT", "STATE", "IN/S", "OUT/S", "ERRORS/S", "BYTES/S", "LAST EVENT")
#: Columns that there is room for in a terminal of less than so many cells.
_NARROW: Final = ((60, (1, 3, 4, 5)), (84, (1, 2, 3, 4, 5, 7)))
#: The other screen, without cursor and without lines that wrap; and back.
_ENTER: Final = "\x1b[?1049h\x1b[?25l\x1b[?7l"
_LEAVE: Final = "\x1b[?7h\x1b[?25h\x1b[?1049l"


@attrs.frozen
class Order:
    """By which column (from 1 on; 0: along the pipeline), and whether turned."""

    column: int = 0
    turned: bool = False

    def after(self, key: str) -> Order:
        """What a key makes of it."""
        if not key.isdecimal() or int(key) > len(_HEAD):
            return self
        column = int(key)
        return Order(column, turned=column == self.column and not self.turned)

    def sorted(self, rows: Sequence[tuple[Rates, str]]) -> list[tuple[Rates, str]]:
        """Texts from a on, numbers from the largest on, the last event from the newest on."""
        if not self.column:
            return list(rows)
        keys: Any = (
            lambda row: row[0].component,
            lambda row: row[1],
            lambda row: -row[0].in_,
            lambda row: -row[0].out,
            lambda row: -row[0].errors,
            lambda row: -row[0].bytes,
            lambda row: float("inf") if row[0].last_event_seconds is None else row[0].last_event_seconds,
        )
        return sorted(rows, key=keys[self.column - 1], reverse=self.turned)


def picture(
    status: Status, order: Order = Order(), *, width: int | None = None, height: int | None = None
) -> Iterator[str]:
    """The lines: how the agent is, then the table, cut to the size of a terminal where one is given."""
    flows = [rates for rates in status.rates if rates.component.startswith("sources.")]
    sinks = [rates for rates in status.rates if rates.component.startswith("sinks.")]
    health = mark("ok") + " healthy" if status.health.ok else mark("error") + " unhealthy"
    yield (
        f"YAAT {terminal_safe(status.version)}  {status.state}  {health}  up {units.duration(status.uptime_seconds)}"
    )
    yield (
        f"in {_rate(sum(one.in_ for one in flows))}/s  out {_rate(sum(one.out for one in sinks))}/s  "
        f"queue {units.of(status.queue.events, 'event')}, {units.size(status.queue.bytes)}, "
        f"oldest {units.duration(status.queue.oldest_seconds)}"
    )
    yield ""
    states = {component.id: component.state for component in status.components}
    rows = order.sorted([(rates, states.get(rates.component, "")) for rates in status.rates])
    if height is not None:
        room = max(1, height - 5)
        more, rows = len(rows) - room, rows[:room]
    else:
        more = 0
    columns = _columns(width)
    heads = _HEAD if width is None else _heads(order)
    chosen = [[row[number - 1] for number in columns] for row in map(_row, rows)]
    yield from table([heads[number - 1] for number in columns], chosen, width=width)
    if more > 0:
        yield f"... {more} more"


def _columns(width: int | None) -> Sequence[int]:
    """Their numbers."""
    fitting = (columns for below, columns in _NARROW if width is not None and width < below)
    return next(fitting, range(1, len(_HEAD) + 1))


def _heads(order: Order) -> list[str]:
    """With the digit that sorts by each."""
    sign = {order.column: "+" if order.turned else "-"}
    return [f"{number}:{name}{sign.get(number, '')}" for number, name in enumerate(_HEAD, 1)]


def _row(row: tuple[Rates, str]) -> tuple[str, ...]:
    rates, state = row
    last = "never" if rates.last_event_seconds is None else units.duration(rates.last_event_seconds) + " ago"
    return (
        rates.component,
        state,
        _rate(rates.in_),
        _rate(rates.out),
        _rate(rates.errors),
        units.size(rates.bytes),
        last,
    )


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == 0 else f"{value:.1f}"


class Screen:
    """Runs until q. The terminal is as before afterwards, whatever happens."""

    def __init__(self, door: Door, agent: Client) -> None:
        self._door = door
        self._agent = agent
        self._order = Order()
        self._newest: Status | None = None
        self._failed: BaseException | None = None
        self._news, self._told = os.pipe()

    def run(self) -> None:
        """Draw, and obey keys.

        Raises:
            YaatError: the agent can't be asked (any more).
        """
        threading.Thread(target=self._follow, daemon=True).start()
        with _whole_terminal():
            while True:
                ready, _, _ = select.select([sys.stdin, self._news], [], [])
                if sys.stdin in ready and self._key(os.read(sys.stdin.fileno(), 1).decode("ascii", "ignore")):
                    return
                if self._news in ready:
                    os.read(self._news, 4096)
                if self._failed is not None:
                    raise self._failed
                self._draw()

    def _follow(self) -> None:
        try:
            with self._agent.follow(WATCH, Nothing()) as stream:
                for status in stream:
                    self._newest = status
                    os.write(self._told, b".")
        except BaseException as error:  # noqa: BLE001 - raised again by the one who waits
            self._failed = error
            os.write(self._told, b".")

    def _key(self, key: str) -> bool:
        """Obey; True: it is the end."""
        self._order = self._order.after(key)
        return key in ("q", "Q", "\x03", "\x04", "")

    def _draw(self) -> None:
        if self._newest is None:
            return
        size = shutil.get_terminal_size((80, 24))
        lines = list(picture(self._newest, self._order, width=size.columns, height=size.lines - 1))
        lines += [""] * (size.lines - 1 - len(lines))
        lines = [*lines[: size.lines - 1], f"1-{len(_HEAD)}: sort, 0: along the pipeline, q: quit"]
        text = "\x1b[H" + "\r\n".join(f"{line}\x1b[K" for line in lines)
        sys.stdout.write(text if self._door.colored(sys.stdout) else _plain(text))
        sys.stdout.flush()


def _plain(text: str) -> str:
    """Without colours, but still where the cursor goes."""
    home, _, rest = text.partition("\x1b[H")
    return home + "\x1b[H" + "\x1b[K".join(click.unstyle(piece) for piece in rest.split("\x1b[K"))


@contextlib.contextmanager
def _whole_terminal() -> Iterator[None]:
    before = termios.tcgetattr(sys.stdin)
    sys.stdout.write(_ENTER)
    sys.stdout.flush()
    try:
        tty.setcbreak(sys.stdin)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
        sys.stdout.write(_LEAVE)
        sys.stdout.flush()
