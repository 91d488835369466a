"""What the system tells of changes, with real folders."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from yaat_kit.following import filesystems
from yaat_kit.following.wakeups import Watch

PATIENCE = 60.0


def watching(*folders: Path, concerns=lambda path: True) -> Watch:
    watch = Watch(logging.getLogger("test"), concerns)
    assert watch.follow(frozenset(map(str, folders)))
    return watch


def until(watch: Watch, path: Path) -> None:
    """Wait until a change of ``path`` is told."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if str(path) in watch.changes():
            return
    raise AssertionError(f"no change of {path} was told")


def test_what_comes_changes_and_goes_is_told(tmp_path):
    watch = watching(tmp_path)
    path = tmp_path / "a.log"
    path.write_text("one\n")
    until(watch, path)
    with path.open("a") as writer:
        writer.write("two\n")
    until(watch, path)
    path.rename(tmp_path / "a.log.1")
    until(watch, tmp_path / "a.log.1")
    (tmp_path / "a.log.1").unlink()
    until(watch, tmp_path / "a.log.1")


def test_changes_of_other_files_wake_nobody(tmp_path):
    (tmp_path / "other.txt").write_text("")
    (tmp_path / "a.log").write_text("")
    watch = watching(tmp_path, concerns=lambda path: path.endswith(".log"))
    for _ in range(5):
        with (tmp_path / "other.txt").open("a") as writer:
            writer.write("x")
    with (tmp_path / "a.log").open("a") as writer:
        writer.write("x")
    changes: frozenset[str] = frozenset()
    while str(tmp_path / "a.log") not in changes:
        changes = watch.changes()
        assert str(tmp_path / "other.txt") not in changes


def test_a_folder_that_is_not_there_yet(tmp_path):
    watch = watching(tmp_path / "later" / "deep")
    (tmp_path / "later").mkdir()
    until(watch, tmp_path / "later")
    (tmp_path / "later" / "deep").mkdir()
    assert watch.follow(frozenset({str(tmp_path / "later" / "deep")})), "there is another folder to watch"
    (tmp_path / "later" / "deep" / "a.log").write_text("")
    until(watch, tmp_path / "later" / "deep" / "a.log")


def test_the_same_folders_are_not_watched_anew(tmp_path):
    watch = watching(tmp_path)
    assert not watch.follow(frozenset({str(tmp_path)}))
    assert watch.problem is None


def test_stop_ends_the_waiting(tmp_path):
    watch = watching(tmp_path)
    thread = threading.Thread(target=watch.changes)
    thread.start()
    watch.stop()
    thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.mark.parametrize("kind", ["nfs4", "overlay", "fuse.sshfs"])
def test_where_changes_may_stay_untold_it_is_polled_as_well(tmp_path, monkeypatch, caplog, kind):
    monkeypatch.setattr(filesystems, "_mounted", lambda minute: {os.stat(tmp_path).st_dev: kind})
    watch = watching(tmp_path)
    (tmp_path / "folder").mkdir()
    watch.follow(frozenset({str(tmp_path), str(tmp_path / "folder")}))
    assert not watch.complete
    assert watch.problem is None
    assert caplog.text.count(kind) == 1, "told once"
    (tmp_path / "a.log").write_text("")
    until(watch, tmp_path / "a.log")


EXHAUSTED = """
import logging, resource, sys
from yaat_kit.following.wakeups import Watch
resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
watch = Watch(logging.getLogger("test"), lambda path: True)
watch.follow(frozenset({sys.argv[1]}))
assert not watch.complete
assert watch.changes() == frozenset()
print(watch.problem.problem, watch.problem.advice, watch.problem.level)
"""


def test_without_inotify_it_says_so(tmp_path):
    """Descriptors at their end refuse an inotify instance as max_user_instances does (EMFILE)."""
    done = subprocess.run(
        [sys.executable, "-c", EXHAUSTED, str(tmp_path)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    assert "no inotify watches are left" in done.stdout
    assert "max_user_watches" in done.stdout
    assert done.stdout.rstrip().endswith("warn")
    assert done.stderr.count("are polled, not watched") == 1


def test_file_systems_are_known():
    assert filesystems.kind_of(os.stat("/proc/self/mountinfo").st_dev) == "proc"
    assert filesystems.is_made_up("proc")
    assert not filesystems.is_made_up("ext4")
    assert not filesystems.is_silent(filesystems.kind_of(-1))
