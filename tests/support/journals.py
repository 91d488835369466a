"""Journal files made to order with Debian's systemd-journal-remote, from entries given as fields."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest

REMOTE = Path("/usr/lib/systemd/systemd-journal-remote")
#: Microseconds since the epoch of the first entry that names no time.
BEGAN = 1_700_000_000_000_000
BOOT = "0123456789abcdef0123456789abcdef"
MACHINE = "11111111111111111111111111111111"

Value = str | bytes | Sequence[str | bytes]
Fields = Mapping[str, Value]


def need_journals() -> None:
    """Skip the test where no journal can be made."""
    if not REMOTE.exists():
        pytest.skip(f"{REMOTE} is not installed (Debian: systemd-journal-remote)")


def exported(entries: Iterable[Fields], *, first: int = 0) -> bytes:
    """Entries in the export format; a millisecond lies between two. ``first`` is the number of the first one."""
    out = bytearray()
    for number, fields in enumerate(entries, first):
        times: dict[str, Value] = {
            "__REALTIME_TIMESTAMP": str(BEGAN + number * 1000),
            "__MONOTONIC_TIMESTAMP": str(1_000_000 + number * 1000),
            "_BOOT_ID": BOOT,
            "_MACHINE_ID": MACHINE,
        }
        for name, value in {**times, **fields}.items():
            for one in [value] if isinstance(value, str | bytes) else value:
                out += field(name, one if isinstance(one, bytes) else one.encode())
        out += b"\n"
    return bytes(out)


def field(name: str, value: bytes) -> bytes:
    """One field: as text where that is possible, else with its length."""
    if all(byte >= 0x20 or byte == 0x09 for byte in value):
        return name.encode() + b"=" + value + b"\n"
    return name.encode() + b"\n" + struct.pack("<Q", len(value)) + value + b"\n"


def write_journal(path: Path, entries: Iterable[Fields], *, first: int = 0) -> Path:
    """A journal file, or more entries in one that is there."""
    text = path.with_name(path.name + ".export")
    text.write_bytes(exported(entries, first=first))
    done = subprocess.run(
        [REMOTE, f"--output={path}", text],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    text.unlink()
    assert done.returncode == 0, done.stderr
    return path
