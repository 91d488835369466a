"""Which dead letters can be delivered again, and how their files change names: the part that needs no running agent.

A letter's file stays the only copy of its events until a sink has answered for them. What it is counted as, the cursor
alone says, in one atomic write; the name of the file follows it, and is put right from `Cursor.files` after a kill
between the two.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs
import msgspec

from yaat_core.cursor import Cursor, FileState
from yaat_core.deadletters import REPLAY, SUFFIX, Head, State, heads, rows, told
from yaat_core.durable import sync_folder
from yaat_core.errors import UsageError
from yaat_core.faults import reached

#: Bytes of letters that one step takes up, beyond the first letter: each is read whole before.
STEP_BYTES: Final = 32 * 2**20


@attrs.frozen(kw_only=True)
class Refused:
    """A letter that stays as it is, and why."""

    id: str
    sink: str
    problem: str


@attrs.frozen(kw_only=True)
class Step:
    """Some of the letters that are to be delivered again, in the order of their time."""

    letters: Sequence[Head]
    left: int
    """How many come after them."""
    next: str | None
    """Where to go on; None at the end."""


@attrs.frozen(kw_only=True)
class Replayed:
    """What was done about some dead letters: how many wait to be delivered again, and which stay as they are, and why."""

    letters: int
    events: int
    refused: Sequence[Refused]
    left: int
    """How many were not looked at yet."""
    next: str | None
    """Give it as ``after`` to go on; null at the end."""


def not_configured(letters: Sequence[Head]) -> list[Refused]:
    """Letters of a sink that is not in the configuration."""
    problem = "its sink is not in the configuration: put it back there under the same name"
    return [Refused(id=head.id, sink=head.sink, problem=problem) for head in letters]


def step(folder: Path, sink: str | None, after: str | None, limit: int, now: float) -> Step:
    """The next dead letters (of ``sinks.NAME``) that were there when the first step was made, at ``now``.

    Those that come to be meanwhile, as answers to these, are not among them.

    Raises:
        OSError: the directory can't be read.
        UsageError: ``after`` is not what an earlier step gave as ``next``.
    """
    until, *place = _place(after) if after else (now,)
    there = sorted((head.time, head.id, head) for head in heads(folder, sink) if head.time <= until)
    if place:
        there = [one for one in there if one[:2] > tuple(place)]
    chosen: list[Head] = []
    size = 0
    for _, _, head in there[:limit]:
        size += head.bytes
        if chosen and size > STEP_BYTES:
            break
        chosen.append(head)
    left = len(there) - len(chosen)
    following = f"{until!r} {chosen[-1].time!r} {chosen[-1].id}" if left else None
    return Step(letters=chosen, left=left, next=following)


def sound(letters: Sequence[Head]) -> tuple[list[Head], list[Refused]]:
    """The letters that can be read to their ends, and those that can't."""
    good, refused = [], []
    for head in letters:
        problem = head.problem
        try:
            if not problem:
                rows(head)
        except FileNotFoundError:
            pass  # `take_up` says so
        except (OSError, msgspec.MsgspecError) as error:
            problem = told(error)
        if problem:
            refused.append(Refused(id=head.id, sink=head.sink, problem=problem))
        else:
            good.append(head)
    return good, refused


def take_up(
    cursor: Cursor, letters: Sequence[Head], there: Mapping[str, State]
) -> tuple[Cursor, list[Refused]]:
    """A sink's cursor with as many of its letters as can be delivered again.

    ``there`` are all letters of the sink by id, as they are now that nobody else changes them.
    """
    refused = []
    for head in letters:
        if problem := _why_not(cursor, head, there):
            refused.append(Refused(id=head.id, sink=head.sink, problem=problem))
        else:
            cursor = cursor.take_up([head.id], head.events)
    return cursor, refused


def _why_not(cursor: Cursor, head: Head, there: Mapping[str, State]) -> str:
    if any(id == head.id for id, _ in cursor.files) or there.get(head.id) != "dead":
        return "waits to be delivered again already, or is not there any more"
    if head.last <= cursor.attached_after:
        return (
            "is older than the sink's place in the queue, which was given up and made anew: nothing counts it"
        )
    if not cursor.is_settled(head.first, head.last) or there.get(head.of) == "queued":
        return "is only now being written, or its events wait in the queue once more and are delivered from there"
    if head.events > cursor.dead:
        return f"is not counted as dead any more: {cursor.dead} events of this sink are"
    return ""


def put_right(place: Path, files: Sequence[tuple[str, FileState]], now: float) -> None:
    """Make these letters' files what they are to be. Safe twice; one that is not there is left out.

    Raises:
        OSError: the folder can't be changed.
    """
    for id, state in files:
        dead, queued = place / f"{id}{SUFFIX}", place / f"{id}{REPLAY}"
        if state == "queued":
            _rename(dead, queued, now)
        elif state == "dead":
            _rename(queued, dead)
        else:
            dead.unlink(missing_ok=True)
            queued.unlink(missing_ok=True)
    if place.is_dir():
        sync_folder(place)
    reached("replay.moved")


def _rename(before: Path, after: Path, now: float | None = None) -> None:
    try:
        if now is not None:
            os.utime(before, (now, now), follow_symlinks=False)
        before.rename(after)
    except FileNotFoundError:
        pass


def _place(after: str) -> tuple[float, float, str]:
    try:
        until, time, id = after.split(" ", 2)
        return float(until), float(time), id
    except ValueError:
        raise UsageError(
            f"{after!r} is not where to go on", fix="give what the answer before has as `next`"
        ) from None
