from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from support.journals import need_journals

from yaat_core.event import Event
from yaat_core.stats import Stats
from yaat_core.testing import make_context
from yaat_core.testing._outlet import RecordingOutlet
from yaat_plugin_journald import libsystemd
from yaat_plugin_journald.config import JournaldConfig
from yaat_plugin_journald.source import JournaldSource


@pytest.fixture(params=["libsystemd", "journalctl"])
def reader(request: pytest.FixtureRequest) -> str:
    """Both readers, where they can be had."""
    if request.param == "libsystemd" and not libsystemd.available():
        pytest.skip("libsystemd can't be loaded (Debian: libsystemd0)")
    if request.param == "journalctl" and shutil.which("journalctl") is None:
        pytest.skip("journalctl is not installed (Debian: systemd)")
    return str(request.param)


class Reading:
    """Sources over the folder ``journals``, run once after another: each goes on from the checkpoint of the one before."""

    def __init__(self, folder: Path, reader: str) -> None:
        self.folder = folder
        self.journals = folder / "journals"
        self.journals.mkdir()
        self.reader = reader
        self.stored: Mapping[bytes, bytes] = {}
        self.source: JournaldSource | None = None

    def make(self, *, once: bool = True, **options: Any) -> JournaldSource:
        given = {"since": "beginning", "reader": self.reader, **options}
        if "files" not in given:
            given.setdefault("journal_directory", str(self.journals))
        self.stats = Stats()
        self.context = make_context(self.folder, "sources.journal", once=once, stats=self.stats)
        self.source = JournaldSource(JournaldConfig(**given), self.context)
        return self.source

    async def once(self, **options: Any) -> Sequence[Event]:
        """The events of one run."""
        outlet = RecordingOutlet(self.stored)
        await self.make(**options).run(outlet)
        self.stored = outlet.stored()
        for one in outlet.sent:
            one.batch.columns.validate(full=True)
        return outlet.events()

    def counted(self, name: str) -> float:
        """A counter of the last run."""
        return sum(sample.value for sample in self.stats.snapshot() if sample.name == f"yaat_journald_{name}")

    async def messages(self, **options: Any) -> list[str | None]:
        return [event.message for event in await self.once(**options)]


@pytest.fixture
def reading(tmp_path: Path, reader: str) -> Reading:
    need_journals()
    return Reading(tmp_path, reader)


@pytest.fixture
def made() -> Callable[[int], list[dict[str, str]]]:
    """So many entries of several units."""

    def make(count: int, first: int = 0) -> list[dict[str, str]]:
        return [
            {
                "MESSAGE": f"message {number}",
                "PRIORITY": str(number % 8),
                "SYSLOG_IDENTIFIER": f"app{number % 3}",
                "_SYSTEMD_UNIT": f"app{number % 3}.service",
                "_PID": "4321",
                "_HOSTNAME": "web1",
                "_TRANSPORT": "stdout" if number % 2 else "journal",
            }
            for number in range(first, first + count)
        ]

    return make
