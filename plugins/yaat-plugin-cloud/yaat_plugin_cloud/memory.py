"""What a restart has to know of a delivery: its parts, how often it failed, not before when to go on.

One small file for each sink. It is written when something went another way than at once and whole, and before a request
is sent that differs from what the options alone would make; never for a delivery that simply succeeds.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import attrs
import msgspec

from yaat_core import durable
from yaat_core.components import Position
from yaat_core.errors import StoreNewer
from yaat_plugin_cloud.plan import Plan

_VERSION: Final = 1


class Cut(msgspec.Struct, frozen=True):
    """What decides where a delivery is cut into requests."""

    rows: int
    bytes: int
    compression: str
    level: int


class Trouble(msgspec.Struct, frozen=True):
    """How it went so far, when it went badly. Times are wall time."""

    failures: int = 0
    """Rounds in a row in which the server took nothing."""
    since: float = 0.0
    not_before: float = 0.0
    why: str = ""
    paused: bool = False
    breaker: int = 0
    """Failed requests in a row."""


class _File(msgspec.Struct):
    version: int
    cut: Cut
    plan: object = None
    trouble: Trouble = Trouble()


@attrs.define(eq=False)
class Memory:
    """The file, and what it says."""

    path: Path
    cut: Cut
    """How the current delivery is cut: as it was when it was first sent, whatever the options say by now."""
    plan: Plan | None = None
    trouble: Trouble = attrs.field(factory=Trouble)
    problem: str = ""
    """Why it can't be written or was not read; empty when all is well."""
    _wanted: Cut = attrs.field(init=False)
    _kept: bool = False
    """The file has something of this plan."""
    _begun: bool = False

    def __attrs_post_init__(self) -> None:
        self._wanted = self.cut

    def load(self) -> None:
        """Read what an earlier life left. A damaged file is told, and forgotten. Blocks.

        Raises:
            StoreNewer: a later version wrote it; untouched.
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._read(self.path.read_bytes())
        except FileNotFoundError:
            self.save()
        except (OSError, msgspec.MsgspecError, TypeError, ValueError) as error:
            what = error.strerror if isinstance(error, OSError) else "it is damaged"
            self.problem = f"what was known of the last delivery is gone: {self.path}: {what}"

    def begin(self, position: Position) -> Plan:
        """The plan of a delivery: the one of before, as far as it fits, or a fresh one. May block.

        The first delivery of a life may have been sent by the one before, cut by other options: it is cut as then, and
        all of it may have arrived.
        """
        known = self.plan.fitted(position, self.cut.rows) if self.plan else None
        if known is None:
            self.plan, self.trouble, self._kept = None, Trouble(), False
            if self._begun and self.cut != self._wanted:
                self.cut = self._wanted
                self.save()
        self.plan = known or Plan.fresh(position, self.cut.rows)
        for part in self.plan.open if not self._begun else ():
            part.maybe = True
        self._begun = True
        return self.plan

    def done(self) -> None:
        """Everything is settled. Blocks only when the file has something else."""
        self.trouble = Trouble()
        if self._kept:
            self.save()

    def save(self) -> None:
        """Write what is known, while nobody changes it. Blocks."""
        self.write(self.snapshot())

    def snapshot(self) -> bytes:
        """What is known, as the file has it."""
        document = _File(version=_VERSION, cut=self.cut, plan=self.plan, trouble=self.trouble)
        return msgspec.json.encode(document) + b"\n"

    def write(self, data: bytes) -> None:
        """Replace the file, synced; one at a time. That it can't be written holds nothing up: it is told. Blocks."""
        try:
            durable.replace(self.path, data)
        except OSError as error:
            self.problem = f"{self.path} can't be written: {error.strerror or error}"
        else:
            self.problem = ""
            self._kept = self.plan is not None

    def wait_left(self, longest: float) -> float:
        """Seconds that are left of the wait that an earlier life had begun. A clock that was set adds nothing."""
        return min(max(0.0, self.trouble.not_before - time.time()), longest)

    def _read(self, data: bytes) -> None:
        version = msgspec.json.decode(data, type=dict[str, object]).get("version")
        if isinstance(version, int) and version > _VERSION:
            raise StoreNewer(
                f"the state of this sink was written by a later version (format {version})",
                where=str(self.path),
                fix="run the later version, or remove the file: then requests may be repeated under other ids",
            )
        found = msgspec.json.decode(data, type=_File)
        plan = Plan.read(found.plan) if found.plan is not None else None
        self.cut, self.trouble, self.plan = found.cut, found.trouble, plan
        self._kept = plan is not None
