"""Lines to cells. A line seen before costs two look-ups by its raw bytes; the grammar is for new ones."""

from __future__ import annotations

from typing import Final

import trio

from yaat_core.event import Event
from yaat_plugin_statsd import grammar, notes
from yaat_plugin_statsd.cells import Take
from yaat_plugin_statsd.config import StatsdConfig
from yaat_plugin_statsd.grammar import Fields, Rejected
from yaat_plugin_statsd.naming import Namer, Series
from yaat_plugin_statsd.tally import Tally
from yaat_plugin_statsd.window import Window

#: Events that wait for the pipeline at most; more are shed and counted.
MAX_NOTES: Final = 65_536
#: Raw forms of lines that are remembered, and how long they may be: hostile senders make many, and long ones.
_ROUTES: Final = 65_536
_ROUTE_BYTES: Final = 512
#: Metrics in one line of the form `a:1|c:2|ms:...`.
_IN_ONE_LINE: Final = 100


class Reader:
    """Takes lines, fills the window, collects `notes`."""

    def __init__(self, config: StatsdConfig, window: Window, tally: Tally) -> None:
        self._window = window
        self._tally = tally
        self._namer = Namer(
            namespace=config.namespace,
            allow=config.allow_tags,
            deny=config.deny_tags,
            origin=config.origin_tags,
        )
        self._routes_from: dict[bytes, dict[bytes, dict[bytes, Take]]] = {}
        """By container, by what follows the value, by name: raw bytes."""
        self._routes = self._routes_from.setdefault(b"", {})
        self._remembered = 0
        self._notes: list[Event] = []
        self.noted = trio.Event()
        """Set when there are notes."""

    def read(self, data: bytes, container: bytes = b"") -> None:
        """Lines, one or many, whole. What is wrong with one is counted and touches no other.

        ``container`` is the id of the one that they come from, when the kernel told.
        """
        if container != self._namer.sender:
            self._namer.sender = container
            self._routes = self._routes_from.setdefault(container, {})
        routes = self._routes
        lines = data.split(b"\n")
        odd = 0
        for line in lines:
            head, _, rest = line.partition(b":")
            raw, _, tail = rest.partition(b"|")
            try:
                routes[tail][head](raw)
            except (KeyError, ValueError):
                odd += 1
                self._read_slowly(line, head, raw, tail)
        self._tally.samples.add(len(lines) - odd)

    def take_notes(self) -> list[Event]:
        """Events, checks and timestamped metrics since the last time."""
        taken, self._notes = self._notes, []
        self.noted = trio.Event()
        return taken

    def forget_routes(self) -> None:
        """Series were forgotten: what is remembered may lead to them."""
        self._routes_from.clear()
        self._routes = self._routes_from.setdefault(self._namer.sender, {})
        self._remembered = 0

    def _read_slowly(self, line: bytes, head: bytes, raw: bytes, tail: bytes) -> None:
        try:
            if line.startswith(b"_e{"):
                self._note(notes.event(line, self._namer))
            elif line.startswith(b"_sc|"):
                for one in notes.service_check(line, self._namer):
                    self._note(one)
            elif line.strip():
                self._metric(head, raw, tail)
                return
            else:
                return
        except Rejected as rejected:
            self._tally.reject(rejected.reason)
        else:
            self._tally.samples.add()

    def _metric(self, head: bytes, raw: bytes, tail: bytes) -> None:
        known = self._routes.get(tail, {}).get(head)
        if known is not None:
            self._values(known, raw.split(b":"))
            return
        if b"|" in head or not (raw or tail):
            raise Rejected("no_value" if head.strip() else "no_name")
        for _ in range(_IN_ONE_LINE):
            fields = grammar.parse(tail)
            self._one(head, raw, tail, fields)
            if fields.more is None:
                return
            raw, _, tail = fields.more.partition(b"|")
        raise Rejected("too_many_metrics")

    def _one(self, head: bytes, raw: bytes, tail: bytes, fields: Fields) -> None:
        series = self._namer.series(head, fields)
        if fields.timestamp is not None:
            self._points(series, raw, fields)
            return
        take = self._window.route(series, fields.weight)
        if fields.more is None:
            self._remember(head, tail, take)
        self._values(take, [raw] if fields.type == "s" else raw.split(b":"))

    def _values(self, take: Take, values: list[bytes]) -> None:
        """Values that share name, type and tags; a bad one is counted, the others count."""
        bad = 0
        for raw in values:
            try:
                take(raw)
            except ValueError:
                bad += 1
                self._tally.reject("bad_value" if raw else "no_value")
        self._tally.samples.add(len(values) - bad)

    def _points(self, series: Series, raw: bytes, fields: Fields) -> None:
        for value in raw.split(b":"):
            try:
                self._note(notes.point(series, value, fields))
            except ValueError:
                self._tally.reject("bad_value" if value else "no_value")
            else:
                self._tally.samples.add()

    def _note(self, event: Event) -> None:
        if len(self._notes) >= MAX_NOTES:
            self._tally.shed.add()
            return
        self._notes.append(event)
        self.noted.set()

    def _remember(self, head: bytes, tail: bytes, take: Take) -> None:
        if len(head) + len(tail) > _ROUTE_BYTES:
            return
        if self._remembered >= _ROUTES:
            self.forget_routes()
        self._routes.setdefault(tail, {})[head] = take
        self._remembered += 1
