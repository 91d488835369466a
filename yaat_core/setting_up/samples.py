"""Live lines of the candidates, and what redaction does to them. Reads a few lines of each; writes and binds nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs
import pyarrow as pa
import trio

from yaat_core import config
from yaat_core.config.editing.rendering import entry
from yaat_core.config.model import Configuration
from yaat_core.errors import YaatError
from yaat_core.event import EventBatch, Labels
from yaat_core.plugins import Plugins
from yaat_core.sampling import Tested, sample
from yaat_core.setting_up.finding import Candidate, written
from yaat_core.stats import Stats
from yaat_core.workshop import Workshop

#: Lines of each source that are looked at, and seconds that one may take.
LINES: Final = 200
SECONDS: Final = 5.0
#: Sources that are read at a time.
_AT_ONCE: Final = 2
_PLACEHOLDER: Final = re.compile(r"\[([A-Za-z][\w.-]{1,63})\]")
_HIDDEN: Final = "•"


@attrs.frozen(kw_only=True)
class Example:
    """A line that redaction changes. ``before`` has what is taken out hidden, but for its first two signs."""

    source: str
    kinds: Sequence[str]
    before: str
    after: str


@attrs.frozen(kw_only=True)
class Redacted:
    """What redaction does to the lines: examples, one of each kind first, and how often each kind was found."""

    lines: int
    changed: int
    counts: Mapping[str, int]
    examples: Sequence[Example]


async def read(
    candidates: Sequence[Candidate],
    path: Path,
    plugins: Plugins,
    told: Callable[[str, Tested | str], None],
) -> dict[str, Tested]:
    """Lines of each candidate, as they were read. ``told`` gets each as it comes, or why it can't be read."""
    found: dict[str, Tested] = {}
    limit = trio.CapacityLimiter(_AT_ONCE)

    async def one(candidate: Candidate) -> None:
        async with limit:
            try:
                whole = await trio.to_thread.run_sync(_alone, candidate, path, plugins)
                tested = await sample(
                    whole, "sources", candidate.name, bytes(16), lines=LINES, seconds=SECONDS
                )
            except YaatError as error:
                told(candidate.name, error.what)
                return
            found[candidate.name] = tested
            told(candidate.name, tested)

    async with trio.open_nursery() as nursery:
        for candidate in candidates:
            nursery.start_soon(one, candidate)
    return found


def _alone(candidate: Candidate, path: Path, plugins: Plugins) -> Configuration:
    """A configuration of this source alone, with no redaction: what is shown of it is redacted by `redact`."""
    section = written([candidate], plugins)
    lines = ["version: 1", *entry("sources", section, 0), "processors: []"]
    return config.load(path, plugins, texts={path: "\n".join(lines) + "\n"}, detect=False)


def redact(
    lines: Mapping[str, Sequence[str]], detectors: Sequence[str], plugins: Plugins, path: Path
) -> Redacted:
    """What these detectors do to the lines of each source; in a worker thread.

    Raises:
        ConfigError: there is no such detector, or no redaction is installed.
    """
    everything = [(source, line) for source, some in lines.items() for line in some]
    after = redacted([line for _, line in everything], detectors, plugins, path)
    counts: Counter[str] = Counter()
    first: list[Example] = []
    more: list[Example] = []
    changed = 0
    for (source, line), new in zip(everything, after, strict=True):
        if new == line:
            continue
        changed += 1
        kinds = kinds_in(line, new)
        fresh = any(kind not in counts for kind in kinds)
        counts.update(kinds)
        if fresh or len(more) < LINES:
            example = Example(source=source, kinds=kinds, before=hidden(line, new), after=new)
            (first if fresh else more).append(example)
    return Redacted(
        lines=len(everything), changed=changed, counts=dict(counts.most_common()), examples=[*first, *more]
    )


def redacted(lines: Sequence[str], detectors: Sequence[str], plugins: Plugins, path: Path) -> list[str]:
    """The lines without what the detectors find.

    Raises:
        ConfigError: as `redact`.
    """
    if not detectors or not lines:
        return list(lines)
    text = "\n".join(
        [
            "version: 1",
            "sources: {}",
            "processors:",
            f"  - {{type: scrub, detectors: [{', '.join(detectors)}]}}",
            "",
        ]
    )
    whole = config.load(path, plugins, texts={path: text}, detect=False)
    shop = Workshop(configuration=whole, agent_id=bytes(16), stats=Stats())
    steps = shop.steps()
    try:
        batch = EventBatch.build(
            len(lines), {"message": pa.array(lines, pa.string())}, Labels(stream="yaat setup")
        )
        for entry in whole.processors:
            batch, _ = steps.at("processor", entry.id.name).processor.process(batch)
        return [str(one or "") for one in batch.column("message").to_pylist()]
    finally:
        for step in steps.all():
            step.processor.close()


def kinds_in(before: str, after: str) -> list[str]:
    """What was found, by the placeholders that stand in its place now."""
    old = Counter(_PLACEHOLDER.findall(before))
    new = Counter(_PLACEHOLDER.findall(after))
    return sorted((new - old).keys()) or ["secret"]


def hidden(before: str, after: str) -> str:
    """The line with what redaction takes out of it hidden, but for its first two signs.

    What stays is what stands around the placeholders; where that can't be told, all of it is hidden.
    """
    parts = _PLACEHOLDER.split(after)[::2]
    at, made = 0, ""
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        place = len(before) - len(part) if last else before.find(part, at) if part or not number else at
        if place < at or (not number and place != 0) or (last and not before.endswith(part)):
            return _cover(before)
        made += (_cover(before[at:place]) if number else "") + part
        at = place + len(part)
    return made


def _cover(text: str) -> str:
    return text[:2] + _HIDDEN * min(10, max(0, len(text) - 2)) if len(text) > 4 else _HIDDEN * len(text)
