"""A text in the person's editor."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from yaat_core.errors import UsageError


def edited_text(text: str, name: str) -> str:
    """What ``$VISUAL`` or ``$EDITOR`` (else vi) makes of it; the file is for this user alone, and goes afterwards.

    Raises:
        UsageError: no terminal and no editor that was named, or it failed.
    """
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not command and not sys.stdin.isatty():
        raise UsageError("there is no terminal to edit on", fix="set EDITOR, or use `--set KEY=VALUE`")
    with tempfile.TemporaryDirectory(prefix="yaat-edit-") as folder:
        path = Path(folder) / f"{name.replace('/', '_').strip('.') or 'config'}.yaml"
        path.write_bytes(text.encode())
        try:
            done = subprocess.run([*shlex.split(command or "vi"), str(path)], check=False)
        except OSError as error:
            raise UsageError(
                f"the editor can't be run: {command or 'vi'}: {error.strerror}", fix="set EDITOR"
            ) from None
        if done.returncode:
            raise UsageError(f"{command or 'vi'} ended with {done.returncode}: nothing was changed")
        try:
            return path.read_bytes().decode()
        except (OSError, UnicodeDecodeError):
            raise UsageError("what the editor wrote can't be read as UTF-8 text") from None
