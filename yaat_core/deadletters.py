"""Reading the dead-letter directory: what each file is, and the events in it. `yaat_core.pipeline.deadletter` writes it."""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import attrs
import msgspec

if TYPE_CHECKING:
    from yaat_core.event import EventBatch

#: How the name of a letter ends whose events are dead.
SUFFIX: Final = ".jsonl"
#: How it ends when they are queued: they wait to be delivered again.
REPLAY: Final = ".replay"

State = Literal["dead", "queued"]
_STATES: Final[Mapping[str, State]] = {SUFFIX: "dead", REPLAY: "queued"}

#: Reasons that are told of one letter; those beyond are added up under `_OTHERS`.
_REASONS: Final = 20
_OTHERS: Final = "other reasons"
#: Longest first line that is read.
_HEAD: Final = 64 * 2**10
#: Characters of a reason or an answer that are kept.
LONGEST: Final = 4_000


@attrs.frozen(kw_only=True)
class Head:
    """A file of the directory, by its first line."""

    path: Path
    id: str
    sink: str
    """``sinks.NAME``: the folder that it lies in."""
    events: int
    first: int
    last: int
    time: float
    """When it was written, or when it was asked to deliver it again. Seconds since 1970."""
    bytes: int
    state: State = "dead"
    attempts: int = 0
    answer: str = ""
    of: str = ""
    """The letter whose events these are that were delivered again, and refused again."""
    problem: str = ""
    """Why it can't be read; then its numbers are 0."""


@attrs.frozen(kw_only=True)
class Letter:
    """One delivery's dead events: how many, why (reason to count), from which part of the queue, since when."""

    id: str
    sink: str
    events: int
    first: int
    last: int
    time: str
    bytes: int
    reasons: Mapping[str, int]
    state: State = "dead"
    """``queued``: its events wait to be delivered again."""
    attempts: int = 0
    """How often the batch was sent; 0: the sink did not say."""
    answer: str = ""
    """The last answer of the other end, as far as it is kept."""
    problem: str = ""
    """Not empty: the file can't be read, and why."""


@attrs.frozen(kw_only=True)
class DeadEvent:
    """One event and why it was refused."""

    sequence: int
    reason: str
    event: Mapping[str, Any]


def heads(folder: Path, sink: str | None = None, states: Sequence[State] = ("dead",)) -> list[Head]:
    """Every letter in one of these states, or those of one sink (``sinks.NAME``), oldest first.

    Raises:
        OSError: the directory can't be read. That it is not there means that there are none.
    """
    found: list[Head] = []
    try:
        places = sorted(one for one in folder.iterdir() if sink is None or one.name == sink)
    except FileNotFoundError:
        return []
    for place in places:
        if place.is_dir() and not place.is_symlink():
            found += (_head(file) for file in place.iterdir() if _STATES.get(file.suffix) in states)
    return sorted(found, key=lambda head: (head.time, head.first, head.id))


def states(place: Path) -> dict[str, State]:
    """The letters in one sink's folder, by id.

    Raises:
        OSError: it can't be read. That it is not there means that there are none.
    """
    try:
        return {path.stem: _STATES[path.suffix] for path in place.iterdir() if path.suffix in _STATES}
    except FileNotFoundError:
        return {}


def letter(head: Head) -> Letter:
    """The letter with its reasons. Reads the whole file, a line at a time."""
    reasons: Counter[str] = Counter()
    problem = head.problem
    if not problem:
        try:
            for event in events(head.path):
                known = event.reason in reasons or len(reasons) < _REASONS
                reasons[event.reason if known else _OTHERS] += 1
        except (OSError, msgspec.MsgspecError) as error:
            problem = told(error)
    return Letter(
        id=head.id,
        sink=head.sink,
        events=head.events,
        first=head.first,
        last=head.last,
        time=datetime.fromtimestamp(head.time, UTC).isoformat(timespec="seconds"),
        bytes=head.bytes,
        reasons=dict(reasons.most_common()),
        state=head.state,
        attempts=head.attempts,
        answer=head.answer,
        problem=problem,
    )


def events(path: Path) -> Iterator[DeadEvent]:
    """The events of a letter.

    Raises:
        OSError, msgspec.MsgspecError: the file can't be read, or is damaged.
    """
    with open(path, "rb") as file:
        for line in islice(file, 1, None):
            yield msgspec.json.decode(line, type=DeadEvent)


def rows(head: Head) -> tuple[EventBatch, list[int]]:
    """All events of a letter as a batch, and the sequence of each.

    Raises:
        OSError: the file can't be read.
        msgspec.MsgspecError: it is damaged.
    """
    from yaat_core.wire import rows_from_json

    with open(head.path, "rb") as file:
        lines = [msgspec.json.decode(line, type=_Line) for line in islice(file, 1, None)]
    if len(lines) != head.events or head.problem:
        raise msgspec.DecodeError(head.problem or f"{len(lines)} events instead of {head.events}")
    return rows_from_json([line.event for line in lines]), [line.sequence for line in lines]


def some_events(path: Path, limit: int) -> Sequence[DeadEvent]:
    """The first events of a letter; see `events`."""
    return list(islice(events(path), limit))


def begins(head: Head) -> int:
    """The sequence of a letter's first event; of its delivery's, when the letter can't be read."""
    try:
        return min((one.sequence for one in some_events(head.path, 1)), default=head.first)
    except (OSError, msgspec.MsgspecError):
        return head.first


def forgotten(there: Sequence[Head], gone: Sequence[Head], dead: int) -> int:
    """How many events stop being dead when ``gone`` of the letters that are ``there`` go; the cursor has ``dead``.

    A kill can leave a letter that the cursor no longer counts, or does not count yet. Together the letters that stay
    hold at most what the cursor has.
    """
    leaving = sum(head.events for head in gone)
    staying = sum(head.events for head in there) - leaving
    return min(leaving, max(0, dead - staying))


def bounded(text: str) -> str:
    """The text as it can be kept: as UTF-8, and not longer than `LONGEST`."""
    text = text[: LONGEST + 1].encode(errors="replace").decode()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


class _Line(msgspec.Struct):
    sequence: int
    event: msgspec.Raw


def _head(path: Path) -> Head:
    size, time = 0, 0.0
    state = _STATES[path.suffix]
    try:
        about = path.lstat()
        size, time = about.st_size, about.st_mtime
        if not stat.S_ISREG(about.st_mode):
            raise OSError(0, "not a regular file")
        with open(path, "rb") as file:
            facts = msgspec.json.decode(file.readline(_HEAD), type=dict[str, Any])
        numbers = {name: int(facts[name]) for name in ("events", "first", "last")}
        return Head(
            path=path,
            id=path.stem,
            sink=path.parent.name,
            time=time if state == "queued" else float(facts["time"]),
            bytes=size,
            state=state,
            of=str(facts.get("of", "")),
            attempts=int(facts.get("attempts", 0)),
            answer=bounded(str(facts.get("answer", ""))),
            **numbers,  # type: ignore[arg-type]
        )
    except (OSError, msgspec.MsgspecError, KeyError, TypeError, ValueError) as error:
        problem = told(error)
    return Head(
        path=path,
        id=path.stem,
        sink=path.parent.name,
        events=0,
        first=0,
        last=0,
        time=time,
        bytes=size,
        state=state,
        problem=problem,
    )


def told(error: Exception) -> str:
    """Why a letter can't be read, as the end of a sentence that begins with it."""
    if isinstance(error, OSError):
        return f"can't be read: {error.strerror or error}"
    return "is damaged: it is not what was written"
