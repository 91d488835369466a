"""Without an agent: offer to start one, for good or for as long as the TUI runs, or look at what is stored."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

import trio

from yaat_core.setting_up import running

if TYPE_CHECKING:
    from yaat_core.tui.shell import Shell

#: Seconds that an agent may take to stop.
_STOP: Final = 30.0
_TITLE: Final = "No agent is running"


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
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_close_when_live, shell)
        chosen = await shell.choose(
            _TITLE,
            where,
            [
                ("Start it", "it stays when you leave; its messages go to agent.log in the state directory"),
                ("Start it for now", "it stops when you leave"),
                ("Look around", "what is stored can be read, the queue and dead letters handled"),
                ("Quit", "leave; `yaat run` starts one in the foreground"),
            ],
        )
        nursery.cancel_scope.cancel()
    if shell.store.live:
        return
    if chosen in (0, 1):
        await start(shell, stays=chosen == 0)
    elif chosen == 3:
        shell.quit()
    else:
        shell.notify("no agent: showing what is stored; : start starts one")


async def _close_when_live(shell: Shell) -> None:
    """One that comes up by itself answers the question."""
    while True:
        await trio.sleep(0.2)
        for dialog in [one for one in shell.dialogs if one.title == _TITLE]:
            if shell.store.live:
                dialog.answer(None)


async def start(shell: Shell, *, stays: bool) -> None:
    """Start an agent and wait until it answers.

    Raises:
        DidNotStart: with the end of what it said.
    """
    assert shell.setup is not None
    state_dir = shell.setup.configuration.state_dir
    path = shell.setup.configuration.path
    process, began = await trio.to_thread.run_sync(running.begin, path, state_dir)
    if not stays:
        shell.child = process
    shell.notify("starting the agent ...")
    deadline = time.monotonic() + running.PATIENCE
    while not shell.store.live:
        if process.poll() is not None or time.monotonic() > deadline:
            raise running.ended(process, state_dir, began)
        await trio.sleep(0.1)
    shell.notify(f"the agent runs, pid {process.pid}" + ("" if stays else "; it stops when you leave"))


async def end_child(shell: Shell) -> None:
    """Stop the agent that was started for as long as the TUI runs, and wait for it."""
    process = shell.child
    if process is None or process.poll() is not None:
        return
    process.terminate()
    with trio.move_on_after(_STOP):
        await trio.to_thread.run_sync(process.wait, abandon_on_cancel=True)
