"""The source as a whole: real files, real threads, real time."""

from __future__ import annotations

import grp
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from yaat_core.config.options import Duration, Size
from yaat_core.stats import Stats
from yaat_core.testing import RecordingOutlet, make_context
from yaat_kit.joining import JoinRule
from yaat_plugin_file.config import FileConfig
from yaat_plugin_file.source import FileSource

QUICK = {"join_timeout": Duration(0.1), "partial_timeout": Duration(0.3), "poll": Duration(0.05)}


def make_source(folder: Path, *, once: bool = False, stats: Stats | None = None, **options) -> FileSource:
    context = make_context(folder, "sources.app", once=once, stats=stats)
    return FileSource(FileConfig(**{"paths": ("logs/*.log*",), **QUICK, **options}), context)


@asynccontextmanager
async def running(source, outlet):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(source.run, outlet)
        yield
        nursery.cancel_scope.cancel()


@pytest.fixture
def logs(tmp_path):
    (tmp_path / "logs").mkdir()
    return tmp_path / "logs"


async def rows(folder, text: bytes, **options):
    """The events of one file, read once."""
    (folder / "logs" / "app.log").write_bytes(text)
    outlet = RecordingOutlet()
    await make_source(folder, once=True, **options).run(outlet)
    return outlet


async def test_what_a_batch_carries(tmp_path, logs):
    outlet = await rows(tmp_path, b"one\ntwo\n")
    [sent] = [one for one in outlet.sent if len(one.batch)]
    path = str(logs / "app.log")
    assert sent.batch.labels.stream == path
    assert dict(sent.batch.labels.tags) == {"log.file.path": path}
    assert [event.message for event in sent.batch] == ["one", "two"]
    ids = [event.event_id for event in sent.batch]
    assert [event_id.version for event_id in ids] == [8, 8]
    assert ids == sorted(ids)
    assert sent.batch.column("stacktrace").null_count == 2


async def test_a_traceback_becomes_the_stacktrace(tmp_path, logs):
    trace = b'Traceback (most recent call last):\n  File "x.py", line 1, in f\nValueError: bad\n'
    outlet = await rows(tmp_path, b"INFO a\nERROR b\n" + trace + b"INFO c\n", multiline="python")
    events = outlet.events()
    assert [event.message for event in events] == ["INFO a", "ERROR b", "INFO c"]
    assert events[1].stacktrace == trace.decode().rstrip("\n")


async def test_a_start_pattern_joins(tmp_path, logs):
    outlet = await rows(tmp_path, b"1 a\n  b\n2 c\n", multiline=JoinRule(start=r"^\d"))
    assert [event.message for event in outlet.events()] == ["1 a\n  b", "2 c"]


async def test_odd_bytes(tmp_path, logs):
    outlet = await rows(tmp_path, b"\xef\xbb\xbfbom\r\nnul\0nul\ninvalid \xff\xfe\n\nlast")
    messages = [event.message for event in outlet.events()]
    assert messages == ["bom", "nul\0nul", "invalid \ufffd\ufffd", "", "last"]


async def test_utf16(tmp_path, logs):
    outlet = await rows(tmp_path, "größe\nπ\n".encode("utf-16"), encoding="utf-16")
    assert [event.message for event in outlet.events()] == ["größe", "π"]


async def test_a_long_line_is_tagged(tmp_path, logs):
    outlet = await rows(tmp_path, b"short\n" + b"x" * 100 + b"\n", max_line_bytes=Size(10))
    assert [(event.message, dict(event.tags)) for event in outlet.events()] == [
        ("short", {}),
        ("x" * 10, {"log.truncated": "true"}),
    ]


async def test_a_new_file_is_found_within_a_second(tmp_path, logs):
    outlet = RecordingOutlet()
    async with running(make_source(tmp_path), outlet):
        await trio.sleep(0.2)
        (logs / "new.log").write_text("hello\n")
        with trio.fail_after(1.0):
            await outlet.wait_rows(1)


async def test_rotations_while_sending_waits(tmp_path, logs):
    """Under backpressure nothing is read, but every file is found and held before it goes."""
    outlet = RecordingOutlet(room=0)
    written = []
    async with running(make_source(tmp_path, paths=("logs/app.log",)), outlet):
        for number in range(4):
            (logs / "app.log").write_text(f"generation {number}\n")
            written.append(f"generation {number}")
            await trio.sleep(0.8)
            (logs / "app.log").unlink()
        outlet.make_room()
        with trio.fail_after(10):
            await outlet.wait_rows(4)
    assert sorted(event.message for event in outlet.events()) == written


