"""What was gone or damaged before it was read is told; the rest goes on."""

from __future__ import annotations

import functools
import logging
import os
import shutil
import struct
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from support.journals import BEGAN, need_journals, write_journal

from yaat_core.stats import ComponentStats, Stats
from yaat_core.testing._outlet import RecordingOutlet
from yaat_plugin_journald.checkpoint import KEY, Checkpoint
from yaat_plugin_journald.cursors import Cursor, places_of
from yaat_plugin_journald.losses import Losses, suspicious
from yaat_plugin_journald.places import Looker, Places
from yaat_plugin_journald.readers import Nearest
from yaat_plugin_journald.structure import Structure, structure

CURSOR = "s={s};i={i:x};b=0123456789abcdef0123456789abcdef;m=1;t={t:x};x=1"
SEQUENCE = "5ecb9e3256c04aa194ae809456dbea4a"


def cursor(number: int, us: int = BEGAN, sequence: str = SEQUENCE) -> bytes:
    return CURSOR.format(s=sequence, i=number, t=us).encode()


async def test_a_journal_that_was_removed_is_told_and_reading_goes_on(reading: Any, made: Any) -> None:
    write_journal(reading.journals / "a.journal", made(3))
    assert len(await reading.messages()) == 3
    (reading.journals / "a.journal").unlink()
    write_journal(reading.journals / "b.journal", made(2, 100_000), first=100_000)
    reading.stored = {KEY: attrs.evolve(Checkpoint.decode(reading.stored[KEY]), seen_us=0).encode()}
    assert await reading.messages() == ["message 100000", "message 100001"]
    (finding,) = reading.source.problems()
    assert (
        "what was logged between 2023-11-14T22:13:20Z and 2023-11-14T22:15:00Z was removed" in finding.problem
    )
    assert "SystemMaxUse" in finding.advice
    assert reading.counted("losses_total") == 1


def test_the_numbers_between_are_counted() -> None:
    stats = Stats()
    losses = Losses(ComponentStats(stats, "sources.j"), logging.getLogger("test"))
    last, later = Cursor.parse(cursor(5)), Cursor.parse(cursor(1005, BEGAN + 60_000_000))
    losses.compare(last, 0, Nearest(True))
    losses.compare(last, later.us, Nearest(False, later))
    assert losses.finding() is None
    losses = Losses(ComponentStats(stats, "sources.j"), logging.getLogger("test"))
    losses.compare(last, 0, Nearest(False, later))
    losses.compare(last, 0, Nearest(False, later))  # the same again is no other loss
    finding = losses.finding()
    assert finding is not None
    assert "up to 999 entries between 2023-11-14T22:13:20Z and 2023-11-14T22:14:20Z" in finding.problem
    (count,) = [one.value for one in stats.snapshot() if one.name == "yaat_journald_lost_entries_total"]
    assert count == 999


def test_skipped_numbers_are_looked_into_only_when_reading_is_behind() -> None:
    last = Cursor.parse(cursor(5))
    assert suspicious(last, places_of([cursor(6)])) is None
    assert suspicious(last, places_of([cursor(9)])) == last
    assert suspicious(last, places_of([cursor(6, sequence="a" * 32)])) == last
    assert suspicious(None, places_of([cursor(9)])) is None
    assert suspicious(last, places_of([cursor(9, int(time.time() * 1e6))])) is None


async def test_a_quiet_unit_is_no_loss_when_the_journal_was_looked_at_since(reading: Any, made: Any) -> None:
    write_journal(reading.journals / "a.journal", made(3))
    await reading.once()  # it reached the end, and says so in the checkpoint
    (reading.journals / "a.journal").unlink()
    write_journal(
        reading.journals / "b.journal", [{"MESSAGE": "later", "__REALTIME_TIMESTAMP": str(BEGAN + 10)}]
    )
    await reading.messages()
    assert reading.source.problems() == []


