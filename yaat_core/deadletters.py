"""Reading the dead-letter directory: what each file is, and the events in it. `yaat_core.pipeline.deadletter` writes it."""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

import attrs
import msgspec

SUFFIX: Final = ".jsonl"
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
    bytes: int
    attempts: int = 0
    answer: str = ""
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


def heads(folder: Path, sink: str | None = None) -> list[Head]:
    """Every letter, or those of one sink (``sinks.NAME``), oldest first.

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
            found += (_head(file) for file in place.iterdir() if file.suffix == SUFFIX)
    return sorted(found, key=lambda head: (head.time, head.first, head.id))


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
            problem = _told(error)
    return Letter(
        id=head.id,
        sink=head.sink,
        events=head.events,
        first=head.first,
        last=head.last,
        time=datetime.fromtimestamp(head.time, UTC).isoformat(timespec="seconds"),
        bytes=head.bytes,
        reasons=dict(reasons.most_common()),
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


def some_events(path: Path, limit: int) -> Sequence[DeadEvent]:
    """The first events of a letter; see `events`."""
    return list(islice(events(path), limit))


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


def _head(path: Path) -> Head:
    size, time = 0, 0.0
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
            time=float(facts["time"]),
            bytes=size,
            attempts=int(facts.get("attempts", 0)),
            answer=bounded(str(facts.get("answer", ""))),
            **numbers,  # type: ignore[arg-type]
        )
    except (OSError, msgspec.MsgspecError, KeyError, TypeError, ValueError) as error:
        problem = _told(error)
    return Head(
        path=path,
        id=path.stem,
        sink=path.parent.name,
        events=0,
        first=0,
        last=0,
        time=time,
        bytes=size,
        problem=problem,
    )


def _told(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"can't be read: {error.strerror or error}"
    return "is damaged: it is not what was written"
