"""Long output through a pager: on a terminal only, and only when it is longer than the screen."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import IO, Final

import attrs

#: Quits when all is on one screen, shows colours, leaves the text on the terminal.
_LESS: Final = "FRX"


def pager() -> list[str] | None:
    """The command of the pager: $PAGER, else `less`; None when there is none, or it is `cat`."""
    named = os.environ.get("PAGER")
    words = shlex.split(named) if named is not None else ["less"]
    if not words or words[0] == "cat" or shutil.which(words[0]) is None:
        return None
    return words


@attrs.define
class Paged:
    """A binary file. Up to a screenful is kept; more starts the pager, and all goes there; without a pager to stdout."""

    enabled: bool = True
    _kept: list[bytes] = attrs.field(factory=list, init=False)
    _lines: int = attrs.field(default=0, init=False)
    _out: IO[bytes] | None = attrs.field(default=None, init=False)
    _process: subprocess.Popen[bytes] | None = attrs.field(default=None, init=False)

    def write(self, data: bytes) -> int:
        """As a file's.

        Raises:
            BrokenPipeError: the person has left the pager.
        """
        if self._out is not None:
            return self._out.write(data)
        self._kept.append(data)
        size = shutil.get_terminal_size((80, 24))
        self._lines += sum(1 + len(line) // max(1, size.columns) for line in data.split(b"\n")[1:])
        if self._lines >= size.lines - 1:
            self._start()
        return len(data)

    def flush(self) -> None:
        """What the pager has not got yet."""
        if self._out is not None:
            self._out.flush()

    def isatty(self) -> bool:
        """A person reads it."""
        return True

    def close(self) -> None:
        """Wait until the person has left the pager; Ctrl-C is the pager's then."""
        if self._process is None:
            out = self._out or sys.stdout.buffer
            out.write(b"".join(self._kept) if self._out is None else b"")
            out.flush()
            return
        with contextlib.suppress(BrokenPipeError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        while True:
            try:
                self._process.wait()
                return
            except KeyboardInterrupt:
                continue

    def _start(self) -> None:
        words = pager() if self.enabled else None
        if words is None:
            self._out = sys.stdout.buffer
        else:
            sys.stdout.flush()
            environ = {"LESS": _LESS, "LESSCHARSET": "utf-8", **os.environ}
            self._process = subprocess.Popen(words, stdin=subprocess.PIPE, env=environ)
            self._out = self._process.stdin
        assert self._out is not None
        kept, self._kept = self._kept, []
        self._out.write(b"".join(kept))


@contextlib.contextmanager
def paged(*, enabled: bool = True) -> Iterator[Paged]:
    """A file for long text. Leaving the pager early is no error: the rest is not made."""
    file = Paged(enabled)
    try:
        yield file
    except BrokenPipeError:
        if file._process is None:
            raise
    finally:
        file.close()
