"""Sources and sinks, each made anew and asked whether it could work: what `yaat validate` and `yaat diagnose` share."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final, Literal

import attrs
import trio

from yaat_core.checks import sockets
from yaat_core.checks.base import Check, Looking, Surroundings
from yaat_core.components import Finding, Sink, Source
from yaat_core.config.model import Configuration, Entry, SourceEntry
from yaat_core.errors import PluginError
from yaat_core.workshop import Workshop

#: Seconds that one component's check may take.
PATIENCE: Final = 15.0
#: Seconds more after which a check that does not even let itself be cancelled is given up.
_GRACE: Final = 2.0
_IN_USE: Final = os.strerror(errno.EADDRINUSE)


@attrs.frozen(kw_only=True)
class Checked:
    """One component: its stage, whether it could be made, and what its own check found."""

    component: str
    type: str
    stage: Literal["made", "checked"]
    ok: bool
    findings: Sequence[Finding] = ()
    hint: str = ""
    """What is well and might be better."""
    passed: Sequence[str] = ()
    """Steps that went well, of a check that goes step by step."""


def entries(whole: Configuration) -> Iterator[Entry]:
    """Every component, in the order of the pipeline."""
    for source in whole.sources.values():
        yield source
        if source.format is not None:
            yield source.format
    yield from whole.processors
    yield whole.queue
    yield from whole.sinks.values()


def lookings(around: Surroundings) -> Iterator[Looking]:
    """A check for each component. Those that only transform need none in an agent: there they are made already."""
    for entry in entries(around.configuration):
        if around.status is None or entry.id.kind in ("sources", "sinks"):
            yield Looking(
                name=str(entry.id),
                group=entry.id.kind,
                component=str(entry.id),
                look=partial(_looked, entry),
                seconds=PATIENCE + _GRACE,
            )


async def checked(entry: Entry, shop: Workshop, *, reach: bool) -> Checked:
    """Make it, let it look, close it."""
    told = partial(Checked, component=str(entry.id), type=entry.type.name, hint=_hint(entry))
    try:
        made = await trio.to_thread.run_sync(shop.make, entry)
    except PluginError as error:
        finding = Finding(problem=error.what, advice=error.fix or error.cause)
        return told(stage="made", ok=False, findings=[finding])
    try:
        if not reach or not isinstance(made, Source | Sink):
            return told(stage="made", ok=True)
        findings = await _asked(made)
        ok = not any(finding.level == "error" for finding in findings)
        return told(stage="checked", ok=ok, findings=findings, passed=tuple(made.passed()))
    finally:
        await _closed(made)


def _looked(entry: Entry, around: Surroundings) -> Iterator[Check]:
    """In an event loop of its own: a check that blocks or hangs holds up nobody but its thread."""
    reach = around.reach or entry.id.kind != "sinks"
    result: Checked = trio.run(partial(checked, entry, around.workshop, reach=reach))
    tell = partial(Check, name=result.component)
    if result.stage == "made" and result.ok:
        sink = entry.id.kind == "sinks"
        what = f"{result.type}, made{', not reached for' if sink else ''}"
        yield tell(level="skipped" if sink else "ok", what=what)
        return
    for step in result.passed:
        yield tell(level="ok", what=step)
    findings = _beyond_listeners(entry, around.configuration, result.findings)
    for finding in findings:
        yield tell(level=finding.level, what=finding.problem, advice=finding.advice)
    if not findings and not result.passed:
        yield tell(level="ok", what=f"{result.type}: its own check finds nothing wrong")


def _beyond_listeners(entry: Entry, whole: Configuration, findings: Iterable[Finding]) -> Sequence[Finding]:
    """Without addresses that are in use: the check of listeners knows by whom, and whether it is the agent itself."""
    known = [one.written for one in sockets.wanted(whole) if one.component == str(entry.id)]
    return [
        finding
        for finding in findings
        if not (_IN_USE in finding.problem and any(written in finding.problem for written in known))
    ]


def _hint(entry: Entry) -> str:
    if isinstance(entry, SourceEntry) and entry.type.reads_lines and not entry.format_given:
        return "its lines stay as they are; `format: auto` takes them apart, `format: raw` says that this is meant"
    return ""


async def _asked(made: Source | Sink) -> Sequence[Finding]:
    with trio.move_on_after(PATIENCE):
        try:
            return tuple(await made.check())
        except Exception as error:  # noqa: BLE001 - a check that raises is a finding
            return [Finding(problem=f"its check failed: {type(error).__name__}: {error}")]
    return [
        Finding(
            problem=f"its check did not end within {PATIENCE:.0f} s",
            advice="something it reads or reaches hangs",
        )
    ]


async def _closed(made: Any) -> None:
    if isinstance(made, Sink):
        await made.aclose()
    elif hasattr(made, "close"):
        await trio.to_thread.run_sync(made.close)
