"""What may be wrong: every check, and the same with status and accounting as one document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import attrs
from msgspec import Meta

from yaat_core.actions.base import Action
from yaat_core.checks.base import Check
from yaat_core.diagnosis import Diagnosis
from yaat_core.operations import Operations


@attrs.frozen(kw_only=True)
class Checks:
    """What to look at."""

    reach: Annotated[
        bool,
        Meta(description="Whether sinks are reached for: name, connection, TLS, key. False: nothing leaves."),
    ] = True


@attrs.frozen(kw_only=True)
class ChecksDone:
    """Everything that was looked at, by group. ``ok`` is false when a check found an error."""

    ok: bool
    checks: Sequence[Check]


async def _checks(agent: Operations, given: Checks) -> ChecksDone:
    checks = (await agent.inspector.diagnosis(reach=given.reach)).checks
    return ChecksDone(ok=not any(one.level == "error" for one in checks), checks=checks)


async def _diagnose(agent: Operations, given: Checks) -> Diagnosis:
    return await agent.inspector.diagnosis(reach=given.reach)


CHECKS: Final = Action(
    name="checks",
    command="diagnose",
    summary="Look at everything that may be wrong, where the agent runs; each problem with what to do.",
    danger="read",
    arguments=Checks,
    result=ChecksDone,
    handler=_checks,
)
DIAGNOSE: Final = Action(
    name="diagnose",
    command="diagnose",
    summary="The accounting, what is wrong, and what to do about it.",
    danger="read",
    arguments=Checks,
    result=Diagnosis,
    handler=_diagnose,
)

CHECKS_ACTIONS: Final = (CHECKS, DIAGNOSE)
