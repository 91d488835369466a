"""The source of logs: which containers there are, and a `Tail` for each."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
import trio

from yaat_core import Context, EventBatch, Finding, Outlet, Source
from yaat_kit.joining import make_joiner
from yaat_kit.multiline import Joiner, Limits
from yaat_plugin_docker.config import DockerConfig
from yaat_plugin_docker.container import Container, Selection, Tagger, entries, from_inspection, valid_id
from yaat_plugin_docker.desk import Desk, Tally
from yaat_plugin_docker.engine import Engine, EngineError
from yaat_plugin_docker.labels import Wishes, wishes
from yaat_plugin_docker.log import Log, Making
from yaat_plugin_docker.own import own_ids
from yaat_plugin_docker.tail import Pace, Pauses, Tail

_BEGUN: Final = b"begun"
_RUNNING: Final = ("running", "paused", "restarting", "removing", "stopping")
#: What is told of at most: problems of containers, and bytes of one event of the engine.
_TOLD: Final = 20
_LONGEST_EVENT: Final = 4 << 20
_MOST_STARTED: Final = 10_000
_UNIMPORTANT: Final = ("exec_", "health_status", "top", "resize", "attach")
_UNREADABLE: Final = ("none", "passthrough")
#: Seconds, so that many containers that start together are listed once.
_BREATH: Final = 0.05
_SECOND: Final = 1_000_000_000


class DockerSource(Source):
    """Everything that containers write. A container that is not read, and why, is told."""

    def __init__(self, config: DockerConfig, context: Context) -> None:
        self._config = config
        self._context = context
        self._selection = Selection(config.containers, config.images, config.labels, config.ids)
        self._tagger = Tagger(config.label_tags, config.env_tags)
        self._own = own_ids()
        self._pace = Pace(partial=config.partial_timeout, join=config.join_timeout, poll=config.poll)
        self._tally = Tally(context)
        self._tails: dict[str, Tail] = {}
        self._settled: dict[str, bool] = {}
        """Containers that are not read: True while they do not start again, False for good."""
        self._started: dict[str, tuple[str, str]] = {}
        """Containers that the engine told of since they were listed last: name and image."""
        self._told: dict[str, list[Finding]] = {}
        self._problem: Finding | None = None
        self._changed = trio.Event()

    async def run(self, out: Outlet) -> None:
        """As `Source.run`."""
        engine = Engine(self._config.host)
        desk = Desk(out, self._tally, self._context.log)
        try:
            await self._first_start(desk)
            await (self._once(engine, desk) if self._context.once else self._forever(engine, desk))
        finally:
            with trio.CancelScope(shield=True):
                await engine.aclose()

    async def check(self) -> Sequence[Finding]:
        """As `Source.check`."""
        try:
            engine = Engine(self._config.host)
            try:
                await engine.meet()
                await self._survey(engine, None, _nothing)
            finally:
                await engine.aclose()
        except EngineError as error:
            return [Finding(problem=error.what, advice=error.fix)]
        return self.problems()

    def problems(self) -> Sequence[Finding]:
        """As `Source.problems`."""
        if self._problem is not None:
            return [self._problem]
        told = [finding for one in self._told.values() for finding in one]
        told += [tail.problem for tail in self._tails.values() if tail.problem is not None]
        more = len(told) - _TOLD
        rest = [Finding(problem=f"{more} more problems with containers", level="warn")] if more > 0 else []
        return [*told[:_TOLD], *rest]

    # --- the ways to run ------------------------------------------------------------------------

    async def _first_start(self, desk: Desk) -> None:
        """Remember when it began: with `start_at: end` what was written before is not read."""
        if desk.value(_BEGUN) is None:
            await desk.send(EventBatch.empty(), {_BEGUN: str(time.time_ns()).encode()})

    async def _once(self, engine: Engine, desk: Desk) -> None:
        found: list[Tail] = []

        async def keep(tail: Tail) -> None:
            found.append(tail)

        await engine.meet()
        await self._survey(engine, desk, keep)
        for tail in found:
            await tail.once()
        for tail in found:
            if tail.receipt is not None:
                await tail.receipt.durable()

    async def _forever(self, engine: Engine, desk: Desk) -> None:
        pauses = Pauses()
        met = False
        async with trio.open_nursery() as nursery:

            async def start(tail: Tail) -> None:
                self._tails[tail.container.id] = tail
                nursery.start_soon(self._tend, tail)

            nursery.start_soon(self._hear, engine)
            while True:
                self._changed = trio.Event()
                try:
                    if not met:
                        await engine.meet()
                        met = True
                    await self._survey(engine, desk, start)
                except EngineError as error:
                    met = False
                    if self._problem is None:
                        self._context.log.warning("%s", error.line())
                    self._problem = Finding(problem=error.what, advice=error.fix)
                    await pauses.pause()
                    continue
                self._problem = None
                pauses.reset()
                with trio.move_on_after(self._config.resync):
                    await self._changed.wait()
                    await trio.sleep(_BREATH)

    async def _tend(self, tail: Tail) -> None:
        await tail.run()
        del self._tails[tail.container.id]
        self._tally.containers.set(len(self._tails))
        self._settled[tail.container.id] = True

    # --- which there are ------------------------------------------------------------------------

    async def _hear(self, engine: Engine) -> None:
        """What the engine tells of containers: a reason to list them."""
        pauses = Pauses()
        parameters = {"filters": '{"type":["container"]}'}
        while True:
            try:
                async with engine.stream("/events", parameters, followed=True) as chunks:
                    self._begin_again()
                    rest = b""
                    async for chunk in chunks:
                        pauses.reset()
                        *lines, rest = (rest + chunk).split(b"\n")
                        for line in lines:
                            self._notice(line)
                        rest = rest if len(rest) <= _LONGEST_EVENT else b""
            except EngineError:
                self._changed.set()  # listing says what is wrong
            await pauses.pause()

    def _begin_again(self) -> None:
        """Nothing was heard for a while: what had ended may have run again."""
        self._settled = {id: again for id, again in self._settled.items() if not again}
        self._changed.set()

    def _notice(self, line: bytes) -> None:
        """One event of the engine, as JSON."""
        try:
            event = msgspec.json.decode(line) if line.strip() else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        if not isinstance(event, dict):
            return
        action = str(event.get("Action") or event.get("status") or "")
        if not action or action.startswith(_UNIMPORTANT):
            return
        actor = event.get("Actor")
        id = valid_id(actor.get("ID") if isinstance(actor, dict) else event.get("id"))
        if id is not None and action in ("start", "rename", "restart"):
            self._settled.pop(id, None)
            about = actor.get("Attributes") if isinstance(actor, dict) else None
            if action == "start" and isinstance(about, dict) and len(self._started) < _MOST_STARTED:
                self._started[id] = (str(about.get("name", "")), str(about.get("image", "")))
        self._changed.set()

    async def _survey(
        self, engine: Engine, desk: Desk | None, use: Callable[[Tail], Awaitable[None]]
    ) -> None:
        """List containers; those that are to be read and are not yet are given to ``use``. Without a desk only look."""
        started, self._started = self._started, {}
        listing = entries(await engine.get("/containers/json", {"all": "1"}))
        listed = {id: one for one in listing if (id := valid_id(one.get("Id"))) is not None}
        for id, entry in listed.items():
            running = str(entry.get("State", "")).lower() in _RUNNING
            if (tail := self._tails.get(id)) is not None:
                tail.tell(running=running)
            elif self._wanted(id, entry, running=running):
                await self._meet(id, engine, desk, use)
        self._settled = {id: again for id, again in self._settled.items() if id in listed}
        self._told = {id: told for id, told in self._told.items() if id in listed}
        self._tally.containers.set(len(self._tails))
        if desk is not None:
            for id, (name, image) in started.items():
                if id not in listed and id not in self._tails and self._selection.takes(id, name, image, {}):
                    desk.never_seen(name)
            await desk.forget(frozenset(listed))

    def _wanted(self, id: str, entry: Mapping[str, Any], *, running: bool) -> bool:
        again = self._settled.get(id)
        if again is not None and not (again and running):
            return False
        if str(entry.get("State", "")).lower() in ("created", "configured", "initialized"):
            return False
        names = entry.get("Names")
        name = str(names[0]).removeprefix("/") if isinstance(names, list) and names else ""
        labels = entry.get("Labels")
        chosen = self._selection.takes(
            id, name, str(entry.get("Image", "")), labels if isinstance(labels, dict) else {}
        )
        if not chosen or any(id.startswith(own) for own in self._own):
            self._settled[id] = False
            return False
        return True

    async def _meet(
        self, id: str, engine: Engine, desk: Desk | None, use: Callable[[Tail], Awaitable[None]]
    ) -> None:
        try:
            container = from_inspection(await engine.get(f"/containers/{id}/json"))
        except EngineError as error:
            if error.gone:
                return
            raise
        if container is None:
            return
        asked = wishes(container)
        self._tell(container, asked)
        if asked.excluded or asked.refused or container.driver in _UNREADABLE:
            self._settled[id] = False
            return
        if desk is None:
            return
        stored = desk.stored(container)
        if not container.running and not stored and self._is_old(container):
            self._settled[id] = True
            return
        tags = self._tagger.tags(container)
        log = Log(container, asked, tags, stored, self._begin_at(container, desk), self._making(asked))
        await use(Tail(container, log, engine, desk, self._pace))

    def _tell(self, container: Container, asked: Wishes) -> None:
        told = [
            Finding(problem=f"container {container.shown}: {text}", level="warn") for text in asked.complaints
        ]
        if asked.refused:
            told.append(
                Finding(
                    problem=f"container {container.shown} is not read: {asked.refused}",
                    advice="mend its label",
                )
            )
        elif container.driver in _UNREADABLE and not asked.excluded:
            told.append(
                Finding(
                    problem=f"container {container.shown} is not read: its log driver is `{container.driver}`",
                    advice="start it with another (json-file, local, journald), or exclude it",
                    level="warn",
                )
            )
        if told:
            self._told[container.id] = told
        else:
            self._told.pop(container.id, None)

    def _is_old(self, container: Container) -> bool:
        return container.finished < time.time_ns() - int(self._config.exited_within * 1e9)

    def _begin_at(self, container: Container, desk: Desk) -> int:
        """From which time on a log is read that was never read before: nanoseconds, 0 for its beginning."""
        begun = int(desk.value(_BEGUN) or 0) // _SECOND * _SECOND  # some engines tell whole seconds only
        return begun if self._config.start_at == "end" and container.started < begun else 0

    def _making(self, asked: Wishes) -> Making:
        return Making(
            context=self._context,
            joiner=self._joiner(asked),
            max_line_bytes=self._config.max_line_bytes,
            tally=self._tally,
        )

    def _joiner(self, asked: Wishes) -> Joiner:
        limits = Limits(lines=self._config.event_lines, bytes=self._config.event_bytes)
        return make_joiner(self._config.multiline if asked.multiline is None else asked.multiline, limits)


async def _nothing(_tail: Tail) -> None:
    """Only look."""
