"""Runs the TUI: prompt-toolkit on asyncio, and trio as a guest on the same loop, in one thread."""

from __future__ import annotations

import asyncio
import contextlib
import io
import sys
import time
from typing import TYPE_CHECKING, Final

import trio

from yaat_core.tui import app, starting
from yaat_core.tui.shell import Shell
from yaat_core.tui.store import Feed

if TYPE_CHECKING:
    import outcome

#: Seconds between two redraws at most often, when data changes.
FRAME: Final = 0.1
#: Characters of stderr that are kept until the end.
_SAID: Final = 64 * 2**10


def run(shell: Shell, *, screen: str = "") -> int:
    """Show it until the user leaves; the exit code. What is written to stderr meanwhile comes after."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return asyncio.run(_main(shell, screen))
    finally:
        sys.stderr.write(said.getvalue()[-_SAID:])


async def _main(shell: Shell, screen: str) -> int:
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[outcome.Outcome[None]] = loop.create_future()
    shell.app = app.make(shell)

    def begin() -> None:
        trio.lowlevel.start_guest_run(
            _background,
            shell,
            screen,
            run_sync_soon_threadsafe=loop.call_soon_threadsafe,
            run_sync_soon_not_threadsafe=loop.call_soon,
            host_uses_signal_set_wakeup_fd=True,
            restrict_keyboard_interrupt_to_checkpoints=True,
            done_callback=ended.set_result,
        )

    began = False

    def once() -> None:
        nonlocal began
        if not began:
            began = True
            begin()

    try:
        await shell.app.run_async(pre_run=once, handle_sigint=True)
    finally:
        if began and not ended.done():
            if hasattr(shell, "token"):
                shell.post(shell.nursery.cancel_scope.cancel)
            result = await ended
            result.unwrap()
    return 0


async def _background(shell: Shell, screen: str) -> None:
    """Everything that waits."""
    try:
        async with trio.open_nursery() as nursery:
            shell.nursery = nursery
            shell.token = trio.lowlevel.current_trio_token()
            nursery.start_soon(_redraw, shell)
            nursery.start_soon(_refresh, shell)
            if shell.link is not None:
                feed = Feed(shell.store, shell.link, shell.changed)
                nursery.start_soon(feed.run)
                nursery.start_soon(_without_agent, shell, feed)
            shell.go(screen or shell.panels.panels[0].name)
            for problem in (*shell.panels.problems, *shell.settings.problems):
                shell.notify(problem, error=True)
    except BaseException:
        shell.quit()
        raise
    finally:
        with trio.CancelScope(shield=True):
            await starting.end_child(shell)
            if shell.link is not None:
                await shell.link.close()


async def _without_agent(shell: Shell, feed: Feed) -> None:
    """Once, when nobody answers at the start."""
    await feed.known.wait()
    setting_up = shell.current is not None and shell.current.panel.name == "setup"
    if shell.store.connection == "none" and not setting_up:
        shell.run_async(lambda: starting.offer(shell))


async def _redraw(shell: Shell) -> None:
    """Draw what changed, ten times a second at most, and the clock once a second."""
    drawn = 0.0
    while True:
        await trio.sleep(FRAME)
        now = time.monotonic()
        if shell.dirty or now - drawn >= max(FRAME, shell.settings.refresh):
            shell.dirty = False
            drawn = now
            shell.app.invalidate()


async def _refresh(shell: Shell) -> None:
    """Let the screen in front take what is new."""
    version, taken = -1, 0.0
    while True:
        await trio.sleep(FRAME)
        screen, now = shell.current, time.monotonic()
        if screen is None:
            continue
        due = now - taken >= max(FRAME, screen.panel.refresh)
        if due or shell.store.version != version:
            version, taken = shell.store.version, now
            shell.refresh()
            shell.dirty = True
