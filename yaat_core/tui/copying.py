"""Copying: to the terminal's clipboard by OSC 52, which works over SSH; what is too long for that goes into a file."""

from __future__ import annotations

import base64
import os
import tempfile
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from yaat_core.tui.shell import Shell

#: Bytes of text that terminals take by OSC 52: xterm's limit is 100,000 of base64.
_MOST: Final = 74_000


def copy(shell: Shell, text: str, what: str) -> None:
    """Copy the text, and say so."""
    if not text:
        shell.notify(f"there is no {what} to copy here")
        return
    data = text.encode("utf-8", "backslashreplace")
    if len(data) > _MOST:
        shell.notify(f"{what}: too long for the clipboard, written to {keep(data)}")
        return
    output = shell.app.output
    output.write_raw(osc52(data))
    output.flush()
    first = text.partition("\n")[0]
    shell.notify(f"copied: {first[:120]}" + (" …" if "\n" in text else ""))


def osc52(data: bytes) -> str:
    """The sequence that sets the clipboard; inside tmux and screen it is passed through."""
    sequence = f"\x1b]52;c;{base64.b64encode(data).decode()}\x07"
    if os.environ.get("TMUX"):
        return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    if os.environ.get("TERM", "").startswith("screen"):
        return f"\x1bP{sequence}\x1b\\"
    return sequence


def keep(data: bytes, suffix: str = ".txt") -> str:
    """A new file of the user alone with the data; its path."""
    descriptor, path = tempfile.mkstemp(prefix="yaat-", suffix=suffix)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    return path
