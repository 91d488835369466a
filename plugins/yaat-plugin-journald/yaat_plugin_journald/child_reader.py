"""The journal through the program `journalctl`, as its export format."""

from __future__ import annotations

import fcntl
import logging
import os
import random
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import trio

from yaat_core.display import terminal_safe
from yaat_core.errors import YaatError
from yaat_plugin_journald.cursors import Cursor
from yaat_plugin_journald.entries import Entries
from yaat_plugin_journald.export import Decoder, Garbled
from yaat_plugin_journald.readers import BATCH_BYTES, BATCH_ROWS, POLL, Asked, Nearest
from yaat_plugin_journald.since import AtBoot, AtCursor, AtTime, Start

PROGRAM: Final = "journalctl"
_PIPE: Final = 2**20
#: So much at once is a backlog; it is gathered for so many seconds.
_BUSY: Final = 2**15
_LINGER: Final = 0.1
_LONGEST_PAUSE: Final = 60.0
#: Since this version `--follow` alone means the present boot.
_FOLLOW_IMPLIES_BOOT: Final = 250


class Missing(YaatError):
    """The program is not there."""


def program() -> str:
    """Where it is.

    Raises:
        Missing: nowhere.
    """
    found = shutil.which(PROGRAM)
    if found is None:
        fix = "install systemd's journalctl, or libsystemd (Debian: libsystemd0)"
        raise Missing("there is neither libsystemd nor journalctl to read the journal with", fix=fix)
    return found


def arguments(asked: Asked, version: int) -> list[str]:
    """Those that say which journal; its own filters are not among them."""
    places = asked.places
    found = ["--output=export", "--no-pager", "--quiet", "--all"]
    if version >= _FOLLOW_IMPLIES_BOOT:
        found.append("--boot=all")
    if places.patterns:
        found += [f"--file={path}" for path in places.files()]
    elif places.directory:
        found.append(f"--directory={places.directory}")
    elif places.namespace:
        found.append(f"--namespace={places.namespace}")
    if places.merge:
        found.append("--merge")
    if asked.journal != "all":
        found.append(f"--{asked.journal}")
    return found


def filters(asked: Asked) -> list[str]:
    """The alternatives, and the fields that are wanted."""
    found = [] if asked.fields is None else [f"--output-fields={','.join(sorted(asked.fields))}"]
    for number, alternative in enumerate(asked.alternatives):
        found += ["+"] if number else ["--"]
        found += [f"{name}={value}" for name, values in alternative.items() for value in values]
    return found


def start_argument(start: Start) -> str:
    """Where it begins. The entry of a cursor comes once more: `--after-cursor` would pass over one if it is gone."""
    match start:
        case AtCursor(cursor):
            return f"--cursor={cursor}"
        case AtTime(us):
            return f"--since=@{us // 1_000_000}.{us % 1_000_000:06d}"
        case AtBoot():
            booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
            return f"--since=@{booted:.6f}"


