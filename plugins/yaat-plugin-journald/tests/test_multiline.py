"""Lines of one process become one event, divided lines become whole, and nothing that waits is lost or repeated."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from support.journals import write_journal

from yaat_core.config.options import Duration
from yaat_core.event import EventBatch
from yaat_core.testing import make_context
from yaat_core.testing._outlet import RecordingOutlet
from yaat_kit.joining import JoinRule, make_joiner
from yaat_plugin_journald.checkpoint import Checkpoint
from yaat_plugin_journald.config import JournaldConfig
from yaat_plugin_journald.entries import Entries, Field
from yaat_plugin_journald.events import Maker
from yaat_plugin_journald.joining import Joining
from yaat_plugin_journald.since import BEGINNING, AtCursor
from yaat_plugin_journald.source import _after

TRACE = [
    "ERROR can't pay",
    "Traceback (most recent call last):",
    '  File "pay.py", line 3, in pay',
    "    charge(card)",
    "ValueError: no money",
]


def lines(texts: Sequence[str | bytes], pid: int, **fields: Any) -> list[dict[str, Any]]:
    """What one process wrote to its output."""
    own = {
        "_PID": str(pid),
        "_SYSTEMD_UNIT": "pay.service",
        "_TRANSPORT": "stdout",
        "_STREAM_ID": f"{pid:032x}",
    }
    return [{"MESSAGE": text, "SYSLOG_IDENTIFIER": "pay", **own, **fields} for text in texts]


def interleaved(*several: Sequence[Any]) -> list[Any]:
    """One of each in turn."""
    longest = max(map(len, several))
    return [one[number] for number in range(longest) for one in several if number < len(one)]


async def test_traces_of_two_processes_are_two_events(reading: Any) -> None:
    entries = interleaved(lines(TRACE, 1), lines(["request 1", *TRACE, "request 2"], 2))
    write_journal(reading.journals / "a.journal", entries)
    events = sorted(await reading.once(multiline="python"), key=lambda event: event.timestamp)
    assert [(event.message, event.tags["_PID"]) for event in events] == [
        ("ERROR can't pay", "1"),
        ("request 1", "2"),
        ("ERROR can't pay", "2"),
        ("request 2", "2"),
    ]
    assert [event.stacktrace for event in events] == ["\n".join(TRACE[1:]), None, "\n".join(TRACE[1:]), None]


async def test_a_pattern_joins_and_limits_divide(reading: Any) -> None:
    texts = ["# 1", "a", "b", "# 2", *map(str, range(25)), "# 3"]
    write_journal(reading.journals / "a.journal", lines(texts, 1))
    events = await reading.once(multiline=JoinRule(start="^#"), event_lines=10)
    assert [event.message.splitlines()[0] for event in events] == ["# 1", "# 2", "9", "19", "# 3"]
    assert [event.tags.get("log.truncated") for event in events] == [None, "true", "true", None, None]
    assert "\n".join(event.message for event in events).split("\n") == texts


async def test_messages_that_have_lines_of_their_own_or_none_are_let_alone(reading: Any) -> None:
    entries = lines(["first", b"has\n  lines", "  more"], 1)
    entries.insert(2, {"_PID": "1", "_SYSTEMD_UNIT": "pay.service"})
    write_journal(reading.journals / "a.journal", entries)
    assert set(await reading.messages(multiline="indent")) == {"first\n  more", "has\n  lines", None}


async def test_lines_that_journald_divided_are_whole(reading: Any) -> None:
    """A letter lies on both sides of the division, another stream's between; the end of the last line never comes."""
    broken = {"_LINE_BREAK": "line-max"}
    letter = "ü".encode()
    long = [*lines([b"a" * 49151 + letter[:1]], 1, **broken), *lines([letter[1:] + b"b" * 30_000], 1)]
    other = lines(["between", "c" * 49152], 2)
    write_journal(reading.journals / "a.journal", [long[0], *other, long[1], *lines(["end"], 3, **broken)])
    for multiline in (None, "auto"):
        reading.stored = {}
        messages = set(await reading.messages(multiline=multiline))
        assert messages == {"a" * 49151 + "ü" + "b" * 30_000, "between", "c" * 49152, "end"}, multiline


