"""Histories: whatever a writer, logrotate, gzip and `kill -9` do in whatever order, each line comes once, but for
those that were deleted or truncated away before they were read."""

from __future__ import annotations

import gzip
import logging
import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from yaat_core.stats import ComponentStats, Stats
from yaat_kit.following.follower import Follower
from yaat_kit.following.pacing import Pace
from yaat_kit.following.reader import Reader
from yaat_kit.following.starting import Selection
from yaat_kit.following.tally import Tally
from yaat_kit.multiline import SingleLines


class World:
    """A folder of logs, a follower, and a queue that holds what was durable at the last `kill -9`."""

    def __init__(self, folder: Path, max_open: int, archives: bool) -> None:
        self.folder = folder
        self.max_open = max_open
        self.archives = archives
        self.gone: list[str] = []
        self.written: list[str] = []
        self.seen: list[str] = []
        self.stored: dict[bytes, bytes] = {}
        self.stats = Stats()
        self.now = 0.0
        self.follower: Follower | None = None
        self.start()

    # --- the agent ----------------------------------------------------------------------------

    def start(self) -> None:
        if self.follower is None:
            self.follower = Follower(
                Selection(
                    paths=[str(self.folder / "*.log*")],
                    exclude=[] if self.archives else ["*.gz"],
                    archives=self.archives,
                ),
                Reader(joiner=SingleLines(), fingerprint_bytes=64),
                Pace(max_open_files=self.max_open),
                self.stored,
                tally=Tally.of(ComponentStats(self.stats, "sources.test"), "yaat_file"),
                log=logging.getLogger("test"),
            )

    def kill(self) -> None:
        if self.follower is not None:
            self.follower.close()
            self.follower = None

    def scan(self) -> None:
        self.now += 0.5
        if self.follower is not None:
            self.follower.scan(self.now)

    def turn(self, durable: int = 1_000_000) -> None:
        """A turn, of which only so many pieces become durable before the agent is killed."""
        self.now += 1.1
        if self.follower is None:
            return
        pieces = self.follower.turn(self.now)
        self.store(self.follower.registrations())
        for piece in pieces[:durable]:
            self.seen += piece.message.to_pylist()
            self.store({piece.generation.key: piece.checkpoint.encode()})
            self.follower.sent(piece)
        if durable < len(pieces):
            self.kill()

    def store(self, checkpoints) -> None:
        self.stored.update({key: value for key, value in checkpoints.items() if value is not None})
        for key in [key for key, value in checkpoints.items() if value is None]:
            self.stored.pop(key, None)

    def finish(self) -> None:
        self.start()
        packed = len(list(self.folder.glob("*.gz")))
        for _ in range(12 + 3 * packed):
            self.scan()
            self.turn()

    # --- the world ----------------------------------------------------------------------------

    def write(self, name: str, count: int) -> None:
        lines = [f"{name} {len(self.written) + number}" for number in range(count)]
        self.written += lines
        with (self.folder / name).open("a") as file:
            file.write("".join(line + "\n" for line in lines))

    def rotate(self, name: str) -> None:
        """Rename and create, keeping all."""
        self._shift(name)
        if (self.folder / name).exists():
            (self.folder / name).rename(self.folder / f"{name}.1")

    def copytruncate(self, name: str) -> None:
        self._shift(name)
        if (self.folder / name).exists():
            shutil.copyfile(self.folder / name, self.folder / f"{name}.1")
            os.truncate(self.folder / name, 0)

    def compress(self, name: str) -> None:
        """The oldest rotated one that is not compressed yet."""
        for number in range(30, 0, -1):
            path = self.folder / f"{name}.{number}"
            if path.exists():
                path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
                if not self.archives:
                    self._lose(path)
                path.unlink()
                return

    def delete(self, name: str) -> None:
        """The oldest rotated one, or the file itself."""
        for number in range(30, -1, -1):
            path = self.folder / (f"{name}.{number}" if number else name)
            if path.exists():
                self._lose(path)
                path.unlink()
                return

    def overwrite(self, name: str, count: int) -> None:
        """Truncate, and grow past what was there between two looks."""
        path = self.folder / name
        if path.exists():
            self._lose(path)
            lines = path.read_text().count("\n")
            os.truncate(path, 0)
            self.write(name, lines + count)

    def _lose(self, path: Path) -> None:
        """What is unread now may come or not."""
        self.gone += path.read_text().splitlines()

    def _shift(self, name: str) -> None:
        for number in range(30, 0, -1):
            for suffix in ("", ".gz"):
                path = self.folder / f"{name}.{number}{suffix}"
                if path.exists():
                    path.rename(self.folder / f"{name}.{number + 1}{suffix}")


names = st.sampled_from(["a.log", "b.log"])
steps = st.one_of(
    st.tuples(st.just("write"), names, st.integers(1, 40)),
    st.tuples(st.just("rotate"), names),
    st.tuples(st.just("copytruncate"), names),
    st.tuples(st.just("compress"), names),
    st.tuples(st.just("delete"), names),
    st.tuples(st.just("overwrite"), names, st.integers(1, 40)),
    st.tuples(st.just("scan")),
    st.tuples(st.just("turn")),
    st.tuples(st.just("turn"), st.integers(0, 2)),
    st.tuples(st.just("kill")),
    st.tuples(st.just("start")),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(steps, max_size=25), st.sampled_from([1, 3, 100]), st.booleans())
def test_each_line_comes_once(history, max_open, archives):
    folder = Path(tempfile.mkdtemp())
    world = World(folder, max_open, archives)
    try:
        for name, *arguments in history:
            getattr(world, name)(*arguments)
        world.finish()
        assert not Counter(world.seen) - Counter(world.written), "nothing comes twice"
        assert set(world.written) - set(world.seen) <= set(world.gone), "nothing that was there is missing"
    finally:
        world.kill()
        shutil.rmtree(folder)