class ChildReader:
    """See `Reader`. When the program ends it is started again after the last entry, with growing pauses."""

    def __init__(self, asked: Asked, log: logging.Logger) -> None:
        self._asked = asked
        self._log = log
        self._collector = asked.collector()
        self._decoder = Decoder(self._collector)
        self._start: Start = AtTime(0)
        self._child: _Child | None = None
        self._more = False
        self._failures = 0
        self._version: int | None = None

    async def nearest(self, cursor: Cursor) -> Nearest:
        """As `Reader`."""
        return await trio.to_thread.run_sync(self._nearest, cursor)

    async def open(self, start: Start) -> None:
        """As `Reader`."""
        self._start = start
        await self._restart()

    async def next(self) -> Entries | None:
        """As `Reader`."""
        while True:
            if self._child is None:
                await self._restart()
            if self._more and (entries := await self._decoded()):
                return entries
            assert self._child is not None
            data = await self._child.stream.receive_some(_PIPE)
            if not data:
                if await self._ended():
                    return None
                continue
            self._decoder.feed(bytes(data))
            if len(data) >= _BUSY:
                await self._gather(self._child.stream)
            self._more = True

    async def close(self) -> None:
        """As `Reader`."""
        child, self._child = self._child, None
        if child is not None:
            await child.end()

    async def _gather(self, stream: trio.lowlevel.FdStream) -> None:
        """While much comes: a batch of it, as few small batches as may be."""
        with trio.move_on_after(_LINGER):
            while self._decoder.waiting < BATCH_BYTES and (data := await stream.receive_some(_PIPE)):
                self._decoder.feed(bytes(data))

    async def _decoded(self) -> Entries | None:
        try:
            entries = await trio.to_thread.run_sync(self._decode)
        except Garbled as error:
            self._log.warning("journalctl's output can't be understood: %s", error)
            entries = self._collector.take()
            await self.close()
        self._say(self._child.complaints() if self._child else "")
        if not len(entries):
            return None
        self._failures = 0
        self._start = AtCursor(entries.cursors[-1].decode("ascii", "replace"))
        return entries

    def _decode(self) -> Entries:
        self._more = self._decoder.entries(BATCH_ROWS, BATCH_BYTES)
        return self._collector.take()

    async def _ended(self) -> bool:
        """The program ended: is that the end of the journal, when it is read once?"""
        child, self._child = self._child, None
        assert child is not None
        code = await trio.to_thread.run_sync(child.wait)
        said = child.complaints()
        await child.end()
        if code == 0 and self._asked.once:
            return True
        if code == 0 and self._asked.places.patterns:  # it can't follow files that are named
            await trio.sleep(POLL)
            return False
        if self._asked.once:
            raise OSError(f"journalctl ended with {code}: {terminal_safe(said) or 'it said nothing'}")
        self._failures += 1
        pause = min(_LONGEST_PAUSE, 0.5 * 2 ** min(self._failures, 8)) * random.uniform(0.5, 1)
        told = terminal_safe(said) or "it said nothing"
        self._log.warning("journalctl ended with %s, it is started again in %.1f s: %s", code, pause, told)
        await trio.sleep(pause)
        return False

    async def _restart(self) -> None:
        await self.close()
        skip = self._start.cursor.encode() if isinstance(self._start, AtCursor) else b""
        self._collector.take()
        self._decoder = Decoder(self._collector, skip)
        self._more = False
        self._child = await trio.to_thread.run_sync(self._started)

    def _started(self) -> _Child:
        asked = self._asked
        command = [program(), *arguments(asked, self._known_version()), start_argument(self._start)]
        if not asked.once and not asked.places.patterns:
            command += ["--follow", "--no-tail"]
        return _Child([*command, *filters(asked)])

    def _known_version(self) -> int:
        if self._version is None:
            said = subprocess.run(
                [program(), "--version"], capture_output=True, check=False, timeout=60
            ).stdout
            found = re.match(rb"systemd (\d+)", said)
            self._version = int(found[1]) if found else _FOLLOW_IMPLIES_BOOT
        return self._version

    def _nearest(self, cursor: Cursor) -> Nearest:
        asked = self._asked
        command = [
            program(),
            *arguments(asked, self._known_version()),
            f"--cursor={cursor.text}",
            "--lines=1",
        ]
        said = subprocess.run(
            [*command, "--output-fields=_PID"],
            capture_output=True,
            check=False,
            timeout=60,
            stdin=subprocess.DEVNULL,
        )
        found = re.match(rb"__CURSOR=(.+)\n", said.stdout)
        if said.returncode and said.stderr:
            why = terminal_safe(said.stderr.decode("utf-8", "replace").strip())
            raise OSError(f"journalctl ended with {said.returncode}: {why}")
        if found is None:
            return Nearest(False)
        nearest = Cursor.parse(found[1])
        return Nearest(True) if nearest.text == cursor.text else Nearest(False, nearest)

    def _say(self, complaints: str) -> None:
        for line in complaints.splitlines():
            self._log.warning("journalctl: %s", terminal_safe(line))


class _Child:
    """The running program. It ends by itself when this process is gone: nobody reads what it writes."""

    def __init__(self, command: Sequence[str]) -> None:
        reading, writing = os.pipe2(os.O_CLOEXEC)
        self._said = os.memfd_create("journalctl", os.MFD_CLOEXEC)
        fcntl.fcntl(self._said, fcntl.F_SETFL, os.O_APPEND)
        with suppress(OSError):  # a limit of the system: what the pipe is will do
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE)
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=self._said,
                env={**os.environ, "LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0"},
            )
        except BaseException:
            os.close(reading)
            os.close(self._said)
            raise
        finally:
            os.close(writing)
        self._reading: int | None = reading
        self._stream: trio.lowlevel.FdStream | None = None

    @property
    def stream(self) -> trio.lowlevel.FdStream:
        """What it writes."""
        if self._stream is None:
            assert self._reading is not None
            self._stream = trio.lowlevel.FdStream(self._reading)
            self._reading = None
        return self._stream

    def complaints(self) -> str:
        """What it wrote to stderr since this was asked last."""
        size = os.fstat(self._said).st_size
        if not size:
            return ""
        text = os.pread(self._said, 2000, max(0, size - 2000)).decode("utf-8", "replace").strip()
        os.ftruncate(self._said, 0)
        return text

    def wait(self) -> int:
        """Its exit code."""
        return self._process.wait(60)

    async def end(self) -> None:
        """End it, and give back what it holds. Once."""
        self._process.kill()
        self._process.wait()
        os.close(self._said)
        if self._reading is not None:
            os.close(self._reading)
        elif self._stream is not None:
            with trio.CancelScope(shield=True):
                await self._stream.aclose()