async def test_a_line_without_end_is_divided_at_the_limit(reading: Any) -> None:
    entries = lines([f"{number}" * 40_000 for number in range(6)], 1, _LINE_BREAK="line-max")
    write_journal(reading.journals / "a.journal", [*entries, *lines(["end"], 1)])
    events = await reading.once(max_field_bytes=100_000)
    assert [len(event.message) for event in events] == [80_000, 80_000, 80_003]
    assert [event.tags.get("log.truncated") for event in events] == ["true", "true", None]


async def test_parts_of_containers_are_whole(reading: Any) -> None:
    def part(text: str, priority: int, container: str = "c1", **fields: str) -> dict[str, str]:
        named = {"CONTAINER_ID_FULL": container, "PRIORITY": str(priority), "_PID": "77"}
        return {
            "MESSAGE": text,
            **named,
            **{f"CONTAINER_PARTIAL_{name}": value for name, value in fields.items()},
        }

    docker = [
        part("a", 6, MESSAGE="true", ID="x", ORDINAL="1", LAST="false"),
        part("b", 6, MESSAGE="true", ID="x", ORDINAL="2", LAST="false"),
        part("c", 6, ID="x", ORDINAL="3", LAST="true"),
    ]
    podman = [part("1", 6, "p", MESSAGE="true"), part("e", 3, "p"), part("2", 6, "p"), part("3", 6, "p")]
    write_journal(reading.journals / "a.journal", interleaved(docker, podman))
    assert sorted(await reading.messages()) == ["12", "3", "abc", "e"]


async def test_what_waits_when_the_source_stops_comes_whole_and_once(reading: Any) -> None:
    path = reading.journals / "a.journal"
    first = interleaved(lines(TRACE[:3], 1), lines([f"other {number}" for number in range(9)], 2))
    write_journal(path, first)
    outlet = RecordingOutlet(reading.stored)
    source = reading.make(once=False, multiline="python", join_timeout=Duration(3600))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(source.run, outlet)
        with trio.fail_after(60):
            while len(outlet.events()) < 8:  # the last line of the other one waits, too
                await trio.sleep(0.01)
        nursery.cancel_scope.cancel()
    before = outlet.events()
    reading.stored = outlet.stored()
    write_journal(path, [*lines(TRACE[3:], 1), *lines(["new"], 2)], first=len(first))
    after = await reading.once(multiline="python")
    assert {event.message: event.stacktrace for event in after} == {
        "ERROR can't pay": "\n".join(TRACE[1:]),
        "other 8": None,
        "new": None,
    }
    assert len({event.event_id for event in [*before, *after]}) == len(before) + len(after) == 11
    assert reading.source.problems() == []
    assert await reading.once(multiline="python") == []


async def test_a_writer_that_is_quiet_has_ended_its_event(reading: Any) -> None:
    write_journal(reading.journals / "a.journal", lines(TRACE, 1))
    outlet = RecordingOutlet(reading.stored)
    source = reading.make(once=False, multiline="python", join_timeout=Duration(0.05))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(source.run, outlet)
        with trio.fail_after(60):
            while not outlet.events():
                await trio.sleep(0.01)
        nursery.cancel_scope.cancel()
    assert [event.message for event in outlet.events()] == ["ERROR can't pay"]