WRITER = """
import os, random, shutil, sys, time
path, seed, style = sys.argv[1], int(sys.argv[2]), sys.argv[3]
random.seed(seed)
number = 0
for rotation in range(6):
    with open(path, "a", buffering=1) as file:
        for _ in range(random.randint(1, 400)):
            file.write(f"line {number} {'x' * random.randint(0, 200)}\\n")
            number += 1
            if random.random() < 0.02:
                time.sleep(0.01)
    if style == "rename":
        for old in range(rotation, -1, -1):
            source = f"{path}.{old}" if old else path
            os.rename(source, f"{path}.{old + 1}")
print(number)
"""


def start_writer(path: Path, style: str) -> subprocess.Popen:
    command = [sys.executable, "-c", WRITER, str(path), "7", style]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("style", ["rename", "append"])
async def test_interrupted_again_and_again_while_a_process_writes(tmp_path, logs, style):
    """The source is cancelled at any moment and what was not durable forgotten: each line comes once."""
    writer = start_writer(logs / "app.log", style)
    stored, lines = {}, []
    for number in range(6):
        outlet = RecordingOutlet(stored)
        async with running(make_source(tmp_path), outlet):
            await trio.sleep(0.15 + 0.05 * number)
        durable = len(outlet.sent) - number % 2
        lines += [event.message for event in outlet.events(durable)]
        stored = outlet.stored(durable)
    count = int((await trio.to_thread.run_sync(writer.communicate))[0])
    outlet = RecordingOutlet(stored)
    async with running(make_source(tmp_path), outlet):
        with trio.fail_after(10):
            await outlet.wait_rows(count - len(lines))
            await trio.sleep(0.6)
    lines += [event.message for event in outlet.events()]
    assert Counter(line.split()[1] for line in lines) == Counter(str(number) for number in range(count))


async def test_what_finds_nothing_is_told_by_the_check(tmp_path, logs):
    source = make_source(tmp_path, paths=("logs/none.log", "logs"))
    findings = await source.check()
    assert ["none.log" in finding.problem for finding in findings] == [True, False]
    assert "is a folder" in findings[1].problem
    assert findings[1].advice.endswith("to read the files in it")


@pytest.fixture
def forbidden():
    """A folder with a file that this user can't read, whoever runs the tests."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    (folder / "secret.log").write_text("x")
    (folder / "secret.log").chmod(0)
    make_context(folder, "sources.app")
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield folder
    os.seteuid(user)
    shutil.rmtree(folder)


async def test_an_unreadable_file_is_told_by_the_check(forbidden):
    [finding] = await make_source(forbidden, paths=("*.log",)).check()
    assert "Permission denied" in finding.problem
    assert "setfacl" in finding.advice


async def test_a_folder_that_cannot_be_passed_is_told_with_the_group_that_may(forbidden):
    if os.getuid() != 0:
        pytest.skip("only root can give a folder to a group")
    os.seteuid(0)
    folder = forbidden / "kept"
    folder.mkdir()
    os.chown(folder, 0, 4)
    folder.chmod(0o750)
    (folder / "a.log").touch()
    os.seteuid(65534)
    for pattern in ("kept/a.log", "kept/*.log"):
        [finding] = await make_source(forbidden, paths=(pattern,)).check()
        assert "Permission denied" in finding.problem
        assert f"usermod -aG {grp.getgrgid(4).gr_name} " in finding.advice


async def test_the_agents_own_files_are_not_read(tmp_path, caplog):
    context = make_context(tmp_path, "sources.app", once=True)
    (context.state_dir / "agent.log").write_text("loop\n")
    outlet = RecordingOutlet()
    await FileSource(FileConfig(paths=(str(tmp_path / "**"),)), context).run(outlet)
    assert outlet.rows == 0
    assert "state directory" in caplog.text


async def test_its_numbers(tmp_path, logs):
    stats = Stats()
    (logs / "app.log").write_text("one\n" + "x" * 50 + "\n")
    await make_source(tmp_path, once=True, stats=stats, max_line_bytes=Size(10)).run(RecordingOutlet())
    values = {sample.name: sample.value for sample in stats.snapshot()}
    assert values["yaat_file_read_bytes_total"] == 55
    assert values["yaat_file_truncated_lines_total"] == 1
    assert values["yaat_file_truncated_bytes_total"] == 40
    assert {sample.labels["component"] for sample in stats.snapshot()} == {"sources.app"}
