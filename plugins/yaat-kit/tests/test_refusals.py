"""What is never read, what is not begun, what can't be opened: and that it is told once, and shown until it is mended."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from support.tails import Tail, append

from yaat_kit.following.pacing import Pace
from yaat_kit.following.reader import Reader
from yaat_kit.following.refusals import Refusals
from yaat_kit.multiline import SingleLines


@pytest.fixture
def tail(tmp_path):
    made = Tail(tmp_path)
    yield made
    made.follower.close()


def problems(tail: Tail) -> list[str]:
    return [finding.problem for finding in tail.follower.findings()]


def test_files_that_the_kernel_makes_up(tail, tmp_path, caplog):
    (tmp_path / "status.log").symlink_to("/proc/self/status")
    append(tmp_path / "app.log", "one")
    assert tail.go(5) == ["one"]
    assert "made up by the kernel (proc)" in caplog.text
    assert caplog.text.count("status.log") == 1


OWN_LOG = """
import logging, sys
from pathlib import Path
from support.tails import Tail, append
folder = Path(sys.argv[1])
logging.basicConfig(level="DEBUG", stream=sys.stderr)
append(folder / "app.log", "one")
tail = Tail(folder)
tail.go(5)
assert tail.seen == ["one"], tail.seen
"""


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_what_the_agent_logs_to(tmp_path, stream):
    with (tmp_path / "agent.log").open("w") as log:
        streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: log}
        support = str(Path(sys.modules["support.tails"].__file__).parents[1])
        subprocess.run(
            [sys.executable, "-c", OWN_LOG, str(tmp_path)],
            **streams,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": support},
            check=True,
        )
    if stream == "stderr":
        assert "writes its own log to" in (tmp_path / "agent.log").read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="making a file of another user needs root")
def test_a_strangers_link_shows_them_nothing_that_they_may_not_read(tail, tmp_path, caplog):
    """A user who owns a log folder can't have the agent read /etc/shadow for them."""
    secret, public = tmp_path / "secret", tmp_path / "public"
    for path, mode in ((secret, 0o640), (public, 0o644)):
        append(path, path.name)
        path.chmod(mode)
    logs = tmp_path / "logs"
    logs.mkdir()
    for name, target in (("a.log", secret), ("b.log", public)):
        (logs / name).symlink_to(target)
        os.chown(logs / name, 65534, 65534, follow_symlinks=False)
    (logs / "dir").symlink_to(tmp_path)
    os.chown(logs / "dir", 65534, 65534, follow_symlinks=False)
    tail.follower.close()
    tail = Tail(logs, pattern="*.log")
    assert tail.go(3) == ["public"]
    assert "a link of user 65534" in caplog.text
    assert "chown -h root" in caplog.text
    tail.follower.close()
    through = Tail(logs, pattern="dir/secret")
    assert through.go(3) == [], "nor by a link to a folder"
    through.follower.close()
    os.chown(logs / "a.log", 0, 0, follow_symlinks=False)
    trusted = Tail(logs, pattern="a.log")
    assert trusted.go(3) == ["secret"]
    trusted.follower.close()


def test_why_nothing_is_wrong_with_an_ordinary_file(tmp_path):
    append(tmp_path / "a.log", "one")
    assert Refusals.of([]).why(str(tmp_path / "a.log"), os.stat(tmp_path / "a.log")) is None


def test_files_that_are_too_old_are_not_begun_until_they_are_written_to(tmp_path):
    for name in ("old", "new"):
        append(tmp_path / f"{name}.log", f"{name} 1")
    before = os.stat(tmp_path / "old.log").st_mtime - 7200
    os.utime(tmp_path / "old.log", (before, before))
    tail = Tail(tmp_path, selection={"older_than": 3600.0})
    assert tail.go(30) == ["new 1"]
    append(tmp_path / "old.log", "old 2")
    assert tail.go(15) == ["new 1", "old 1", "old 2"]
    tail.follower.close()


def test_a_file_that_was_begun_is_never_too_old(tmp_path):
    path = tmp_path / "a.log"
    append(path, "one")
    tail = Tail(tmp_path, selection={"older_than": 3600.0})
    tail.go(2)
    tail.follower.close()
    append(path, "two")
    before = path.stat().st_mtime - 7200
    os.utime(path, (before, before))
    tail.start()
    assert tail.go(2) == ["one", "two"]
    tail.follower.close()


