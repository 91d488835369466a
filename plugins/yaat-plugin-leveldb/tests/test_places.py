"""Where the queue's folder can't be used as it should: full of names, not writable, not ours, or links in its place."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from yaat_core.errors import StoreUnavailable, YaatError


@pytest.fixture
def few_names(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for bytes and for few files."""
    folder = tmp_path / "small"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", "size=64m,nr_inodes=40", "none", str(folder)]
    mounted = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no tmpfs to be had: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(rig: Any) -> None:
    for _ in range(200):
        rig.append(1000, 50)


def test_no_inode_is_left(make_rig: Callable[..., Any], few_names: Path) -> None:
    """LevelDB can't begin a new file: nothing that was acknowledged is lost, and it goes on when there are names."""
    rig = make_rig(few_names)
    rig.open()
    rig.append(10)
    taken: list[Path] = []
    while True:
        try:
            taken.append(few_names / f"taken-{len(taken)}")
            taken[-1].touch()
        except OSError:
            break
    with pytest.raises(StoreUnavailable):
        fill(rig)
    with pytest.raises(StoreUnavailable):
        rig.queue.recover()
    for path in taken:
        path.unlink(missing_ok=True)
    assert rig.queue.recover() is None
    rig.append(10)
    rig.holds_all()
    assert list(rig.reopen()) == []
    rig.holds_all()


def test_a_view_needs_no_name_there(make_rig: Callable[..., Any], few_names: Path) -> None:
    rig = make_rig(few_names)
    rig.open()
    rig.append(10)
    rig.queue.close()
    taken = 0
    while True:
        try:
            (few_names / f"taken-{taken}").touch()
            taken += 1
        except OSError:
            break
    view = rig.make().view()
    assert list(view.open()) == []
    assert view.state().tail == 10
    assert list(view.verify()) == []
    view.close()


LOOK = """
import os, sys, tempfile
from pathlib import Path
from yaat_core.config.options import Size
from yaat_core.errors import YaatError
from yaat_core.testing import make_context
from yaat_plugin_leveldb.config import LevelDBConfig
from yaat_plugin_leveldb.queue import LevelDBQueue
tempfile.gettempdir()
os.setgid(65534); os.setuid(65534)
queue = LevelDBQueue(LevelDBConfig(reserve=Size(0)), make_context(Path(sys.argv[1]), "queue"))
try:
    if sys.argv[2] == "view":
        queue = queue.view()
    queue.open()
    print(queue.state().tail)
except YaatError as error:
    print(type(error).__name__, error.render())
finally:
    queue.close()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="takes another user")
@pytest.mark.parametrize(
    ("mode", "how", "told"),
    [
        (0o000, "view", "StoreUnavailable"),
        (0o000, "open", "StoreUnavailable"),
        (0o555, "view", "10"),
        (0o555, "open", "StoreUnavailable"),
    ],
)
def test_another_user(make_rig: Callable[..., Any], mode: int, how: str, told: str) -> None:
    """No permission is told and never taken for damage; whoever may read may look."""
    folder = Path(tempfile.mkdtemp(prefix="leveldb-places-"))
    try:
        rig = make_rig(folder)
        rig.open()
        rig.append(10)
        rig.queue.close()
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o444)
        rig.store.chmod(mode)
        before = {path: path.lstat().st_mtime_ns for path in rig.home.rglob("*")}
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [sys.executable, "-c", LOOK, str(folder), how],
            capture_output=True,
            text=True,
            env=environ,
            cwd="/",
            timeout=60,
            check=False,
        )
        assert done.stdout.startswith(told), done.stdout + done.stderr
        if told != "10":
            assert "ermission denied" in done.stdout or "not permitted" in done.stdout
        rig.store.chmod(0o755)
        assert {path: path.lstat().st_mtime_ns for path in rig.home.rglob("*")} == before
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("name", ["store", "initialised", "quarantine", "reserve"])
def test_a_link_in_place_of_what_is_ours_harms_nobody_elses_files(
    rig: Any, tmp_path: Path, name: str
) -> None:
    """Somebody who can write the folder points a name elsewhere: nothing there is overwritten."""
    rig.append(10)
    rig.queue.close()
    victim = tmp_path / "victim"
    target = rig.home / name
    if target.is_dir():
        target.rename(tmp_path / "aside")
    else:
        target.unlink(missing_ok=True)
    if name in ("store", "quarantine"):
        victim.mkdir()
        (victim / "letters.txt").write_text("Dear")
    else:
        victim.write_text("Dear")
    target.symlink_to(victim)
    try:
        rig.open()
        rig.accepted = rig.queue.state().tail
        rig.append(5)
    except YaatError as error:
        assert str(rig.home) in error.render()
    content = (victim / "letters.txt") if victim.is_dir() else victim
    assert content.read_text() == "Dear"
