"""A program in a real pseudo-terminal of a given size, its screen kept by pyte: send keys, wait for text."""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pyte

#: Seconds that anything may take on a loaded machine.
PATIENCE: Final = float(os.environ.get("YAAT_TEST_PATIENCE", "60"))
#: What a terminal sends for keys that have a name.
KEYS: Final[Mapping[str, str]] = {
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "s-tab": "\x1b[Z",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "delete": "\x1b[3~",
    "backspace": "\x7f",
    "f1": "\x1bOP",
    "f2": "\x1bOQ",
    "f5": "\x1b[15~",
}


class Terminal:
    """``with Terminal(["yaat"], columns=80, rows=24) as terminal: terminal.wait_for("Overview")``."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 80,
        rows: int = 24,
        environ: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
    ) -> None:
        self.columns, self.rows = columns, rows
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.Stream(self.screen)
        self.raw = bytearray()
        """Everything that the program wrote."""
        self._text = codecs.getincrementaldecoder("utf-8")("replace")
        self._master, slave = pty.openpty()
        # What a terminal answers by itself, such as where the cursor is.
        self.screen.write_process_input = lambda data: os.write(self._master, data.encode())
        self._size(slave)
        self.process = subprocess.Popen(
            list(command),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=_controlling,
            cwd=cwd,
            env={**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "COLORTERM": "truecolor",
                 "NO_COLOR": "", "PYTHONUNBUFFERED": "1", **(environ or {})},
        )  # fmt: skip
        os.close(slave)

    # --- keys

    def send(self, *keys: str) -> None:
        """Names of `KEYS`, ``c-x``, or text."""
        for key in keys:
            if key in KEYS:
                data = KEYS[key]
            elif len(key) == 3 and key.startswith("c-"):
                data = chr(ord(key[2].upper()) - 64)
            else:
                data = key
            os.write(self._master, data.encode())
            self.read(0.02)

    def type(self, text: str) -> None:
        """Text, sign by sign."""
        for sign in text:
            os.write(self._master, sign.encode())
            self.read(0.005)

    def resize(self, columns: int, rows: int) -> None:
        """As a window manager does."""
        self.columns, self.rows = columns, rows
        self._size(self._master)
        self.screen.resize(rows, columns)
        os.killpg(self.process.pid, signal.SIGWINCH)

    def _size(self, descriptor: int) -> None:
        fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.columns, 0, 0))

    # --- the screen

    def read(self, seconds: float) -> None:
        """Take what the program writes, for so long."""
        until = time.monotonic() + seconds
        while select.select([self._master], [], [], max(0.0, until - time.monotonic()))[0]:
            try:
                data = os.read(self._master, 65536)
            except OSError:  # the other end is closed
                return
            if not data:
                return
            self.raw += data
            self.stream.feed(self._text.decode(data))
            if time.monotonic() >= until:
                return

    @property
    def lines(self) -> list[str]:
        """The rows of the screen; a sign of two columns counts once."""
        made = []
        for row in range(self.screen.lines):
            cells = self.screen.buffer[row]
            made.append("".join(cells[column].data for column in range(self.screen.columns)))
        return made

    @property
    def text(self) -> str:
        """The screen."""
        return "\n".join(line.rstrip() for line in self.lines)

    def wait(self, condition: Callable[[str], Any], *, seconds: float = PATIENCE, what: str = "") -> str:
        """Until the screen is so; the screen then."""
        deadline = time.monotonic() + seconds
        while not condition(self.text):
            ended = self.process.poll() is not None
            self.read(0.05)
            assert not (ended and not condition(self.text)), (
                f"it ended ({self.process.returncode}):\n{self.text}"
            )
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}\n{self.text}"
        return self.text

    def wait_for(self, *texts: str, seconds: float = PATIENCE) -> str:
        """Until every one of the texts is on the screen."""
        return self.wait(
            lambda screen: all(text in screen for text in texts), seconds=seconds, what=repr(texts)
        )

    def wait_gone(self, *texts: str, seconds: float = PATIENCE) -> str:
        """Until none of the texts is on the screen."""
        return self.wait(
            lambda screen: not any(text in screen for text in texts),
            seconds=seconds,
            what=f"without {texts!r}",
        )

    # --- its end

    def ended(self, *, seconds: float = 60) -> int:
        """Wait for its end; the exit code."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            self.read(0.05)
            assert time.monotonic() < deadline, f"it did not end:\n{self.text}"
        self.read(0.05)
        return int(self.process.returncode)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._master)


def _controlling() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