def test_a_change_that_the_system_tells_of_wakes_an_old_file(tmp_path):
    path = tmp_path / "old.log"
    append(path, "one")
    os.utime(path, (1, 1))
    tail = Tail(tmp_path, selection={"older_than": 3600.0})
    tail.go(15)
    append(path, "two")
    assert tail.follower.notice([str(path)], tail.now), "it leads to nothing that is followed: scan"
    assert tail.go(0.5) == ["one", "two"]
    tail.follower.close()


SCARCE = """
import resource, sys
from collections import Counter
from pathlib import Path
from support.tails import Tail, append
from yaat_kit.following.pacing import Pace
folder = Path(sys.argv[1])
names = [f"{number:03}" for number in range(60)]
for name in names:
    append(folder / f"{name}.log", f"{name} 1")
tail = Tail(folder, pace=Pace(max_open_files=200))
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
tail.follower._descriptors.limit = tail.follower._descriptors._bound = 200
resource.setrlimit(resource.RLIMIT_NOFILE, (20, hard))
tail.go(5)
assert Counter(tail.seen) == Counter(f"{name} 1" for name in names), len(tail.seen)
assert not tail.follower.findings(), tail.follower.findings()
taken = []
try:
    while True:
        taken.append(open("/dev/null"))
except OSError:
    pass
tail.follower.close()
while len(taken) < 1000:
    try:
        taken.append(open("/dev/null"))
    except OSError:
        break
for name in names:
    # The writer's descriptor is lent by one that is taken, and given back at once.
    taken.pop().close()
    append(folder / f"{name}.log", f"{name} 2")
    taken.append(open("/dev/null"))
tail.go(5)
assert len(tail.seen) == 60, tail.seen
[finding] = tail.follower.findings()
print(finding.problem, "|", finding.advice)
for one in taken:
    one.close()
tail.go(60)
assert Counter(tail.seen) == Counter(f"{name} {count}" for name in names for count in (1, 2))
assert not tail.follower.findings()
"""


