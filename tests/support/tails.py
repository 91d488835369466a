"""A `Follower` that a test drives by hand, with a clock that it moves."""

from __future__ import annotations

import logging
from pathlib import Path

import attrs

from yaat_core.stats import ComponentStats, Stats
from yaat_kit.following.follower import Follower
from yaat_kit.following.pacing import Pace
from yaat_kit.following.reader import Reader
from yaat_kit.following.starting import Selection
from yaat_kit.following.tally import Tally
from yaat_kit.multiline import SingleLines


@attrs.define
class Tail:
    """A follower, driven by hand; what it hands over is durable at once."""

    folder: Path
    pattern: str = "*.log*"
    stored: dict = attrs.field(factory=dict)
    stats: Stats = attrs.field(factory=Stats)
    selection: dict = attrs.field(factory=dict)
    pace: Pace = attrs.field(factory=Pace)
    reader: Reader = attrs.field(factory=lambda: Reader(joiner=SingleLines()))
    once: bool = False
    now: float = 100.0
    seen: list = attrs.field(factory=list)
    follower: Follower = None

    def __attrs_post_init__(self):
        self.start()

    def start(self):
        self.follower = Follower(
            Selection(paths=[str(self.folder / self.pattern)], **self.selection),
            self.reader,
            self.pace,
            self.stored,
            tally=Tally.of(ComponentStats(self.stats, "sources.test"), "yaat_file"),
            log=logging.getLogger("test"),
            once=self.once,
        )

    def restart(self):
        """As after `kill -9`."""
        self.follower.close()
        self.start()

    def store(self, checkpoints):
        for key, value in checkpoints.items():
            if value is None:
                self.stored.pop(key, None)
            else:
                self.stored[key] = value

    def turn(self):
        pieces = self.follower.turn(self.now)
        self.store(self.follower.registrations())
        for piece in pieces:
            self.seen += piece.message.to_pylist()
            self.store({piece.generation.key: piece.checkpoint.encode()})
            self.follower.sent(piece)
        return pieces

    def read(self):
        """Everything that can be read now."""
        while self.turn() or not self.follower.pause(self.now):
            pass

    def go(self, seconds=0.5):
        """Scan and read, as time goes by."""
        for _ in range(max(1, int(seconds / 0.5))):
            self.now += 0.5
            self.follower.scan(self.now)
            self.read()
        return self.seen

    def go_once(self):
        """Scan alone."""
        self.now += 0.5
        self.follower.scan(self.now)

    def count(self, name):
        return sum(sample.value for sample in self.stats.snapshot() if sample.name == f"yaat_file_{name}")


def append(path: Path, *lines: str):
    with path.open("a") as file:
        file.write("".join(line + "\n" for line in lines))


def lines(name: str, count: int, start: int = 0):
    return [f"{name} line {number}" for number in range(start, start + count)]