async def test_what_waited_and_is_gone_is_told(reading: Any, made: Any) -> None:
    write_journal(reading.journals / "a.journal", made(3))
    await reading.once()
    (key,) = reading.stored
    checkpoint = Checkpoint.decode(reading.stored[key])
    changed = attrs.evolve(
        checkpoint, read=checkpoint.cursor.text, waiting={"0" * 16: checkpoint.cursor.text}
    )
    reading.stored = {key: changed.encode()}
    assert await reading.messages() == []
    (finding,) = reading.source.problems()
    assert "the beginning of 1 events, which had not come whole at the last stop, is gone" in finding.problem


# --- any division, any crash ----------------------------------------------------------------------

BOOT, SEQUENCE = "b" * 32, "5" * 32
TEXTS = ["# begin", "  more", "plain", "  indented"]
written = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 4), st.sampled_from(TEXTS)), max_size=40)


def entries_of(rows: Sequence[tuple[int, tuple[int, int, str]]]) -> Entries:
    """``(number, (pid, kind, text))`` each; kind 0 is a part that goes on."""
    fields: dict[str, list[tuple[int, bytes]]] = {}
    for row, (number, (pid, kind, text)) in enumerate(rows):
        values = {"MESSAGE": f"{text} {number}", "_PID": str(pid), "_STREAM_ID": f"{pid}"}
        if kind == 0:
            values["_LINE_BREAK"] = "line-max"
        for name, value in values.items():
            fields.setdefault(name, []).append((row, value.encode()))
    return Entries(
        cursors=[
            f"s={SEQUENCE};i={number + 1:x};b={BOOT};m=1;t={1000 + number:x};x=1".encode()
            for number, _ in rows
        ],
        fields={name: Field([r for r, _ in some], [v for _, v in some]) for name, some in fields.items()},
    )


class Run:
    """Joins batches as the source does, from a checkpoint on."""

    def __init__(self, rows: Sequence[tuple[int, int, str]], checkpoint: Checkpoint, maker: Maker) -> None:
        at = 0
        if isinstance(checkpoint.start, AtCursor):
            at = int(checkpoint.start.cursor.partition("i=")[2].partition(";")[0], 16)
        self._rows = list(enumerate(rows))[at:]
        self.checkpoint, self._make = checkpoint, maker.batch
        joiner = make_joiner("indent")
        self._joining = Joining(
            joiner, checkpoint.start, patience=3600, most=2**20, replay=checkpoint.replay()
        )

    def batch(self, size: int, *, ended: bool = False) -> EventBatch:
        some, self._rows = self._rows[:size], self._rows[size:]
        entries = entries_of(some)
        made = self._joining.events(entries, entries.places(), None, self._make, ended=ended)
        assert not self._joining.missing()
        if not self._joining.replaying:
            self.checkpoint = _after(self.checkpoint, entries, self._joining)
        return made

    def rest(self) -> EventBatch:
        return self.batch(len(self._rows), ended=True)


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    folder: Path = tmp_path_factory.mktemp("maker")
    return Maker(JournaldConfig(), make_context(folder, "sources.journal"), 1)


Told = list[tuple[uuid.UUID | None, str | None]]


def told(batches: Sequence[EventBatch]) -> Told:
    return sorted((event.event_id, event.message) for batch in batches for event in batch)


@given(rows=written, sizes=st.lists(st.integers(1, 7), max_size=12), crashes=st.sets(st.integers(0, 12)))
def test_any_division_and_any_crash_gives_the_same_events(
    maker: Maker, rows: list[tuple[int, int, str]], sizes: list[int], crashes: set[int]
) -> None:
    beginning = Checkpoint(first_seen_ms=1, start=BEGINNING)
    wanted = told([Run(rows, beginning, maker).rest()])
    run, got, sent = Run(rows, beginning, maker), [], beginning
    for number, size in enumerate(sizes):
        batch = run.batch(size)
        if len(batch):  # only then the source stores where it is
            got.append(batch)
            sent = Checkpoint.decode(run.checkpoint.encode())
        if number in crashes:
            run = Run(rows, sent, maker)
    got.append(run.rest())
    assert told(got) == wanted
