"""PostgreSQL's ``log_line_prefix`` as a template: https://www.postgresql.org/docs/current/runtime-config-logging.html."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import attrs

from yaat_plugin_parse.templates import Optional, Part, Slot, Template, compiled

_TOKEN: Final = re.compile(r"%(?P<pad>-?\d+)?(?P<letter>[A-Za-z%])")
_TIME: Final = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{3})?(?: [A-Za-z][\w/+-]*| [+-]\d\d(?::?\d\d)?)?"
_SLOTS: Final[Mapping[str, Slot]] = {
    "a": Slot("postgres.application"),
    "u": Slot("postgres.user", r"[^\s@,]*"),
    "d": Slot("postgres.database", r"[^\s,:]*"),
    "r": Slot("client.address", r"[^\s,]*?(?:\(\d+\))?"),
    "h": Slot("client.address", r"[^\s,]*"),
    "b": Slot("postgres.backend"),
    "p": Slot("process.pid", r"\d+"),
    "P": Slot("postgres.leader_pid", r"\d*"),
    "t": Slot("timestamp", _TIME),
    "m": Slot("timestamp", _TIME),
    "n": Slot("timestamp", r"\d+\.\d{3}"),
    "i": Slot("postgres.command"),
    "e": Slot("postgres.sqlstate", r"[0-9A-Z]{5}"),
    "c": Slot("postgres.session", r"[0-9a-f]+\.[0-9a-f]+"),
    "l": Slot("postgres.line", r"\d+"),
    "s": Slot("postgres.session_start", _TIME),
    "v": Slot("postgres.virtual_transaction", r"(?:\d+/\d+)?"),
    "x": Slot("postgres.transaction", r"\d+"),
    "Q": Slot("postgres.query_id", r"-?\d+"),
}
_LEVELS: Final = "DEBUG[1-5]?|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|DETAIL|HINT|CONTEXT|STATEMENT|QUERY|LOCATION|BACKTRACE"


def template_of(prefix: str) -> Template:
    """The template of whole lines that begin with a prefix.

    Raises:
        ValueError: an escape that PostgreSQL does not have.
    """
    parts: list[Part] = []
    session: list[str | Slot] | None = None
    place = 0
    for match in _TOKEN.finditer(prefix):
        found: list[str | Slot] = [prefix[place : match.start()]] if match.start() > place else []
        place = match.end()
        if match["letter"] == "q":
            parts += found
            session = []
            continue
        found.append(_slot(match["letter"], padded=match["pad"] is not None))
        (parts if session is None else session).extend(found)
    rest = [prefix[place:]] if prefix[place:] else []
    if session is not None:
        parts.append(Optional((*session, *rest)))
    else:
        parts += rest
    return compiled([*parts, Slot("level", _LEVELS), ":  ", Slot("message")])


def _slot(letter: str, *, padded: bool) -> str | Slot:
    if letter == "%":
        return "%"
    if letter not in _SLOTS:
        raise ValueError(f"log_line_prefix has %{letter}, which PostgreSQL does not know")
    return attrs.evolve(_SLOTS[letter], padded=padded)
