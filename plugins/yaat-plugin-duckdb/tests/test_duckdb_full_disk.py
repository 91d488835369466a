"""No space, on a real small file system: nothing lost, nothing twice, and it goes on by itself when there is room."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from yaat_core.components import Done, Retry

SIZE = 12 * 2**20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs of 12 MiB; needs the right to mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"can't mount a tmpfs here: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path, leave: int) -> Path:
    """A file that leaves so many bytes free."""
    ballast = folder / "ballast"
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, free - leave))
    return ballast


LEVELS = (0, 5_000, 40_000, 150_000, 300_000, 700_000, 1_500_000)
QUICK = (("often", 40_000), ("never", 300_000))


@pytest.mark.parametrize(
    ("checkpoints", "leave"),
    [
        pytest.param(often, leave, marks=() if (often, leave) in QUICK else pytest.mark.faults)
        for often in ("often", "never")
        for leave in LEVELS
    ],
)
def test_full_disk(make_bench: Any, small_disk: Path, leave: int, checkpoints: str) -> None:
    """Full in the log's append, in its sync, in a CHECKPOINT: at whatever level it comes."""
    bench = make_bench(small_disk)
    interval, size = (0.01, 2**20) if checkpoints == "often" else (3600.0, 2**30)
    bench.open(checkpoint_interval=interval, checkpoint_bytes=size)
    bench.deliver(1, 1000)
    ballast = fill(small_disk, leave)
    last, failures = 1000, 0
    while failures < 3:
        assert last < 400_000, "the disk never was full"
        outcome = bench.deliver(last + 1, 1000)
        if isinstance(outcome, Done):
            last += 1000
        else:
            assert isinstance(outcome, Retry), outcome
            assert outcome.why
            failures += 1
    ballast.unlink()
    for _ in range(5):
        assert bench.deliver(last + 1, 1000) == Done(), "space is back, and it does not go on"
        last += 1000
    assert bench.sequences() == list(range(1, last + 1))


def test_full_disk_at_the_first_start(make_bench: Any, small_disk: Path) -> None:
    from yaat_core.errors import YaatError

    bench = make_bench(small_disk)
    _ = bench.context
    ballast = fill(small_disk, 4096)
    with pytest.raises(YaatError) as caught:
        bench.open()
    assert "space" in caught.value.render().lower()
    bench.writer = None
    ballast.unlink()
    bench.open()
    bench.deliver(1, 10)
    assert bench.sequences() == list(range(1, 11))
