"""Writes a bundle: one compressed archive, for its owner alone."""

from __future__ import annotations

import io
import os
import tarfile
import time
from pathlib import Path
from typing import Final

from yaat_core.durable import private
from yaat_core.errors import UsageError
from yaat_core.flare.model import Flare

_MODE: Final = 0o600


def pack(flare: Flare, path: Path) -> int:
    """Write the bundle to a new file of mode 0600; returns its size. It is there whole or not at all.

    Raises:
        UsageError: the file is there already, or can't be written.
    """
    part = path.with_name(path.name + ".part")
    try:
        if os.path.lexists(path):
            raise FileExistsError(17, "it is there already")
        with open(part, "wb", opener=private) as file:
            os.fchmod(file.fileno(), _MODE)
            _archive(flare, path, file)
            file.flush()
            os.fsync(file.fileno())
        os.link(part, path)  # unlike a rename, this never replaces what came in between
    except OSError as error:
        raise UsageError(
            f"{path} can't be written: {error.strerror or error}", fix="name another file: --output FILE"
        ) from None
    finally:
        part.unlink(missing_ok=True)
    return path.stat().st_size


def contents(flare: Flare) -> str:
    """What the bundle's own list of contents says."""
    lines = ["A support bundle of yaat. Nothing in it was sent anywhere.", ""]
    for one in flare.files:
        taken = ", ".join(f"{kind}: {count}" for kind, count in one.redacted.items())
        lines.append(f"{one.name}: {one.why}{f' (redacted: {taken})' if taken else ''}")
    for out in flare.left_out:
        lines.append(f"{out.name}: left out, {out.why}")
    return "\n".join(lines) + "\n"


def _archive(flare: Flare, path: Path, file: io.BufferedWriter) -> None:
    folder = path.name.partition(".")[0]
    with tarfile.open(fileobj=file, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        for name, text in [("CONTENTS.txt", contents(flare)), *((one.name, one.text) for one in flare.files)]:
            data = text.encode("utf-8", "replace")
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size, member.mode, member.mtime = len(data), _MODE, int(time.time())
            archive.addfile(member, io.BytesIO(data))
