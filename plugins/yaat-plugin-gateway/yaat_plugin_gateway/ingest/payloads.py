"""Bodies of requests as they came, kept for a while, so that they can be sent again when the pipeline was set up wrongly.

Off unless `raw_payloads.keep` is given, since they are kept before anything is redacted. A file each in
``STATE_DIR/gateway-payloads`` (mode 0600, named by time and hash): zstd of a line of JSON (``{"organization", "time"}``)
and the body.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import attrs
import msgspec
import trio
from backports import zstd

from yaat_core.components import Context, Finding
from yaat_plugin_gateway.config import RawPayloads

FOLDER: Final = "gateway-payloads"
_SUFFIX: Final = ".zst"
#: Seconds between looks at what is too old.
_EVERY: Final = 5.0


class _Head(msgspec.Struct):
    organization: str
    time: int


@attrs.frozen
class Payload:
    """One that was kept. ``time_us``: when it came, microseconds since the epoch."""

    path: Path
    time_us: int
    organization: str
    body: bytes


class Payloads:
    """Keeps them, and deletes what is too old or too much."""

    def __init__(self, config: RawPayloads, context: Context) -> None:
        self._keep = config.keep
        self._most = config.max_bytes
        self._folder = context.state_dir / FOLDER
        self._log = context.log
        self._bytes = 0
        self._failed = ""
        self._one = trio.CapacityLimiter(1)

    async def open(self) -> None:
        """Delete what should not be kept any more: all of it when nothing should."""
        await trio.to_thread.run_sync(self._tidy, limiter=self._one)

    async def run(self) -> None:
        """Delete what gets too old. Until cancelled."""
        while self._keep is not None:
            await trio.sleep(min(_EVERY, self._keep))
            await trio.to_thread.run_sync(self._tidy, limiter=self._one)

    async def keep(self, organization: str, body: bytes) -> None:
        """Keep one. That it can't be kept is told in health, and keeps no batch from being taken."""
        if self._keep is not None:
            await trio.to_thread.run_sync(self._write, organization, body, limiter=self._one)

    def problems(self) -> Sequence[Finding]:
        """Whether payloads can't be kept."""
        if not self._failed:
            return ()
        return [
            Finding(
                problem=f"raw payloads can't be kept: {self._failed}",
                advice=f"make room for {self._folder}, or give a smaller raw_payloads.max_bytes; events are taken all the same",
                level="warn",
            )
        ]

    def _write(self, organization: str, body: bytes) -> None:
        now = time.time_ns() // 1_000
        digest = hashlib.blake2b(organization.encode() + b"\0" + body, digest_size=16).hexdigest()
        packed = zstd.compress(msgspec.json.encode(_Head(organization, now)) + b"\n" + body, 1)
        path = self._folder / f"{now:020d}-{digest}{_SUFFIX}"
        unfinished = path.with_suffix(".new")
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            try:
                with os.fdopen(file, "wb") as out:
                    out.write(packed)
                os.rename(unfinished, path)
            except OSError:
                unfinished.unlink()
                raise
        except OSError as error:
            if not self._failed:
                self._log.warning("raw payloads can't be kept: %s", error.strerror)
            self._failed = error.strerror or str(error)
            return
        self._failed = ""
        self._bytes += len(packed)
        if self._bytes > self._most:
            self._tidy()

    def _tidy(self) -> None:
        oldest = time.time() - self._keep if self._keep is not None else float("inf")
        kept: list[tuple[Path, int]] = []
        for path in _files(self._folder):
            if _time_us(path) / 1e6 < oldest:
                path.unlink(missing_ok=True)
            else:
                kept.append((path, path.stat().st_size))
        self._bytes = sum(size for _, size in kept)
        for path, size in kept:
            if self._bytes <= self._most:
                break
            path.unlink(missing_ok=True)
            self._bytes -= size


def stored(state_dir: Path, since_us: int = 0) -> Iterator[Payload]:
    """What is kept and came since then, oldest first; what is deleted meanwhile is passed over.

    Raises:
        OSError: they can't be read.
    """
    for path in _files(state_dir / FOLDER):
        if _time_us(path) < since_us or path.suffix != _SUFFIX:
            continue
        try:
            head, _, body = zstd.decompress(path.read_bytes()).partition(b"\n")
        except FileNotFoundError:
            continue
        about = msgspec.json.decode(head, type=_Head)
        yield Payload(path, about.time, about.organization, body)


def _files(folder: Path) -> list[Path]:
    try:
        names = sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [folder / name for name in names if name[:20].isdecimal()]


def _time_us(path: Path) -> int:
    return int(path.name[:20])
