"""How far a log was read: by time, and by how many frames of exactly that time, for several may share one."""

from __future__ import annotations

from typing import Any, Final

import attrs
import msgspec
import numpy as np

PREFIX: Final = b"log:"
NAMES: Final = {1: "stdout", 2: "stderr"}


@attrs.define
class Cursor:
    """Behind ``ordinal`` frames of a stream: the latest has the ``time`` (nanoseconds), as have ``count`` in all."""

    time: int = 0
    count: int = 0
    ordinal: int = 0

    def advance(self, times: Any) -> None:
        """Past frames of these times."""
        if not len(times):
            return
        latest = int(times.max())
        if latest > self.time:
            self.time, self.count = latest, 0
        if latest == self.time:
            self.count += int(np.count_nonzero(times == latest))
        self.ordinal += len(times)

    def copy(self) -> Cursor:
        """Another one at the same place."""
        return attrs.evolve(self)


@attrs.define
class Skip:
    """What comes again when a log is asked for from a cursor's time on: passed over, up to the first new frame."""

    time: int
    count: int
    active: bool = True

    def passed(self, times: Any) -> int:
        """How many frames at the front were seen before."""
        if not self.active or not len(times):
            return 0
        equal = times == self.time
        seen = (times < self.time) | (equal & (np.cumsum(equal) <= self.count))
        passed = len(times) if seen.all() else int(np.argmin(seen))
        self.count -= int(np.count_nonzero(equal[:passed]))
        self.active = passed == len(times)
        return passed


@attrs.frozen(kw_only=True)
class Checkpoint:
    """A cursor as stored. ``since`` is the time of the first frame that was read and not delivered, 0 when there is none."""

    created: int
    time: int
    count: int
    ordinal: int
    since: int = 0
    at: int = 0
    """Seconds since the epoch when it was written."""

    def encode(self) -> bytes:
        """As stored."""
        return msgspec.json.encode(attrs.asdict(self))

    @classmethod
    def decode(cls, value: bytes) -> Checkpoint:
        """The inverse.

        Raises:
            ValueError: not such a value.
        """
        try:
            return cls(**msgspec.json.decode(value, type=dict[str, int]))
        except (msgspec.MsgspecError, TypeError) as error:
            raise ValueError(f"not a checkpoint of a container's log: {error}") from None

    @property
    def cursor(self) -> Cursor:
        """Where it is."""
        return Cursor(self.time, self.count, self.ordinal)


def key_of(id: str, number: int) -> bytes:
    """Under which the checkpoint of a container's stream is kept."""
    return PREFIX + f"{id}/{NAMES[number]}".encode()


def id_of(key: bytes) -> str | None:
    """The container that a key belongs to; None for other keys."""
    return (
        key[len(PREFIX) :].partition(b"/")[0].decode("ascii", "replace") if key.startswith(PREFIX) else None
    )
