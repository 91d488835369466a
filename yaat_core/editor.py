"""Edits of the configuration, for the API: files in a worker thread, then the running agent takes them up.

Without an agent the same `Editor` writes, and nothing reloads.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Final

import attrs
import trio

from yaat_core import config
from yaat_core.config.problems import ConfigError
from yaat_core.errors import UsageError, YaatError
from yaat_core.reloading.results import Reloaded
from yaat_core.status import Status

if TYPE_CHECKING:
    # an agent that starts has nothing to edit
    from yaat_core.config.editing.desk import Desk, Edit
    from yaat_core.config.editing.history import Pending
    from yaat_core.config.editing.results import Applied
    from yaat_core.config.model import Configuration
    from yaat_core.plugins import Plugins

log = logging.getLogger("yaat.config")

#: What the agent's log and events say of who asked for a reload.
BY: Final = "a change of the configuration"
NO_AGENT: Final = "no agent is running: this holds from its next start"


def desk_of(whole: Configuration, plugins: Plugins) -> Desk:
    """The desk on which the files of a configuration are edited."""
    from yaat_core.config.editing.desk import Desk

    return Desk(path=config.written_at(whole.path), state_dir=whole.state_dir, plugins=plugins)


@attrs.define(eq=False)
class Editor:
    """``desk`` makes the desk for the configuration as it is now; ``reload`` and ``status`` are a running agent's."""

    desk: Callable[[], Desk]
    reload: Callable[[str], Awaitable[Reloaded]] | None = None
    status: Callable[[], Awaitable[Status]] | None = None
    _waits: trio.Event = attrs.field(factory=trio.Event)

    async def edit(
        self, edit: Edit, *, summary: str, dry_run: bool = False, confirm_seconds: float | None = None
    ) -> Applied:
        """Make an edit, and have it taken up; raises as `Desk.apply`.

        Raises:
            ConfigError: the agent can't take it up; the files are as they were.
        """
        desk = self.desk()
        work = partial(desk.edit, edit, summary=summary, dry_run=dry_run)
        return await self._done(work, desk.undo, confirm_seconds)

    async def apply(
        self,
        text: str,
        hash: str,
        file: str | None = None,
        *,
        summary: str = "edited",
        dry_run: bool = False,
        confirm_seconds: float | None = None,
    ) -> Applied:
        """As `Desk.apply`, taken up."""
        desk = self.desk()
        work = partial(desk.apply, text, hash, file, summary=summary, dry_run=dry_run)
        return await self._done(work, desk.undo, confirm_seconds)

    async def undo(self, number: int | None = None, *, dry_run: bool = False) -> Applied:
        """As `Desk.undo`, taken up."""
        desk = self.desk()
        work = partial(desk.undo, number, dry_run=dry_run)
        return await self._done(work, desk.redo if number is None else desk.undo)

    async def redo(self, *, dry_run: bool = False) -> Applied:
        """As `Desk.redo`, taken up."""
        desk = self.desk()
        return await self._done(partial(desk.redo, dry_run=dry_run), desk.undo)

    async def confirm(self) -> int:
        """Keep what waits to be confirmed; its number.

        Raises:
            UsageError: nothing does.
        """
        history = self.desk().history
        pending = await trio.to_thread.run_sync(history.pending)
        if pending is None:
            raise UsageError(
                "no change waits to be confirmed",
                fix="it was taken back, or confirmed: `yaat config history`",
            )
        await trio.to_thread.run_sync(history.wait_for, None)
        return pending.number

    async def run(self) -> None:
        """Take back what nobody confirms in time, until cancelled; also what an earlier run of the agent left."""
        while True:
            pending = await trio.to_thread.run_sync(self.desk().history.pending)
            if pending is None:
                await self._waits.wait()
                self._waits = trio.Event()
                continue
            left = pending.until - time.time()
            if left > 0:
                with trio.move_on_after(min(left, 60)):
                    await self._waits.wait()
                    self._waits = trio.Event()
                continue
            await self._take_back(pending)

    async def _take_back(self, pending: Pending) -> None:
        history = self.desk().history
        try:
            last = next((one for one in reversed(history.versions()) if not one.undone), None)
            if last is None or last.number != pending.number:
                return
            done = await self.undo()
            log.warning("%s: nobody confirmed version %d, so it was taken back", done.path, pending.number)
        except YaatError as error:
            log.error(
                "version %d of the configuration could not be taken back: %s", pending.number, error.line()
            )
        finally:
            with trio.CancelScope(shield=True):
                if await trio.to_thread.run_sync(history.pending) == pending:
                    await trio.to_thread.run_sync(history.wait_for, None)

    async def _done(
        self,
        work: Callable[[], Applied],
        back: Callable[[], Applied],
        confirm_seconds: float | None = None,
    ) -> Applied:
        """``back`` takes back what ``work`` wrote."""
        if confirm_seconds is not None and self.reload is None:
            raise UsageError(
                "nobody could take it back: no agent is running", fix="start one, or leave the confirming out"
            )
        done = await trio.to_thread.run_sync(work)
        if done.version is None:
            return done
        if confirm_seconds is not None:
            from yaat_core.config.editing.history import Pending

            pending = Pending(number=done.version, until=time.time() + confirm_seconds)
            await trio.to_thread.run_sync(self.desk().history.wait_for, pending)
            self._waits.set()
        done = await self._reloaded(done, back)
        return attrs.evolve(done, confirm_seconds=confirm_seconds)

    async def _reloaded(self, done: Applied, back: Callable[[], Applied]) -> Applied:
        if self.reload is None:
            return attrs.evolve(done, notes=[*done.notes, NO_AGENT])
        try:
            came = await self.reload(BY)
        except ConfigError:
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(back)
            raise
        except YaatError as error:
            return attrs.evolve(done, notes=[*done.notes, f"not taken up yet: {error.line()}"])
        notes = [f"{one}: takes a restart of the agent" for one in came.restart_needed]
        return attrs.evolve(done, reloaded=True, notes=[*done.notes, *notes])
