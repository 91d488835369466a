"""Checks and the support bundle without an agent: made here, with the rights of this user."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

import attrs
import trio

from yaat_core import __version__, config
from yaat_core.actions.base import Action
from yaat_core.actions.dead import DEAD_LIST, DeadList
from yaat_core.actions.queue import QUEUE_LIST, QueueList
from yaat_core.checks.base import Check, Surroundings
from yaat_core.checks.running import Examiner
from yaat_core.cli import offline
from yaat_core.cli.setup import Setup, workshop
from yaat_core.config.problems import ConfigError
from yaat_core.diagnosis import Diagnosis
from yaat_core.errors import AgentNotRunning, YaatError
from yaat_core.flare import pieces
from yaat_core.flare.assembling import assembled, dead, dead_piece, queue_piece
from yaat_core.flare.known import secrets
from yaat_core.flare.model import Flare
from yaat_core.flare.pieces import LISTED, Piece, gather
from yaat_core.flare.redacting import Redactor
from yaat_core.plugins import load_plugins
from yaat_core.status import Accounting, Health, Problem, QueueFigures

A = TypeVar("A")
R = TypeVar("R")


class Outside:
    """As much of `yaat_core.operations.Operations` as `checks`, `diagnose` and the bundle take."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup

    @property
    def inspector(self) -> Outside:
        """Itself."""
        return self

    async def diagnosis(self, *, reach: bool) -> Diagnosis:
        """As `yaat_core.operations.Inspects.diagnosis`: components as `yaat validate` sees them, the accounting of the queue."""
        whole = self._setup.configuration
        accounting, figures, refused = await trio.to_thread.run_sync(self._accounted)
        around = Surroundings(
            configuration=whole,
            plugins=self._setup.plugins.states,
            workshop=workshop(self._setup),
            accounting=accounting,
            queue=figures,
            reach=reach,
        )
        checks = await Examiner().examine(around)
        nobody = Problem(
            component="agent",
            since=datetime.now(UTC).isoformat(timespec="seconds"),
            what="no agent is running on this state directory",
            advice="start one with `yaat run`; with another configuration: -c FILE",
        )
        return Diagnosis(
            version=__version__,
            running=False,
            ok=False,
            health=Health(ok=False, problems=[nobody]),
            checks=[*refused, *checks],
            accounting=accounting,
            queue=figures,
            state_dir=str(whole.state_dir),
            config_file=str(whole.path) if whole.path else None,
        )

    async def flare(self) -> Flare:
        """As `yaat_core.operations.Inspects.flare`."""
        diagnosis = await self.diagnosis(reach=True)
        chosen = [
            *pieces.judged(diagnosis, config.show(self._setup.configuration)),
            *pieces.facts(self._setup.plugins.states),
            *self._queued(),
            *pieces.logs(),
        ]
        return await assembled(chosen, self._setup.plugins, workshop(self._setup))

    def _accounted(self) -> tuple[Accounting | None, QueueFigures | None, list[Check]]:
        """The accounting, or why there is none."""
        if not self._setup.configuration.state_dir.exists():
            return None, None, []
        try:
            return *offline.account(self._setup), []
        except AgentNotRunning:
            return None, None, []  # no agent ever ran here: there is nothing to account for
        except YaatError as refusal:
            check = Check(
                name="queue",
                component="queue",
                group="queue",
                level="error",
                what=refusal.what,
                advice=refusal.fix,
            )
            return None, None, [check]

    def _queued(self) -> Iterator[Piece]:
        """Queue and dead letters as they lie there."""

        async def records() -> Any:
            found = await self._done(QUEUE_LIST, QueueList(limit=LISTED))
            return [attrs.asdict(one) for one in found.records]

        async def letters() -> Any:
            found = await self._done(DEAD_LIST, DeadList(limit=LISTED))
            return dead(found.letters, found.events)

        yield queue_piece(records)
        yield dead_piece(letters)

    async def _done(self, action: Action[A, R], given: A) -> R:
        def work() -> R:
            return offline.call(self._setup, action, given, lambda _: None)

        return await trio.to_thread.run_sync(work)


def without_configuration(error: ConfigError) -> Flare:
    """The bundle when the configuration can't be used: what is wrong with it, and what is known without it."""
    plugins = load_plugins()
    chosen = [
        pieces.given("configuration-problems.txt", "what is wrong with the configuration", error.render()),
        *pieces.facts(plugins.states),
        *pieces.logs(),
    ]
    redactor = Redactor.of(plugins.registry, None, secrets(None, os.environ))
    return trio.run(gather, chosen, redactor)
