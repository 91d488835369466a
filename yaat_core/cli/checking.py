"""Looks whether configured components could work: makes each one, and lets sources and sinks check themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final, Literal

import attrs
import trio

from yaat_core.cli.setup import Setup, workshop
from yaat_core.components import Finding, Sink, Source
from yaat_core.config.model import Configuration, Entry, SourceEntry
from yaat_core.errors import PluginError
from yaat_core.workshop import Workshop

#: Seconds that one component's check may take.
PATIENCE: Final = 15.0


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


def check(setup: Setup, *, offline: bool) -> list[Checked]:
    """All components, in the order of the pipeline. ``offline``: sinks are made, but not reached for."""
    return trio.run(_check_all, setup.configuration, workshop(setup), offline)


async def _check_all(whole: Configuration, shop: Workshop, offline: bool) -> list[Checked]:
    entries = list(_entries(whole))
    found: list[Checked | None] = [None] * len(entries)

    async def one(index: int, entry: Entry) -> None:
        found[index] = await _checked(entry, shop, reach=not (offline and entry.id.kind == "sinks"))

    async with trio.open_nursery() as nursery:
        for index, entry in enumerate(entries):
            nursery.start_soon(one, index, entry)
    return [result for result in found if result is not None]


def _entries(whole: Configuration) -> Iterator[Entry]:
    for source in whole.sources.values():
        yield source
        if source.format is not None:
            yield source.format
    yield from whole.processors
    yield whole.queue
    yield from whole.sinks.values()


async def _checked(entry: Entry, shop: Workshop, *, reach: bool) -> Checked:
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
        return told(stage="checked", ok=not _errors(findings), findings=findings)
    finally:
        await _closed(made)


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


def _errors(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.level == "error"]
