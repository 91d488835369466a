from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from yaat_core.control import lock
from yaat_core.control.lock import StateLock, holder, looking
from yaat_core.errors import StateInUse, StoreUnavailable

HOLD = """
import sys
import threading
import time
from pathlib import Path
from yaat_core.control.lock import StateLock
with StateLock(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_makes_a_private_directory_and_writes_its_pid(tmp_path: Path) -> None:
    state = tmp_path / "deep" / "state"
    with StateLock(state):
        assert (state / "lock").read_text() == f"{os.getpid()}\n"
        assert stat.S_IMODE((state / "lock").stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


def test_leaves_the_mode_of_a_directory_that_was_there(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    with StateLock(tmp_path):
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o750


def test_a_second_process_is_refused_and_a_killed_one_leaves_no_lock(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(StateInUse, match=f"in use by pid {holder.pid}") as caught, StateLock(tmp_path):
            pass
        assert caught.value.exit_code == 1
        assert caught.value.fix
    finally:
        holder.kill()
        holder.wait()
    with StateLock(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_it_can_be_taken_again_and_not_twice(tmp_path: Path) -> None:
    for _ in range(2):
        with StateLock(tmp_path), pytest.raises(StateInUse), StateLock(tmp_path):
            pass


def test_a_place_that_can_not_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="can't be used"), StateLock(tmp_path / "file" / "state"):
        pass


def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    state = tmp_path / "state"
    state.mkdir()
    (state / "lock").symlink_to(victim)
    with pytest.raises(StoreUnavailable), StateLock(state):
        pass
    assert victim.read_text() == "precious"


def test_who_only_looks_is_waited_for(tmp_path: Path) -> None:
    with StateLock(tmp_path):
        pass
    looked, ended = threading.Event(), threading.Event()

    def look() -> None:
        with looking(tmp_path):
            looked.set()
            time.sleep(0.3)
            ended.set()

    thread = threading.Thread(target=look)
    thread.start()
    assert looked.wait(60)
    with StateLock(tmp_path):
        assert ended.is_set()
        assert holder(tmp_path) == str(os.getpid())
    thread.join(60)


def test_who_looks_for_long_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "PATIENCE", 0.1)
    with StateLock(tmp_path):
        pass
    with looking(tmp_path), pytest.raises(StateInUse, match="a command is looking"), StateLock(tmp_path):
        pass