def test_descriptors_exhausted_it_says_so_goes_on_and_recovers(tmp_path):
    support = str(Path(sys.modules["support.tails"].__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", SCARCE, str(tmp_path)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": support},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "files can't be opened: Too many open files" in done.stdout
    assert "LimitNOFILE" in done.stdout
    assert done.stderr.count("can't be opened") == 1, "told once"


def test_a_bound_above_what_the_process_may_open_is_lowered(tmp_path):
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    tail = Tail(tmp_path, pace=Pace(max_open_files=soft * 10))
    assert tail.follower._descriptors.limit <= max(1, soft // 2)
    tail.follower.close()


def test_what_was_renamed_out_of_reach_while_it_was_dead_is_read_to_its_end(tmp_path):
    tail = Tail(tmp_path, pattern="*.log")
    append(tmp_path / "app.log", *[f"{number} {'x' * 100}" for number in range(100_000)])
    tail.now += 0.5
    tail.follower.scan(tail.now)
    tail.turn()
    assert len(tail.seen) < 100_000
    tail.follower.close()
    (tmp_path / "app.log").rename(tmp_path / "app.log.1")
    append(tmp_path / "app.log.1", "late")
    append(tmp_path / "app.log", "new")
    tail.start()
    tail.go(5)
    assert len(tail.seen) == 100_002
    assert {"late", "new"} <= set(tail.seen)
    assert tail.count("unread_bytes_total") == 0
    tail.follower.close()


def test_what_was_deleted_while_it_was_dead_is_told_and_counted_once(tmp_path, caplog):
    tail = Tail(tmp_path)
    path = tmp_path / "app.log"
    append(path, *["x" * 100] * 100_000)
    tail.now += 0.5
    tail.follower.scan(tail.now)
    tail.turn()
    unread = path.stat().st_size - 101 * len(tail.seen)
    tail.follower.close()
    path.unlink()
    for _ in range(2):
        tail.start()
        tail.go(5)
        tail.follower.close()
    assert unread > 0
    assert tail.count("unread_bytes_total") == unread
    assert caplog.text.count("were gone before they were read") == 1


def test_an_inode_that_another_file_uses_now_is_not_read_under_that_name(tmp_path):
    """A file that was closed, deleted, and whose inode a file beside it has that no pattern selects."""
    tail = Tail(tmp_path, pattern="*.log", pace=Pace(max_open_files=1))
    append(tmp_path / "app.log", "one")
    append(tmp_path / "b.log", "b")
    tail.go(2)
    generation = tail.follower._roster.known(str(tmp_path / "app.log"))
    tail.follower._descriptors.release(generation)
    # The same inode under another name, with other content, whatever the file system would do.
    (tmp_path / "app.log").rename(tmp_path / "private.key")
    (tmp_path / "private.key").write_text("a secret, and longer\n")
    assert sorted(tail.go(20)) == ["b", "one"]
    tail.follower.close()


def test_a_file_that_is_no_longer_selected_is_left_alone(tmp_path):
    tail = Tail(tmp_path)
    append(tmp_path / "app.log", *["x" * 100] * 100_000)
    tail.now += 0.5
    tail.follower.scan(tail.now)
    tail.turn()
    seen = len(tail.seen)
    tail.follower.close()
    (tmp_path / "app.log").rename(tmp_path / "moved")
    tail.selection = {"exclude": ["app.log"]}
    tail.start()
    tail.go(5)
    assert len(tail.seen) == seen
    assert tail.count("unread_bytes_total") == 0
    tail.follower.close()


@pytest.mark.parametrize("encoding", ["utf-16le", "utf-16be", "utf-32le"])
def test_start_at_end_begins_at_a_character(tmp_path, encoding):
    path = tmp_path / "app.log"
    path.write_bytes("old\nbeing writ".encode(encoding))
    reader = Reader(joiner=SingleLines(), encoding=encoding)
    tail = Tail(tmp_path, selection={"start_at_end": True}, reader=reader)
    assert tail.go() == []
    with path.open("ab") as writer:
        writer.write("ten\n".encode(encoding))
    assert tail.go(2) == ["being written"]
    tail.follower.close()


def test_a_broken_checkpoint_is_told_and_goes(tail, tmp_path, caplog):
    append(tmp_path / "app.log", "one")
    tail.go()
    tail.follower.close()
    tail.stored |= {b"broken": b"{", b"other": b"\xff", b"patterns": b"nonsense"}
    tail.start()
    assert tail.go() == ["one"], "the others are as good as before"
    assert caplog.text.count("can't be used, its file is read from the beginning") == 2
    assert not {b"broken", b"other"} & set(tail.stored)


def test_the_checkpoint_of_a_file_that_is_gone_is_given_up_when_it_is_old(tail, tmp_path):
    for name in ("a", "b"):
        append(tmp_path / f"{name}.log", name)
    tail.go()
    tail.follower.close()
    (tmp_path / "a.log").unlink()
    old = b'"at":1,'
    tail.stored = {key: re.sub(rb'"at":\d+', old[:-1], value) for key, value in tail.stored.items()}
    assert len(tail.stored) == 3
    tail.start()
    tail.go()
    assert len(tail.stored) == 3, "it may be mounted or moved back"
    for _ in range(3):
        tail.now += 90_000.0
        tail.go()
    assert len(tail.stored) == 2
    assert sorted(tail.seen) == ["a", "b"]


def test_checkpoints_as_an_earlier_version_wrote_them(tail, tmp_path):
    append(tmp_path / "app.log", "one")
    tail.go()
    tail.follower.close()
    tail.stored = {key: value.split(b',"size"')[0].split(b',"rec"')[0] for key, value in tail.stored.items()}
    tail.stored = {
        key: value if key == b"patterns" else value.rstrip(b"}") + b"}" for key, value in tail.stored.items()
    }
    append(tmp_path / "app.log", "two")
    tail.start()
    assert tail.go() == ["one", "two"]


def test_a_file_that_stops_being_readable_is_a_problem_until_it_is_mended(tail, tmp_path, monkeypatch):
    append(tmp_path / "app.log", "one")
    append(tmp_path / "other.log", "other")
    tail.go()
    real, broken = os.pread, tail.follower._roster.known(str(tmp_path / "app.log")).descriptor

    def pread(descriptor, count, offset):
        if descriptor == broken:
            raise OSError(5, "Input/output error")
        return real(descriptor, count, offset)

    append(tmp_path / "app.log", "two")
    monkeypatch.setattr(os, "pread", pread)
    tail.go(1)
    assert [problem.split(": ")[1] for problem in problems(tail)] == ["Input/output error"]
    monkeypatch.undo()
    tail.go(5)
    assert Counter(tail.seen) == Counter(["one", "two", "other"])
    assert problems(tail) == []
