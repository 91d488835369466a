"""Encodings, joins and limits, as a source of files applies them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import trio

from yaat_core.config.options import Duration
from yaat_core.stats import Stats
from yaat_core.testing import RecordingOutlet, make_context
from yaat_kit.joining import JoinRule
from yaat_plugin_file.config import FileConfig
from yaat_plugin_file.source import FileSource

PATIENT = {"join_timeout": Duration(3600), "partial_timeout": Duration(3600), "poll": Duration(0.05)}
QUICK = {"join_timeout": Duration(0.1), "partial_timeout": Duration(0.1), "poll": Duration(0.05)}


def make_source(folder, *, once=False, stats=None, **options) -> FileSource:
    context = make_context(folder, "sources.app", once=once, stats=stats)
    return FileSource(FileConfig(**{"paths": ("app.log*",), **QUICK, **options}), context)


async def read(folder, data: bytes, **options):
    (folder / "app.log").write_bytes(data)
    outlet = RecordingOutlet()
    await make_source(folder, once=True, **options).run(outlet)
    return outlet.events()


@pytest.mark.parametrize(
    ("encoding", "codec"),
    [
        ("utf-8", "utf-16"),
        ("utf-16", "utf-16"),
        ("utf-16le", "utf-16-le"),
        ("utf-16be", "utf-16-be"),
        ("shift_jis", "shift_jis"),
        ("gbk", "gbk"),
        ("gb18030", "gb18030"),
        ("big5", "big5"),
    ],
)
async def test_encodings(tmp_path, encoding, codec):
    events = await read(tmp_path, "中文\r\n\nlast 文\n".encode(codec), encoding=encoding)
    assert [event.message for event in events] == ["中文", "", "last 文"]


async def test_the_original_is_kept(tmp_path):
    trace = 'Traceback (most recent call last):\n  File "x.py", line 1, in f\nValueError: bad'
    text = f"a\nERROR b\n{trace}\n\n{trace}\n"
    events = await read(tmp_path, text.encode(), multiline="python", keep_original=True)
    assert [event.tags["log.record.original"] for event in events] == ["a", f"ERROR b\n{trace}", "", trace]
    assert [event.message for event in events] == ["a", "ERROR b", "", "ValueError: bad"]


async def test_an_event_over_the_limit_is_divided_marked_and_counted(tmp_path):
    stats = Stats()
    (tmp_path / "app.log").write_text("* a\n" + "b\n" * 7 + "* c\n")
    outlet = RecordingOutlet()
    rule = JoinRule(start=r"^\*")
    await make_source(tmp_path, once=True, stats=stats, multiline=rule, event_lines=5).run(outlet)
    assert [(event.message, dict(event.tags)) for event in outlet.events()] == [
        ("* a\nb\nb\nb\nb", {"log.truncated": "true"}),
        ("b\nb\nb", {}),
        ("* c", {}),
    ]
    values = {sample.name: sample.value for sample in stats.snapshot()}
    assert values["yaat_file_divided_events_total"] == 1


async def test_a_checkpoint_never_passes_an_unfinished_event(tmp_path):
    """Stopped in the middle of an event, it comes whole after the next start."""
    path = tmp_path / "app.log"
    rule = JoinRule(start=r"^\*")
    path.write_text("* a\n* b\n  more\n")
    outlet = RecordingOutlet()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(make_source(tmp_path, multiline=rule, **PATIENT).run, outlet)
        with trio.fail_after(60):
            await outlet.wait_rows(1)
        nursery.cancel_scope.cancel()
    assert [event.message for event in outlet.events()] == ["* a"]
    with path.open("a") as file:
        file.write("  and more\n* c\n")
    again = RecordingOutlet(outlet.stored(len(outlet.sent)))
    await make_source(tmp_path, once=True, multiline=rule).run(again)
    assert [event.message for event in again.events()] == ["* b\n  more\n  and more", "* c"]


async def test_what_is_unfinished_at_a_rotation_is_finished_after_quiet(tmp_path):
    path = tmp_path / "app.log"
    path.write_text("* a\n  more\n")
    outlet = RecordingOutlet()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(make_source(tmp_path, multiline=JoinRule(start=r"^\*")).run, outlet)
        os.rename(path, tmp_path / "app.log.1")
        path.write_text("* b\n")
        with trio.fail_after(60):
            await outlet.wait_rows(2)
        nursery.cancel_scope.cancel()
    assert sorted(event.message for event in outlet.events()) == ["* a\n  more", "* b"]


LONG = """
import resource, sys, tracemalloc
import numpy, pyarrow
from yaat_kit.encodings import encoding_of
from yaat_kit.following.generation import Generation
from yaat_kit.following.identity import FileId
from yaat_kit.following.reader import Reader
from yaat_kit.joining import make_joiner
from yaat_kit.multiline import Limits
import os
path = sys.argv[1]
generation = Generation.begin(path, FileId.of(os.stat(path)))
generation.descriptor = os.open(path, os.O_RDONLY)
reader = Reader(joiner=make_joiner("auto", Limits()))
tracemalloc.start()
rows, dropped = 0, 0
final = False
while True:
    look = reader.look(generation, final=final)
    rows += sum(len(piece) for piece in look.pieces)
    dropped += look.dropped + sum(int(piece.cut.sum()) for piece in look.pieces)
    if final:
        break
    final = generation.looked_through
print(rows, dropped, tracemalloc.get_traced_memory()[1], pyarrow.default_memory_pool().max_memory())
"""


def test_a_line_of_many_mebibytes_in_bounded_memory(tmp_path):
    path = tmp_path / "app.log"
    with path.open("wb") as file:
        file.writelines([b"first\n", *[b"x" * (1 << 20)] * 64, b"\nlast\n"])
    run = subprocess.run(
        [sys.executable, "-c", LONG, str(path)], capture_output=True, text=True, timeout=120, check=True
    )
    rows, dropped, python, arrow = map(int, run.stdout.split())
    assert (rows, dropped) == (3, (63 << 20) + 1)
    assert python < 48 << 20
    assert arrow < 48 << 20
