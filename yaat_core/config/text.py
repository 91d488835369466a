"""A configuration file as text."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any, Final

from yaat_core.config.parsing import MAX_BYTES
from yaat_core.config.problems import ConfigError, ConfigProblem

_FILE: Final = "YAAT-E108"


def read_text(path: Path) -> str:
    """The file as text, bounded.

    Raises:
        ConfigError: it can't be read, is no file, is larger than `MAX_BYTES`, or not UTF-8.
    """
    try:
        about = path.stat()
        if not (stat.S_ISREG(about.st_mode) or stat.S_ISFIFO(about.st_mode) or stat.S_ISCHR(about.st_mode)):
            raise _unreadable(path, f"{path} is no file", fix="name a file; of a folder: FOLDER/*.yaml")
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        fix = "check the path and its permissions"
        raise _unreadable(path, f"can't read {path}: {error.strerror}", fix=fix) from None
    if len(data) > MAX_BYTES:
        raise _unreadable(
            path, f"{path} is larger than {MAX_BYTES >> 20} MiB", fix="no configuration needs this"
        )
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _unreadable(path, f"{path} is UTF-16 text", fix="save it as UTF-8")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _unreadable(path, f"{path} is not UTF-8 text", line=line, fix="save it as UTF-8") from None


def shown_name(path: Path | None) -> str:
    """The file's name in messages: relative when it lies below the working directory."""
    if path is None:
        return "the built-in defaults"
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def _unreadable(path: Path, what: str, **facts: Any) -> ConfigError:
    return ConfigError([ConfigProblem(code=_FILE, what=what, file=str(path), **facts)])
