"""Rotation, truncation, copies, restarts: real files, a clock that the test moves."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from support.tails import Tail, append, lines

from yaat_kit.following.pacing import Pace
from yaat_kit.following.reader import Reader
from yaat_kit.joining import preset
from yaat_kit.multiline import SingleLines


@pytest.fixture
def tail(tmp_path):
    made = Tail(tmp_path)
    yield made
    made.follower.close()


def test_lines_that_are_there_and_lines_that_come(tail, tmp_path):
    append(tmp_path / "a.log", *lines("a", 3))
    assert tail.go() == lines("a", 3)
    append(tmp_path / "a.log", *lines("a", 2, 3))
    append(tmp_path / "b.log", "b")
    assert sorted(tail.go(1.5)) == [*lines("a", 5), "b"]


def test_rename_and_create(tail, tmp_path):
    path = tmp_path / "app.log"
    for round_ in range(5):
        append(path, *lines(f"r{round_}", 4))
        tail.go(1)
        append(path, f"late {round_}")
        for number in range(round_, -1, -1):
            source = tmp_path / (f"app.log.{number}" if number else "app.log")
            source.rename(tmp_path / f"app.log.{number + 1}")
    tail.go(3)
    expected = [line for round_ in range(5) for line in [*lines(f"r{round_}", 4), f"late {round_}"]]
    assert sorted(tail.seen) == sorted(expected)
    assert tail.count("unread_bytes_total") == 0


def test_ten_rotations_while_it_is_dead(tail, tmp_path):
    path = tmp_path / "app.log"
    append(path, *lines("first", 3))
    tail.go()
    append(path, "rest of first")
    for round_ in range(10):
        for number in range(round_, -1, -1):
            source = tmp_path / (f"app.log.{number}" if number else "app.log")
            source.rename(tmp_path / f"app.log.{number + 1}")
        append(path, *lines(f"r{round_}", 3))
    tail.restart()
    tail.go(3)
    expected = [*lines("first", 3), "rest of first"] + [line for n in range(10) for line in lines(f"r{n}", 3)]
    assert sorted(tail.seen) == sorted(expected)


def test_renamed_out_of_the_pattern_it_is_read_to_its_end(tmp_path):
    tail = Tail(tmp_path, pattern="*.log")
    path = tmp_path / "app.log"
    append(path, "one")
    tail.go()
    path.rename(tmp_path / "app.old")
    append(path, "new")
    tail.go()
    append(tmp_path / "app.old", "late")
    assert sorted(tail.go(2)) == ["late", "new", "one"]
    tail.go(400)
    assert tail.count("open_files") == 1
    (tmp_path / "app.old").rename(tmp_path / "back.log")
    append(tmp_path / "back.log", "later")
    assert sorted(tail.go(2)) == ["late", "later", "new", "one"]


@pytest.mark.parametrize("running", [True, False])
def test_copytruncate_reads_neither_twice_nor_less(tail, tmp_path, running):
    path, copy = tmp_path / "app.log", tmp_path / "app.log.1"
    append(path, *lines("a", 5))
    tail.go()
    # Written after the last look: only the copy has it.
    append(path, *lines("a", 3, 5))
    if not running:
        tail.follower.close()
    shutil.copyfile(path, copy)
    os.truncate(path, 0)
    append(path, "b")
    if not running:
        tail.start()
    tail.go(5)
    assert Counter(tail.seen) == Counter([*lines("a", 8), "b"])
    tail.restart()
    tail.go(30)
    assert Counter(tail.seen) == Counter([*lines("a", 8), "b"])
    assert tail.count("unread_bytes_total") == 0


def test_a_copy_seen_before_the_truncation_waits(tail, tmp_path):
    path, copy = tmp_path / "app.log", tmp_path / "app.log.1"
    append(path, *lines("a", 50))
    tail.go()
    shutil.copyfile(path, copy)
    tail.go(1)
    append(path, "lost between copy and truncation")
    os.truncate(path, 0)
    append(path, "b")
    tail.go(5)
    assert Counter(tail.seen) == Counter([*lines("a", 50), "b"])


def test_a_backup_that_matches_is_not_read_again(tail, tmp_path):
    append(tmp_path / "app.log", *lines("a", 5))
    tail.go()
    shutil.copyfile(tmp_path / "app.log", tmp_path / "app.log.bak")
    append(tmp_path / "app.log", "on")
    assert tail.go(5) == [*lines("a", 5), "on"]
    tail.restart()
    append(tmp_path / "app.log.bak", "its own")
    assert tail.go(3) == [*lines("a", 5), "on", "its own"]


@pytest.mark.parametrize("again", [1, 5, 50], ids=["shorter", "as long", "longer"])
def test_truncated_and_written_anew(tail, tmp_path, again):
    path = tmp_path / "app.log"
    append(path, *lines("a", 5))
    tail.go()
    os.truncate(path, 0)
    append(path, *lines("b", again))
    assert tail.go(2) == [*lines("a", 5), *lines("b", again)]
    assert tail.count("truncations_total") == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["=" * 1500, *lines("a", 20)], ["=" * 1500, *lines("b", 40)]),
        (["first", *["tick"] * 500], ["other", *["tick"] * 700]),
    ],
    ids=["same head", "same bytes before the offset"],
)
def test_written_anew_with_bytes_in_common(tail, tmp_path, before, after):
    path = tmp_path / "app.log"
    append(path, *before)
    tail.go()
    os.truncate(path, 0)
    append(path, *after)
    assert tail.go(2) == [*before, *after]


def test_unread_bytes_of_a_truncated_file_are_counted(tmp_path):
    tail = Tail(tmp_path)
    path = tmp_path / "app.log"
    path.write_text("whole\nunfinished")
    tail.go()
    os.truncate(path, 0)
    append(path, "new")
    assert tail.go(15) == ["whole", "new"]
    assert tail.count("unread_bytes_total") == len("unfinished")
    assert len(tail.stored) == 2, "the checkpoint of what is gone is gone as well"


def test_deleted_while_unread_is_read_to_its_end(tail, tmp_path):
    path = tmp_path / "app.log"
    append(path, "one")
    tail.go()
    with path.open("a") as writer:
        path.unlink()
        writer.write("two\nthree without newline")
    tail.go()
    assert tail.seen == ["one", "two"]
    tail.go(20)
    assert tail.seen == ["one", "two", "three without newline"]
    assert tail.count("open_files") == 0
    assert set(tail.stored) == {b"patterns"}


def test_an_inode_that_is_used_again_is_a_new_file(tail, tmp_path):
    path = tmp_path / "app.log"
    append(path, *lines("a", 5))
    tail.go()
    tail.follower.close()
    # The same inode with other content, whatever the file system would do.
    path.write_text("".join(line + "\n" for line in lines("another", 9)))
    tail.start()
    assert tail.go() == [*lines("a", 5), *lines("another", 9)]


def test_equal_headers_are_different_files(tail, tmp_path):
    header = "=" * 1500
    for name in ("a", "b", "c"):
        append(tmp_path / f"{name}.log", header, f"{name} 1")
    tail.go()
    for name in ("a", "b", "c"):
        append(tmp_path / f"{name}.log", f"{name} 2")
    tail.go(2)
    expected = {header: 3} | {f"{name} {number}": 1 for name in "abc" for number in (1, 2)}
    assert Counter(tail.seen) == Counter(expected)


def test_a_file_that_begins_like_its_rotated_one_is_read(tail, tmp_path):
    path = tmp_path / "app.log"
    append(path, *["tick"] * 500)
    tail.go()
    path.rename(tmp_path / "app.log.1")
    append(path, *["tick"] * 600)
    tail.go(3)
    assert len(tail.seen) == 1100


def test_restart_goes_on_where_it_was(tail, tmp_path):
    path = tmp_path / "app.log"
    path.write_text("one\ntwo\npart")
    assert tail.go() == ["one", "two"]
    tail.restart()
    with path.open("a") as writer:
        writer.write("ial\nthree\n")
    assert tail.go() == ["one", "two", "partial", "three"]


def test_moved_to_another_folder_while_it_is_dead(tmp_path):
    (tmp_path / "old").mkdir()
    tail = Tail(tmp_path, pattern="**/*.log")
    append(tmp_path / "app.log", "one")
    tail.go()
    tail.follower.close()
    (tmp_path / "app.log").rename(tmp_path / "old" / "app-2026.log")
    append(tmp_path / "old" / "app-2026.log", "two")
    tail.start()
    assert tail.go() == ["one", "two"]


def test_a_damaged_checkpoint_reads_rather_twice_than_never(tail, tmp_path):
    append(tmp_path / "app.log", "one")
    tail.go()
    tail.follower.close()
    for key in tail.stored:
        if key != b"patterns":
            tail.stored[key] = b"{broken"
    tail.start()
    assert tail.go() == ["one", "one"]


def test_start_at_end_but_new_files_whole(tmp_path):
    path = tmp_path / "app.log"
    path.write_text("old\nbeing writ")
    tail = Tail(tmp_path, selection={"start_at_end": True})
    assert tail.go() == []
    with path.open("a") as writer:
        writer.write("ten\n")
    append(tmp_path / "new.log", "new")
    assert sorted(tail.go(2)) == ["being written", "new"]
    tail.follower.close()
    append(tmp_path / "while-dead.log", "made while it was dead")
    append(path, "more")
    tail.start()
    assert sorted(tail.go(1)) == ["being written", "made while it was dead", "more", "new"]


def test_the_last_line_waits_for_its_newline_and_then_no_longer(tail, tmp_path):
    path = tmp_path / "app.log"
    path.write_text("one\nhalf")
    tail.go(4)
    assert tail.seen == ["one"]
    with path.open("a") as writer:
        writer.write(" a line")
    tail.go(4)
    assert tail.seen == ["one"], "patience begins anew with each byte"
    tail.go(4)
    assert tail.seen == ["one", "half a line"]
    with path.open("a") as writer:
        writer.write(", too late\n")
    assert tail.go(4) == ["one", "half a line", ", too late"]


def test_a_line_without_end_is_cut_and_counted(tmp_path):
    tail = Tail(tmp_path, reader=Reader(joiner=SingleLines(), max_line_bytes=1000))
    (tmp_path / "app.log").write_bytes(b"x" * 5_000_000 + b"\nnext\n")
    tail.go()
    assert tail.seen == ["x" * 1000, "next"]
    assert tail.count("truncated_lines_total") == 1
    assert tail.count("truncated_bytes_total") == pytest.approx(4_999_000, abs=1)


def test_a_cut_line_is_not_begun_again_after_a_restart(tmp_path):
    tail = Tail(tmp_path, reader=Reader(joiner=SingleLines(), max_line_bytes=100))
    path = tmp_path / "app.log"
    path.write_bytes(b"x" * 3_000_000)
    tail.go()
    tail.restart()
    with path.open("ab") as writer:
        writer.write(b"y" * 10 + b"\nnext\n")
    assert tail.go() == ["x" * 100, "next"]


def test_a_hole_is_leapt_over(tail, tmp_path):
    path = tmp_path / "app.log"
    with path.open("wb") as writer:
        writer.seek(2 << 30)
        writer.write(b"after the hole\n")
    assert tail.go(2) == ["after the hole"]


def test_a_writer_that_keeps_its_position_after_copytruncate(tail, tmp_path):
    path = tmp_path / "app.log"
    with path.open("wb", buffering=0) as writer:
        writer.write(b"".join(b"line %d\n" % number for number in range(1000)))
        tail.go()
        os.truncate(path, 0)
        writer.write(b"after\n")
    assert tail.go(2)[1000:] == ["after"]


def test_links_lead_to_one_file(tail, tmp_path):
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "target"
    append(target, "one")
    for name in ("a.log", "b.log"):
        (tmp_path / name).symlink_to(target)
    os.link(target, tmp_path / "hard.log")
    tail.go()
    append(target, "two")
    assert tail.go(2) == ["one", "two"]


def test_a_link_that_is_turned_to_another_file(tail, tmp_path):
    for number in (0, 1):
        append(tmp_path / f"{number}", f"{number}")
    (tmp_path / "current.log").symlink_to(tmp_path / "0")
    tail.go()
    (tmp_path / "next").symlink_to(tmp_path / "1")
    append(tmp_path / "0", "0 late")
    (tmp_path / "next").rename(tmp_path / "current.log")
    assert sorted(tail.go(2)) == ["0", "0 late", "1"]


def test_only_regular_files(tail, tmp_path, caplog):
    os.mkfifo(tmp_path / "fifo.log")
    (tmp_path / "folder.log").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket.log"))
        (tmp_path / "zero.log").symlink_to("/dev/zero")
        (tmp_path / "dangling.log").symlink_to(tmp_path / "nowhere")
        append(tmp_path / "app.log", "one")
        assert tail.go(5) == ["one"]
    assert caplog.text.count("fifo.log") == 1


def test_the_state_directory_is_never_read(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    append(state / "agent.log", "loop")
    (tmp_path / "link.log").symlink_to(state / "agent.log")
    append(tmp_path / "app.log", "one")
    tail = Tail(tmp_path, pattern="**/*.log", selection={"forbidden": [str(state)]})
    assert tail.go(2) == ["one"]


def test_exclusions(tmp_path):
    (tmp_path / "debug" / "deep").mkdir(parents=True)
    for name in ("app.log", "app.log.gz", "debug/x.log", "debug/deep/y.log"):
        append(tmp_path / name, name)
    tail = Tail(tmp_path, pattern="**", selection={"exclude": ["*.gz", str(tmp_path / "debug/**")]})
    assert tail.go() == ["app.log"]


def test_more_files_than_may_be_open(tmp_path):
    tail = Tail(tmp_path, pace=Pace(max_open_files=5))
    paths = [tmp_path / f"{number:02}.log" for number in range(40)]
    for path in paths:
        append(path, f"{path.name} 1")
    tail.go(2)
    assert tail.count("open_files") <= 5
    assert tail.count("files") == 40
    for path in paths:
        append(path, f"{path.name} 2")
    tail.go(3)
    assert Counter(tail.seen) == Counter(f"{path.name} {number}" for path in paths for number in (1, 2))


def test_closed_and_rotated_out_of_sight_it_is_found_again(tmp_path):
    tail = Tail(tmp_path, pattern="*.log", pace=Pace(max_open_files=1))
    for name in ("a", "b"):
        append(tmp_path / f"{name}.log", f"{name} 1")
    tail.go(2)
    for name in ("a", "b"):
        append(tmp_path / f"{name}.log", f"{name} 2")
        (tmp_path / f"{name}.log").rename(tmp_path / f"{name}.old")
    assert sorted(tail.go(3)) == ["a 1", "a 2", "b 1", "b 2"]


def test_a_busy_file_lets_the_others_have_their_turn(tail, tmp_path):
    append(tmp_path / "busy.log", *lines("busy" + 90 * ".", 400_000))
    for number in range(1000):
        append(tmp_path / f"quiet{number}.log", f"quiet {number}")
    tail.follower.scan(tail.now)
    tail.turn()
    assert sum(line.startswith("busy") for line in tail.seen) < 100_000, "a busy file has its turn, no more"
    while sum(line.startswith("quiet") for line in tail.seen) < 1000:
        assert tail.turn()
    assert sum(line.startswith("busy") for line in tail.seen) < 300_000
    tail.read()
    assert len(tail.seen) == 401_000


def test_once_reads_to_the_present_end_and_flushes(tmp_path):
    (tmp_path / "a.log").write_text("one\nlast without newline")
    tail = Tail(tmp_path, once=True, reader=Reader(joiner=preset("python")))
    tail.follower.scan(tail.now)
    append(tmp_path / "a.log", " too late")
    tail.read()
    assert tail.seen == ["one", "last without newline"]


def test_offsets_identify_events(tail, tmp_path):
    (tmp_path / "a.log").write_bytes(b"one\r\ntwo\n\nthree\n")
    tail.follower.scan(tail.now)
    [piece] = tail.turn()
    assert piece.starts.tolist() == [0, 5, 9, 10]
    assert tail.seen == ["one", "two", "", "three"]


def test_a_trace_that_comes_in_pieces_is_one_event(tmp_path):
    tail = Tail(tmp_path, reader=Reader(joiner=preset("python")))
    path = tmp_path / "app.log"
    parts = [
        "ERROR a\n",
        "Traceback (most recent call last):\n  File",
        ' "x.py", line 1, in f\n',
        "ValueError: b\nINFO c\n",
    ]
    traces = []
    for part in parts:
        with path.open("a") as writer:
            writer.write(part)
        tail.now += 0.2
        tail.follower.scan(tail.now)
        for piece in tail.turn():
            traces += piece.stacktrace.to_pylist() if piece.stacktrace else [None]
    tail.go(2)
    assert tail.seen == ["ERROR a", "INFO c"]
    assert traces == ['Traceback (most recent call last):\n  File "x.py", line 1, in f\nValueError: b']


@pytest.fixture
def nobody():
    """Act as a user without rights, in a folder that it can enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    if os.geteuid() == 0:
        os.seteuid(65534)
    yield folder
    if os.getuid() == 0:
        os.seteuid(0)
    shutil.rmtree(folder)


def test_an_unreadable_file_is_told_once_and_read_later(nobody, caplog):
    owner = os.getuid()

    def as_owner(action):
        effective = os.geteuid()
        os.seteuid(owner)
        action()
        os.seteuid(effective)

    def make():
        append(nobody / "secret.log", "secret")
        (nobody / "secret.log").chmod(0)
        append(nobody / "app.log", "one")
        (nobody / "app.log").chmod(0o644)  # whatever the umask

    as_owner(make)
    tail = Tail(nobody)
    tail.go(30)
    assert tail.seen == ["one"]
    assert tail.count("unreadable_files") == 1
    assert caplog.text.count("secret.log") == 1
    as_owner(lambda: (nobody / "secret.log").chmod(0o644))
    tail.go(70)
    assert tail.seen == ["one", "secret"]
    assert tail.count("unreadable_files") == 0
    tail.follower.close()
