"""How sinks' accounts and dead letters are told in rows and questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from yaat_core.deadletters import Letter
from yaat_core.tui import acting
from yaat_core.tui.text import safe

#: Letters that a question lists.
_LISTED: Final = 8


@attrs.frozen(kw_only=True)
class Depth:
    """One sink's account."""

    sink: str
    state: str
    queued: int
    dead: int
    delivered: int
    dropped: int
    lost: int


def depth(sink: str, state: str, account: Any) -> Depth:
    """A sink's account as a row."""
    names = ("queued", "dead", "delivered", "dropped", "lost")
    return Depth(sink=sink, state=state, **{name: getattr(account, name) for name in names})


def reason_of(one: Letter) -> str:
    """Why its events were refused, in one line."""
    if one.problem:
        return f"can't be read: {one.problem}"
    return "; ".join(one.reasons) or one.answer


def listed(letters: Sequence[Letter]) -> list[str]:
    """The letters that a question is about: the first ones, and how many more."""
    told = [
        f"{one.id[:12]}  {one.sink}  {one.events:,} events  {safe(reason_of(one))[:60]}"
        for one in letters[:_LISTED]
    ]
    return [*told, f"and {len(letters) - _LISTED} more"] if len(letters) > _LISTED else told


def letters_told(number: int) -> str:
    """How many letters, in words."""
    return "1 dead letter" if number == 1 else f"{number:,} dead letters"


def total_told(letters: Sequence[Letter]) -> str:
    """How much that is in all."""
    return f"In all: {letters_told(len(letters))}, {sum(one.events for one in letters):,} events."


def event_told(sequence: int, reason: str, event: Mapping[str, Any]) -> str:
    """A dead event in full: why, and what it is."""
    return f"event {sequence}: {safe(reason)}\n" + "\n".join(
        "  " + line for line in acting.document(event).split("\n")
    )
