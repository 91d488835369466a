"""Without an agent: offer to start one, for good or for as long as the TUI runs, or look at what is stored."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import trio

from yaat_core.durable import private
from yaat_core.errors import YaatError

if TYPE_CHECKING:
    from yaat_core.tui.shell import Shell

#: Seconds that an agent may take to start, and to stop.
_START: Final = 60.0
_STOP: Final = 30.0
_LOG: Final = "agent.log"
_TOLD: Final = 3000


class DidNotStart(YaatError):
    """An agent that was started from the TUI ended, or did not answer."""

    code = "YAAT-E792"


def entries(shell: Shell) -> Iterator[tuple[str, Callable[[], object]]]:
    """For the palette: what can be done about an agent that does not run."""
    if shell.setup is not None and not shell.store.live:
        yield (
            "start the agent: it stays when you leave",
            lambda: shell.run_async(lambda: start(shell, stays=True)),
        )
        yield (
            "start the agent for as long as this TUI runs",
            lambda: shell.run_async(lambda: start(shell, stays=False)),
        )


async def offer(shell: Shell) -> None:
    """Ask what to do, when there is no agent."""
    if shell.setup is None:
        return
    path = shell.setup.configuration.path
    where = f"configuration: {path or 'none, the defaults'}\nstate: {shell.state_dir}"
    chosen = await shell.choose(
        "No agent is running",
        where,
        [
            ("Start it", "it stays when you leave; its messages go to agent.log in the state directory"),
            ("Start it for now", "it stops when you leave"),
            ("Look around", "what is stored can be read, the queue and dead letters handled"),
            ("Quit", "leave; `yaat run` starts one in the foreground"),
        ],
    )
    if chosen in (0, 1):
        await start(shell, stays=chosen == 0)
    elif chosen == 3:
        shell.quit()
    else:
        shell.notify("no agent: showing what is stored; : start starts one")


async def start(shell: Shell, *, stays: bool) -> None:
    """Start an agent and wait until it answers.

    Raises:
        DidNotStart: with the end of what it said.
    """
    assert shell.setup is not None
    state_dir = shell.setup.configuration.state_dir
    await trio.to_thread.run_sync(lambda: state_dir.mkdir(mode=0o700, parents=True, exist_ok=True))
    log = state_dir / _LOG
    path = shell.setup.configuration.path
    words = [sys.executable, "-m", "yaat_core.cli", "run", *(["-c", str(path)] if path else [])]
    process, began = await trio.to_thread.run_sync(_begin, words, log)
    if not stays:
        shell.child = process
    shell.notify("starting the agent ...")
    deadline = time.monotonic() + _START
    while not shell.store.live:
        if process.poll() is not None or time.monotonic() > deadline:
            said = log.read_bytes()[began:][-_TOLD:].decode("utf-8", "replace")
            raise DidNotStart(
                f"the agent ended with exit code {process.returncode}"
                if process.returncode is not None
                else f"the agent did not answer within {_START:.0f} s",
                where=str(log),
                cause=said.strip() or "it said nothing",
                fix="mend what it says; `yaat validate` checks the configuration",
            )
        await trio.sleep(0.1)
    shell.notify(f"the agent runs, pid {process.pid}" + ("" if stays else "; it stops when you leave"))


def _begin(words: list[str], log: Path) -> tuple[subprocess.Popen[bytes], int]:
    """The process, and where in the log its messages begin."""
    with open(log, "ab", opener=private) as out:
        began = out.tell()
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    return process, began


async def end_child(shell: Shell) -> None:
    """Stop the agent that was started for as long as the TUI runs, and wait for it."""
    process = shell.child
    if process is None or process.poll() is not None:
        return
    process.terminate()
    with trio.move_on_after(_STOP):
        await trio.to_thread.run_sync(process.wait, abandon_on_cancel=True)
