"""What only a process of its own can do: `yaat` commands that change the machine, called as the command line calls them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import attrs
import trio

from yaat_core.control import wire
from yaat_core.errors import YaatError

if TYPE_CHECKING:
    from yaat_core.tui.shell import Shell


@attrs.frozen(kw_only=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    said: str
    """What it wrote on stderr."""

    def document(self) -> Any:
        """The JSON document of a command with ``--json``.

        Raises:
            YaatError: it failed; with what it said.
        """
        try:
            found = json.loads(self.out)
        except ValueError:
            raise YaatError(
                self.said.strip() or "the command told nothing", fix="run it in a shell"
            ) from None
        if isinstance(found, dict) and "error" in found:
            raise wire.error_from(found["error"])
        return found


async def run(shell: Shell, *words: str) -> Ended:
    """Run ``yaat WORDS`` with the configuration of this TUI, and nobody to ask."""
    config = ["-c", shell.config_option] if shell.config_option else []
    done = await trio.run_process(
        [sys.executable, "-m", "yaat_core.cli", *words, *config, "--color", "never"],
        capture_stdout=True,
        capture_stderr=True,
        check=False,
    )
    out, said = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
    return Ended(code=done.returncode, out=out, said=said)
