"""Which files the source reads, what it tells of them, and what wakes it: real files, real threads, real time."""

from __future__ import annotations

import gzip
import os
import pwd
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from yaat_core.config.options import Duration
from yaat_core.stats import Stats
from yaat_core.testing import RecordingOutlet, make_context
from yaat_kit.following import filesystems
from yaat_plugin_file.config import DEFAULT_EXCLUDE, FileConfig
from yaat_plugin_file.selecting import selection_of
from yaat_plugin_file.source import FileSource

PATIENCE = 60.0


def make_source(folder: Path, *, once: bool = False, stats: Stats | None = None, **options) -> FileSource:
    context = make_context(folder, "sources.app", once=once, stats=stats)
    return FileSource(FileConfig(**{"paths": ("logs/**/*.log*",), **options}), context)


@asynccontextmanager
async def running(source, outlet):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(source.run, outlet)
        with trio.fail_after(PATIENCE):
            yield
        nursery.cancel_scope.cancel()


async def read_once(folder, **options) -> RecordingOutlet:
    outlet = RecordingOutlet()
    with trio.fail_after(PATIENCE):
        await make_source(folder, once=True, **options).run(outlet)
    return outlet


@pytest.fixture
def logs(tmp_path):
    (tmp_path / "logs").mkdir()
    return tmp_path / "logs"


def messages(outlet) -> Counter:
    return Counter(event.message for event in outlet.events())


#: Without being woken, nothing would be seen for a day.
ASLEEP = {"poll": Duration(86_400.0), "scan_interval": Duration(86_400.0)}


async def test_what_the_system_tells_wakes_it(tmp_path, logs):
    """A new file, a line in a quiet file, a new folder: none is found by looking around."""
    if filesystems.is_silent(filesystems.kind_of(os.stat(logs).st_dev)):
        pytest.skip("the temporary folder is on a file system that does not tell of every change")
    outlet = RecordingOutlet()
    (logs / "a.log").write_text("a\n")
    async with running(make_source(tmp_path, **ASLEEP), outlet):
        await outlet.wait_rows(1)
        (logs / "b.log").write_text("b\n")
        await outlet.wait_rows(2)
        with (logs / "a.log").open("a") as writer:
            writer.write("a again\n")
        await outlet.wait_rows(3)
        (logs / "deep").mkdir()
        (logs / "deep" / "c.log").write_text("c\n")
        await outlet.wait_rows(4)
    assert messages(outlet) == Counter(["a", "a again", "b", "c"])


async def test_a_link_target_elsewhere_wakes_it(tmp_path, logs):
    if filesystems.is_silent(filesystems.kind_of(os.stat(logs).st_dev)):
        pytest.skip("the temporary folder is on a file system that does not tell of every change")
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "target.log"
    target.write_text("one\n")
    (logs / "link.log").symlink_to(target)
    outlet = RecordingOutlet()
    async with running(make_source(tmp_path, **ASLEEP), outlet):
        await outlet.wait_rows(1)
        with target.open("a") as writer:
            writer.write("two\n")
        await outlet.wait_rows(2)


async def test_polling_finds_what_nothing_tells_of(tmp_path, logs, monkeypatch):
    """As on a network file system: no event ever comes."""
    monkeypatch.setattr("yaat_kit.following.wakeups.Watch.changes", _never)
    monkeypatch.setattr(filesystems, "_mounted", lambda minute: {os.stat(tmp_path).st_dev: "nfs4"})
    outlet = RecordingOutlet()
    async with running(make_source(tmp_path), outlet):
        (logs / "a.log").write_text("a\n")
        await outlet.wait_rows(1)
        with (logs / "a.log").open("a") as writer:
            writer.write("more\n")
        await outlet.wait_rows(2)


def _never(watch) -> frozenset[str]:
    watch._stop.wait(0.2)
    return frozenset()


async def test_problems_are_told_and_go(tmp_path, logs, monkeypatch):
    """A folder without rights, as any user: what can't be listed is a problem until it can be."""
    real = os.scandir

    def scandir(path):
        if str(path) == str(logs):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    (logs / "a.log").write_text("a\n")
    outlet = RecordingOutlet()
    source = make_source(tmp_path)
    assert source.problems() == ()
    async with running(source, outlet):
        while not source.problems():
            await trio.sleep(0.01)
        [finding] = source.problems()
        assert finding.level == "warn"
        assert finding.problem == f"can't read {str(logs)!r}: Permission denied"
        assert "right to read" in finding.advice
        monkeypatch.undo()
        await outlet.wait_rows(1)
        while source.problems():
            await trio.sleep(0.01)


