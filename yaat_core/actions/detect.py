"""What runs on this machine and could be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
import trio

from yaat_core.actions.base import Action
from yaat_core.operations import Operations


@attrs.frozen(kw_only=True)
class DetectGiven:
    """Nothing is asked for."""


@attrs.frozen(kw_only=True)
class DetectedSource:
    """A source that could be added. ``read_by`` names the source that reads it already; empty: none does.

    ``options`` as they would be written, with the `type`; ``evidence`` says how it was found.
    """

    name: str
    what: str
    options: Mapping[str, Any]
    evidence: Sequence[str]
    read_by: str


@attrs.frozen(kw_only=True)
class Detected:
    """What was found, and what could not be looked at."""

    sources: Sequence[DetectedSource]
    failures: Sequence[str]


async def _detect(agent: Operations, _: DetectGiven) -> Detected:
    return await trio.to_thread.run_sync(_look, agent)


def _look(agent: Operations) -> Detected:
    """In a worker thread: it reads files, also of other programs."""
    from yaat_core.config.covered import covered_by
    from yaat_core.config.problems import ConfigError
    from yaat_core.detection import DefaultSources, default_sources_of

    desk = agent.editor.desk()
    answers, failed = default_sources_of(desk.plugins)
    failures = [f"plugin {one.plugin} could not look what runs here: {one.why}" for one in failed]
    try:
        configuration = desk.load()
    except ConfigError as error:
        configuration = None
        failures.append(f"what is read already can't be told: {error.problems[0].what}")
    found = [one for answer in answers if isinstance(answer, DefaultSources) for one in answer.proposed]
    return Detected(
        sources=[
            DetectedSource(
                name=one.name,
                what=one.what,
                options=one.options,
                evidence=list(one.evidence),
                read_by=covered_by(one.options, configuration) if configuration is not None else "",
            )
            for one in found
        ],
        failures=failures,
    )


DETECT_RUN: Final = Action(
    name="detect.run",
    command="detect",
    summary="What runs on this machine and could be read.",
    danger="read",
    arguments=DetectGiven,
    result=Detected,
    handler=_detect,
)