@pytest.mark.parametrize("how", ["cut", "beginning", "empty", "garbage"])
async def test_a_damaged_file_is_told_and_the_others_are_read(reading: Any, made: Any, how: str) -> None:
    write_journal(reading.journals / "a.journal", made(3))
    broken = write_journal(reading.journals / "broken.journal", made(500, 100), first=100)
    size = broken.stat().st_size
    if how == "cut":
        os.truncate(broken, size // 2)
    elif how == "empty":
        os.truncate(broken, 0)
    else:
        with broken.open("r+b") as file:
            file.write(b"XXXXXXXX" if how == "beginning" else os.urandom(size))
    messages = await reading.messages()
    assert {"message 0", "message 1", "message 2"} <= set(messages)
    problems = [finding.problem for finding in await reading.source.check()]
    assert len(problems) == 1
    assert "broken.journal" in problems[0]
    assert "damaged" in problems[0]


async def test_flipped_bytes_end_nothing_but_what_they_hit(reading: Any, made: Any) -> None:
    good = write_journal(reading.journals / "a.journal", made(3))
    broken = write_journal(reading.journals / "broken.journal", made(500, 100), first=100)
    whole = broken.read_bytes()
    for number in range(6):
        data = bytearray(whole)
        for place in range(8192 + number * 997, len(data), 40_011):
            data[place] ^= 0xFF
        broken.write_bytes(data)
        reading.stored = {}
        assert {"message 0", "message 1", "message 2"} <= set(await reading.messages()), number
    assert good.exists()


def entry_places(data: bytes) -> list[int]:
    """Offsets of the entries: eight zero-padded bytes of an object's head (type 3, no flags), at its alignment."""
    head = bytes([3, 0, 0, 0, 0, 0, 0, 0])
    return [
        at
        for at in range(264, len(data) - 64, 8)
        if data[at : at + 8] == head and data[at + 12 : at + 16] == bytes(4)
    ]


async def test_an_entry_that_is_damaged_is_told(reading: Any, made: Any) -> None:
    path = write_journal(reading.journals / "a.journal", made(300))
    assert structure(str(path), 0) == Structure(300, 0)
    data = bytearray(path.read_bytes())
    places = [at for at in entry_places(data) if struct.unpack_from("<Q", data, at + 8)[0] > 64]
    assert len(places) >= 300
    for at in places[100:103]:
        data[at] = 0
    path.write_bytes(data)
    assert structure(str(path), 0) == Structure(300, 3)
    assert structure(str(path), 2**62) is None
    messages = await reading.messages()
    assert "message 0" in messages
    assert "message 100" not in messages
    (finding,) = Looker(Places(directory=str(reading.journals)), 0).findings()
    assert "3 of its 300 entries" in finding.problem


@given(st.binary(min_size=8, max_size=400), st.integers(0, 2**32))
@settings(max_examples=50)
def test_garbage_in_a_files_lists_is_survived(garbage: bytes, seed: int) -> None:
    """Random bytes over random places of a file that was whole."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.journal"
        data = bytearray(_whole())
        place = seed % (len(data) - len(garbage))
        data[place : place + len(garbage)] = garbage
        path.write_bytes(data)
        seen = structure(str(path), 0)
        assert seen is None or 0 <= seen.damaged <= seen.entries


@functools.cache
def _whole() -> bytes:
    need_journals()
    with tempfile.TemporaryDirectory() as folder:
        entries = [{"MESSAGE": f"message {number}"} for number in range(50)]
        return write_journal(Path(folder) / "a.journal", entries).read_bytes()[: 1 << 20]


def test_an_unreadable_journal_is_told_with_the_group(reading: Any, made: Any) -> None:
    """As another user: root reads everything."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to become another user")
    write_journal(reading.journals / "a.journal", made(3)).chmod(0o600)
    shared = Path(tempfile.gettempdir()) / f"yaat-journald-{uuid.uuid4().hex}"
    shutil.copytree(reading.journals, shared)
    try:
        shared.chmod(0o755)
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
                (finding,) = Looker(Places(directory=str(shared))).findings()
                good = "1 of 1 journal files can't be read: no permission" in finding.problem
                code = 0 if good and "usermod -a -G systemd-journal" in finding.advice else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    finally:
        shutil.rmtree(shared)


async def test_no_journal_at_all_is_told(reading: Any) -> None:
    assert await reading.messages() == []
    (finding,) = await reading.source.check()
    assert "no journal files in" in finding.problem


async def test_files_removed_while_it_waits_are_told(reading: Any, made: Any) -> None:
    """Backpressure holds the source back, meanwhile what it did not read yet is removed."""
    entries = [{**fields, "MESSAGE": fields["MESSAGE"] + "x" * 30_000} for fields in made(200)]
    write_journal(reading.journals / "a.journal", entries)
    outlet = RecordingOutlet(room=2)
    source = reading.make(once=False)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(source.run, outlet)
        with trio.fail_after(60):
            await outlet.wait_blocked()
        (reading.journals / "a.journal").unlink()
        write_journal(reading.journals / "b.journal", made(3, 1000), first=1000)
        outlet.make_room()
        with trio.fail_after(60):
            while not any("message 1002" in (event.message or "") for event in outlet.events()):
                await outlet.wait_change()
        numbers = [int(e.message.split()[1].rstrip("x")) for e in outlet.events()]
        assert numbers == sorted(set(numbers))
        if len(numbers) < 203:  # how many were read before the removal is the reader's buffer
            assert any("was removed" in finding.problem for finding in source.problems())
        nursery.cancel_scope.cancel()


async def test_journalctl_is_started_again_after_the_last_entry(reading: Any, made: Any) -> None:
    if reading.reader != "journalctl":
        pytest.skip("of the child reader")
    write_journal(reading.journals / "a.journal", made(3))
    outlet = RecordingOutlet()
    source = reading.make(once=False)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(source.run, outlet)
        with trio.fail_after(60):
            await outlet.wait_rows(3)
        (child,) = children()
        os.kill(child, 9)
        await trio.to_thread.run_sync(
            lambda: write_journal(reading.journals / "a.journal", made(2, 3), first=3)
        )
        with trio.fail_after(60):
            await outlet.wait_rows(5)
        assert [event.message for event in outlet.events()] == [f"message {number}" for number in range(5)]
        (again,) = children()
        assert again != child
        nursery.cancel_scope.cancel()
    assert children() == []


def children() -> list[int]:
    """Processes `journalctl` of this one."""
    own = subprocess.run(
        ["ps", "-o", "pid=,comm=", "--ppid", str(os.getpid())], capture_output=True, text=True
    )
    return [int(line.split()[0]) for line in own.stdout.splitlines() if line.split()[1] == "journalctl"]
