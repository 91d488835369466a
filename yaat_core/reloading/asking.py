"""Reloads, one at a time: who asked, what the file says, what was refused, and what came of it, told everywhere."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import attrs
import trio

from yaat_core import config
from yaat_core.config.detected import DETECTED
from yaat_core.config.model import Configuration
from yaat_core.config.problems import ConfigError, ConfigProblem
from yaat_core.engine import Engine
from yaat_core.errors import YaatError
from yaat_core.health import HealthBoard
from yaat_core.plugins import Plugins
from yaat_core.reloading.changing import change, make, possible
from yaat_core.reloading.plan import Plan, plan
from yaat_core.reloading.results import NoReload, Reloaded
from yaat_core.reloading.watching import Look, Watched, look_at
from yaat_core.status import ConfigurationState

log = logging.getLogger("yaat.reload")

#: Component of problems with the configuration, and the topics of what is told.
COMPONENT: Final = "configuration"
_FILE, _RESTART, _SLOW = "file", "restart", "slow"
#: Seconds between two looks at the file; a change is taken up when the look after it finds the same.
LOOK_EVERY: Final = 1.0
#: Seconds after which a reload that has not ended is told.
SLOW: Final = 30.0


@attrs.define(eq=False)
class Reloader:
    """``told`` is called around each reload, for the service manager."""

    engine: Engine
    plugins: Plugins
    health: HealthBoard
    running: Callable[[], str]
    """The agent's state."""
    told: Callable[[bool], Awaitable[None]]
    """True: it begins; False: it has ended, well or not."""
    loaded_at: str = attrs.field(init=False)
    problems: Sequence[ConfigProblem] = ()
    restart_needed: Sequence[str] = ()
    _one: trio.Lock = attrs.field(factory=trio.Lock)
    _asked: list[str] = attrs.field(factory=list)
    _asking: trio.Event = attrs.field(factory=trio.Event)
    _closed: bool = False
    _watched: Watched | None = None
    _seen: Look | None = None

    def __attrs_post_init__(self) -> None:
        self.loaded_at = _now()

    # --- asked for

    def ask(self, by: str) -> None:
        """Reload soon; several who ask before it begins get one. An agent that starts does it when its sources run."""
        if (state := self.running()) in ("starting", "waiting_for_sinks"):
            log.info("asked to reload (%s) while %s: it is done when the sources run", by, state)
        self._asked.append(by)
        self._asking.set()

    async def run(self) -> None:
        """Do what is asked for, and look at the file, until cancelled. The agent is running."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch)
            while True:
                await self._asking.wait()
                self._asking = trio.Event()
                by, self._asked = ", ".join(dict.fromkeys(self._asked)), []
                try:
                    await self.reload(by)
                except YaatError as error:
                    log.debug("refused: %s", error)  # told by `reload`
                except Exception as error:  # noqa: BLE001 - told by `reload`; what runs goes on
                    log.debug("failed: %r", error)

    async def close(self) -> None:
        """No further ones; returns when the one at work has ended."""
        self._closed = True
        async with self._one:
            pass

    # --- the reload

    async def reload(self, by: str) -> Reloaded:
        """Read the file again, and change what is different.

        Raises:
            ConfigError: it is not valid, or something can't be made from it. Nothing has changed.
            NoReload: the agent starts or stops.
        """
        async with self._one:
            self._refuse_now()
            await self.told(True)
            try:
                await self._look_again()
                wanted = await trio.to_thread.run_sync(self._load)
                return await self._apply(wanted, by)
            except ConfigError as error:
                self._refused(error, by)
                raise
            finally:
                with trio.CancelScope(shield=True):
                    await self.told(False)

    async def apply(self, wanted: Configuration, by: str) -> Reloaded:
        """As `reload`, with a configuration that was read already."""
        async with self._one:
            self._refuse_now()
            try:
                return await self._apply(wanted, by)
            except ConfigError as error:
                self._refused(error, by)
                raise

    def state(self) -> ConfigurationState:
        """What runs, and what is wrong with what is written."""
        whole = self.engine.configuration
        return ConfigurationState(
            file=str(whole.path) if whole.path else None,
            loaded_at=self.loaded_at,
            hash=whole.digest,
            problems=tuple(self.problems),
            restart_needed=tuple(self.restart_needed),
        )

    def _refuse_now(self) -> None:
        state = "draining" if self._closed else self.running()
        if state in ("running", "storage_full"):
            return
        starts = state in ("starting", "waiting_for_sinks")
        raise NoReload(
            f"the agent is {'starting' if starts else 'stopping'} ({state}): nothing was reloaded",
            fix="ask again when `yaat status` says running, or restart the agent"
            if starts
            else "the next start reads the file",
        )

    def _load(self) -> Configuration:
        """In a thread. Without a file, one is looked for as at a start."""
        path = self.engine.configuration.path or config.find_config()
        try:
            return config.load(path, self.plugins)
        except ConfigError:
            raise
        except Exception as error:
            raise _as_config_error(error, path) from error

    async def _apply(self, wanted: Configuration, by: str) -> Reloaded:
        engine = self.engine
        todo = possible(engine, plan(engine.configuration, wanted))
        try:
            made = await make(engine, todo)
        except YaatError as error:
            raise _as_config_error(error, wanted.path) from error
        try:
            async with _telling_slow(self.health):
                await change(engine, todo, made)
        except Exception:
            log.exception("a reload failed in the middle")
            what = "a reload failed in the middle: what runs is neither the old nor the new configuration"
            self.health.set(COMPONENT, what, advice="restart the agent; the log has the details")
            raise
        was_read_at = self.loaded_at
        self._done(todo, by)
        return Reloaded(
            changes=tuple(todo.changes),
            unchanged=todo.unchanged,
            restart_needed=tuple(todo.restart_needed),
            file=str(wanted.path) if wanted.path else None,
            was_read_at=was_read_at,
            hash=wanted.digest,
        )

    # --- told

    def _done(self, todo: Plan, by: str) -> None:
        self.loaded_at, self.problems, self.restart_needed = _now(), (), todo.restart_needed
        self.health.clear(COMPONENT, _FILE)
        told = ", ".join(f"{one.component} {one.what}" for one in todo.changes) or "nothing is different"
        log.info("configuration reloaded (%s): %s", by, told)
        self.health.diary.add("reload", "agent", f"configuration reloaded ({by}): {told}")
        if todo.restart_needed:
            names = ", ".join(todo.restart_needed)
            self.health.set(
                COMPONENT,
                f"{names}: changed in the file, and takes a restart",
                advice="restart the agent; until then it goes on as it was there",
                level="warn",
                topic=_RESTART,
            )
        else:
            self.health.clear(COMPONENT, _RESTART)
        tell_detected(todo.configuration, self.health)

    def _refused(self, error: ConfigError, by: str) -> None:
        self.problems = error.problems
        for problem in error.problems:
            log.error("configuration not reloaded (%s): %s", by, one_line(problem))
        first, more = error.problems[0], len(error.problems) - 1
        others = f" (and {more} more)" if more else ""
        self.health.set(
            COMPONENT,
            f"the changed file is not valid: {one_line(first)}{others}",
            advice=f"{first.fix + '; ' if first.fix else ''}the agent goes on with what it read at {self.loaded_at}; "
            "`yaat validate` has all problems",
            level="warn",
            topic=_FILE,
        )
        self.health.diary.add(
            "reload", "agent", f"configuration not reloaded ({by}): {one_line(first)}{others}", level="error"
        )

    # --- the file

    async def _watch(self) -> None:
        await self._look_again(begin=True)
        pending: Look | None = None
        while True:
            await trio.sleep(LOOK_EVERY)
            whole = self.engine.configuration
            if self._watched is None and whole.path is not None:
                await self._look_again(begin=True)
            if self._watched is None or not whole.reload.watch:
                continue
            now = await trio.to_thread.run_sync(self._watched.look)
            if now is None or now == self._seen:
                pending = None
            elif now != pending:
                pending = now  # perhaps it is still being written
            elif not self._one.locked():
                pending, self._seen = None, now
                self.ask("the file has changed")

    async def _look_again(self, *, begin: bool = False) -> None:
        """What is read from now on is what the files hold at this moment, or later."""
        path = self.engine.configuration.path
        if path is None:
            self._watched = None
            return
        self._watched, self._seen, digest = await trio.to_thread.run_sync(look_at, path, self._watched)
        if begin and digest != self.engine.configuration.digest and self.engine.configuration.reload.watch:
            self.ask("the file has changed")


def tell_detected(whole: Configuration, health: HealthBoard) -> None:
    """What detection could not look at, as problems of `sources`."""
    health.forget("sources")
    for warning in whole.warnings:
        if warning.code == DETECTED:
            health.set("sources", warning.what, advice=warning.fix, level="warn", topic=warning.what)


def one_line(problem: ConfigProblem) -> str:
    """``file:line:column: what``."""
    return f"{problem.where}: {problem.what}" if problem.where else problem.what


def _as_config_error(error: Exception, path: Path | None) -> ConfigError:
    """What a plugin, or a fault, stands in the way with, as a problem of the configuration."""
    if not isinstance(error, YaatError):
        log.error("the configuration can't be read", exc_info=error)
        error = YaatError(
            f"the configuration can't be read: {type(error).__name__}", fix="the agent's log has more"
        )
    problem = ConfigProblem(
        code=error.code,
        what=error.what,
        file=str(path) if path else "",
        cause=error.cause,
        fix=error.fix,
    )
    return ConfigError([problem])


@asynccontextmanager
async def _telling_slow(health: HealthBoard) -> AsyncIterator[None]:
    """Say it in health when the block takes long."""

    async def tell() -> None:
        await trio.sleep(SLOW)
        health.set(
            COMPONENT,
            f"a reload has not ended for {SLOW:.0f} s: it waits for the queue, or for a component that does not stop",
            advice="mend what else is told here; it goes on by itself",
            level="warn",
            topic=_SLOW,
        )

    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tell)
            yield
            nursery.cancel_scope.cancel()
    finally:
        health.clear(COMPONENT, _SLOW)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