async def test_file_tags_on_request(tmp_path, logs):
    (logs / "real").write_text("one\r\ntwo\n\xfe\n", encoding="utf-8")
    (logs / "app.log").symlink_to(logs / "real")
    tags = ("name", "offset", "path_resolved", "owner", "record_number")
    outlet = await read_once(tmp_path, file_tags=tags)
    [sent] = [one for one in outlet.sent if len(one.batch)]
    owner = pwd.getpwuid(os.getuid()).pw_name
    assert dict(sent.batch.labels.tags) == {
        "log.file.path": str(logs / "app.log"),
        "log.file.name": "app.log",
        "log.file.path_resolved": str(logs / "real"),
        "log.file.owner": owner,
    }
    found = [
        (event.tags["log.file.offset"], event.tags["log.file.record_number"]) for event in outlet.events()
    ]
    assert found == [("0", "1"), ("5", "2"), ("9", "3")]


async def test_the_record_number_goes_on_after_a_restart(tmp_path, logs):
    (logs / "app.log").write_text("one\ntwo\n")
    outlet = await read_once(tmp_path, file_tags=("record_number",))
    with (logs / "app.log").open("a") as writer:
        writer.write("three\n")
    again = RecordingOutlet(outlet.stored())
    await make_source(tmp_path, once=True, file_tags=("record_number",)).run(again)
    assert [event.tags["log.file.record_number"] for event in again.events()] == ["3"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"paths": ("logs/*.log*",)}, ["plain"]),
        ({"paths": ("logs/*.log", "logs/*.log.gz")}, ["plain", "packed"]),
        ({"paths": ("logs/*",), "exclude": ()}, ["plain", "packed", "text"]),
        ({"paths": ("logs/*.gz",), "exclude": ("*.gz",)}, []),
        ({"paths": ("logs/*.txt",), "exclude": ("**/other/*",)}, ["text"]),
        ({"paths": ("logs/*.txt",), "exclude": ("**/logs/*",)}, []),
        ({"paths": ("logs/*.txt",), "exclude": ("logs/a.*",)}, []),
    ],
)
async def test_compressed_files_are_read_when_they_are_named(tmp_path, logs, options, expected):
    (logs / "a.log").write_text("plain\n")
    (logs / "b.log.gz").write_bytes(gzip.compress(b"packed\n"))
    (logs / "a.txt").write_text("text\n")
    outlet = await read_once(tmp_path, **options)
    assert messages(outlet) == Counter(expected)


def test_a_pattern_that_names_compressed_files_takes_them_out_of_the_default_alone(tmp_path):
    context = make_context(tmp_path, "sources.app")
    named = selection_of(FileConfig(paths=("*.log", "old/*.zst")), context)
    assert named.archives
    assert set(DEFAULT_EXCLUDE) - set(named.exclude) == {"*.zst"}
    assert not selection_of(FileConfig(paths=("*.log",)), context).archives


async def test_a_backlog_of_compressed_files_has_ids_and_tags(tmp_path, logs):
    (logs / "a.log.1.gz").write_bytes(gzip.compress(b"one\ntwo\n"))
    stats = Stats()
    options = {"paths": ("logs/*.gz",), "stats": stats, "file_tags": ("offset",)}
    events = (await read_once(tmp_path, **options)).events()
    assert [(event.message, event.tags["log.file.offset"]) for event in events] == [
        ("one", "0"),
        ("two", "4"),
    ]
    assert len({event.event_id for event in events}) == 2
    values = {sample.name: sample.value for sample in stats.snapshot()}
    assert values["yaat_file_damaged_archives_total"] == 0


@pytest.mark.faults
async def test_ten_thousand_files(tmp_path, logs):
    """Far more than may be open: each line once, and one busy file starves none of them."""
    count = 10_000
    for number in range(count):
        folder = logs / str(number % 100)
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.log").write_text(f"{number}\n")
    (logs / "busy.log").write_text("busy\n" * 500_000)
    stats = Stats()
    outlet = RecordingOutlet()
    with trio.fail_after(10 * PATIENCE):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(make_source(tmp_path, stats=stats, max_open_files=200).run, outlet)
            await outlet.wait_rows(count + 500_000)
            for number in range(0, count, 100):
                with (logs / str(number % 100) / f"{number}.log").open("a") as writer:
                    writer.write(f"{number} again\n")
            await outlet.wait_rows(count + 500_000 + count // 100)
            nursery.cancel_scope.cancel()
    seen: Counter = Counter()
    for one in outlet.sent:
        seen.update(one.batch.column("message").to_pylist())
    expected = Counter(map(str, range(count))) + Counter(f"{number} again" for number in range(0, count, 100))
    assert seen - Counter({"busy": 500_000}) == expected
    values = {sample.name: sample.value for sample in stats.snapshot()}
    assert values["yaat_file_files"] == count + 1
    assert values["yaat_file_open_files"] <= 200
