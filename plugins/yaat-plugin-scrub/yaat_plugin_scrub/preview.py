"""What scrubs would do to lines of text: for `yaat scrub test`. The scrubs are the real ones, and see real events."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa

from yaat_core.components import ComponentId, Context, Processor
from yaat_core.event import EventBatch, Labels
from yaat_core.stats import ComponentStats, Stats
from yaat_plugin_scrub.config import COLUMNS, ScrubConfig
from yaat_plugin_scrub.detectors import select
from yaat_plugin_scrub.scrub import HITS, Scrub

#: What is shown of an event; of one with a message alone, only that.
_SHOWN: Final = (*COLUMNS, "tags")
_STREAM: Final = Labels(stream="yaat scrub test")


@attrs.frozen(kw_only=True)
class Change:
    """A line that does not stay as it is: without its secrets in ``after`` (None: dropped), and by which rules.

    ``clean`` is what would become of it if nothing were dropped.
    """

    number: int
    kinds: Sequence[str]
    before: str
    after: str | None
    clean: str

    @property
    def dropped(self) -> bool:
        """Whether the whole event goes."""
        return self.after is None


@attrs.frozen(kw_only=True)
class RuleChange:
    """What one rule, mask or detector did: in how many texts, and what it alone takes out of a line (None: nothing)."""

    name: str
    type: str
    texts: int
    example: Change | None


class Preview:
    """Scrubs in a row, as a pipeline would apply them to the events that ``parser`` makes of lines (None: messages)."""

    def __init__(self, configs: Sequence[ScrubConfig], parser: Processor | None = None) -> None:
        self._configs = configs
        self._parser = parser
        self._stats = Stats()
        self._scrubs = [_scrub(config, self._stats) for config in configs]
        self._keeping = _scrubs([_without_drops(config) for config in configs])
        self._examples: dict[str, Change] = {}

    def changes(self, lines: Sequence[str], first: int = 1) -> tuple[int, int, Iterator[Change]]:
        """Of lines that begin with number ``first``: how many change, how many are dropped, and all of them in order.

        Who changed a line is found out when it is asked for.
        """
        return self._changes(self._events(lines), first)

    def changes_of(self, batch: EventBatch, first: int = 1) -> tuple[int, int, Iterator[Change]]:
        """As `changes`, of events as they come to the redaction."""
        return self._changes(batch.with_columns({"event_id": _numbers(len(batch))}), first)

    def _changes(self, before: EventBatch, first: int) -> tuple[int, int, Iterator[Change]]:
        before = before.with_labels(_STREAM)
        after = _through(self._scrubs, before)
        old, new = _texts(before), _texts(after)
        left = dict(zip(_rows(after), new, strict=True))
        changed = [row for row, text in zip(_rows(before), old, strict=True) if left.get(row) != text]
        self._note_examples(before, changed, first)
        dropped = sum(row not in left for row in changed)

        def each() -> Iterator[Change]:
            place = {row: index for index, row in enumerate(_rows(before))}
            for row in changed:
                event, text = before.slice(place[row], 1), old[place[row]]
                yield self._change(first + row, self._kinds(event), event, text, left.get(row))

        return len(changed) - dropped, dropped, each()

    def rules(self) -> list[RuleChange]:
        """Every rule, mask and detector so far, in the order of their configuration; those that found nothing, too."""
        counts = _hits(self._stats)
        kinds = {name: type for config in self._configs for name, type in _each(config)}
        return [
            RuleChange(name=name, type=type, texts=counts.get(name, 0), example=self._examples.get(name))
            for name, type in kinds.items()
        ]

    def _events(self, lines: Sequence[str]) -> EventBatch:
        columns = {"message": pa.array(lines, pa.string()), "event_id": _numbers(len(lines))}
        batch = EventBatch.build(len(lines), columns, _STREAM)
        return batch if self._parser is None else self._parser.process(batch)[0]

    def _change(
        self, number: int, kinds: Sequence[str], event: EventBatch, before: str, after: str | None
    ) -> Change:
        clean = _texts(_through(self._keeping, event))[0] if after is None else after
        return Change(number=number, kinds=kinds, before=before, after=after, clean=clean)

    def _kinds(self, event: EventBatch) -> list[str]:
        stats = Stats()
        _through([_scrub(config, stats) for config in self._configs], event)
        # a line within a private key is known by those before it only
        counts = _hits(stats)
        found = [name for config in self._configs for name, _ in _each(config) if counts.get(name)]
        return list(dict.fromkeys(found)) or ["private_key"]

    def _note_examples(self, before: EventBatch, changed: Sequence[int], first: int) -> None:
        wanted = [name for name, count in _hits(self._stats).items() if count and name not in self._examples]
        if not wanted or not changed:
            return
        some = before.filter(pa.array(np.isin(_rows(before), changed)))
        for name in wanted:
            example = self._example(name, some, first)
            if example is not None:
                self._examples[name] = example

    def _example(self, name: str, some: EventBatch, first: int) -> Change | None:
        """The first event in which this rule finds what no other does, before and after it, redacted by the others."""
        configs = [_without_drops(config) for config in self._configs]
        others = _scrubs([_only(config, lambda one: one != name) for config in configs])
        alone = _scrubs([_only(config, lambda one: one == name) for config in self._configs])
        left = _through(alone, some)
        after = dict(zip(_rows(left), _texts(_through(others, left)), strict=True))
        for row, text in zip(_rows(some), _texts(_through(others, some)), strict=True):
            if after.get(row) != text:
                # what is dropped is shown as it would be without this rule
                clean = after.get(row, text)
                return Change(
                    number=first + row, kinds=[name], before=text, after=after.get(row), clean=clean
                )
        return None


def context(name: str, stats: Stats | None = None) -> Context:
    """For a processor outside of any pipeline."""
    id = ComponentId("processors", name)
    return Context(
        id=id,
        agent_id=bytes(16),
        host_name=socket.gethostname(),
        state_dir=Path(),
        config_dir=Path(),
        stats=ComponentStats(stats or Stats(), str(id)),
        log=logging.getLogger(f"yaat.{id}"),
    )


def _scrub(config: ScrubConfig, stats: Stats) -> Scrub:
    return Scrub(config, context("scrub", stats))


def _scrubs(configs: Sequence[ScrubConfig]) -> list[Scrub]:
    return [_scrub(config, Stats()) for config in configs]


def _each(config: ScrubConfig) -> Iterator[tuple[str, str]]:
    """Name and type."""
    yield from ((mask.name, "mask") for mask in config.masks)
    yield from ((rule.name, "drop" if rule.drop else "rule") for rule in config.rules)
    yield from ((detector.name, "detector") for detector in select(config.detectors))


def _only(config: ScrubConfig, wanted: Callable[[str], bool]) -> ScrubConfig:
    return ScrubConfig(
        masks=tuple(one for one in config.masks if wanted(one.name)),
        rules=tuple(one for one in config.rules if wanted(one.name)),
        detectors=tuple(one.name for one in select(config.detectors) if wanted(one.name)),
    )


def _without_drops(config: ScrubConfig) -> ScrubConfig:
    rules = tuple(rule for rule in config.rules if not rule.drop)
    return ScrubConfig(detectors=config.detectors, masks=config.masks, rules=rules)


def _through(scrubs: Sequence[Scrub], batch: EventBatch) -> EventBatch:
    for scrub in scrubs:
        batch, _ = scrub.process(batch)
    return batch


def _hits(stats: Stats) -> Mapping[str, int]:
    """Texts by rule, in no order."""
    found = [sample for sample in stats.snapshot() if sample.name == HITS]
    return {sample.labels["rule"]: int(sample.value) for sample in found}


def _numbers(count: int) -> Any:
    """Row numbers travel in ``event_id``, so that a line is known again when others were dropped."""
    return pa.array([row.to_bytes(16, "big") for row in range(1, count + 1)], pa.binary(16))


def _rows(batch: EventBatch) -> list[int]:
    return [int.from_bytes(id, "big") - 1 for id in batch.column("event_id").to_pylist()]


def _texts(batch: EventBatch) -> list[str]:
    """Each event as a text: its message, or JSON of all that a scrub looks at when there is more."""
    columns = {name: batch.column(name).to_pylist() for name in _SHOWN}
    return [_text({name: column[row] for name, column in columns.items()}) for row in range(len(batch))]


def _text(event: dict[str, Any]) -> str:
    tags = dict(event.pop("tags"))
    filled = {name: value for name, value in event.items() if value}
    if not tags and set(filled) <= {"message"}:
        return str(filled.get("message", ""))
    return json.dumps({**filled, **({"tags": tags} if tags else {})}, ensure_ascii=False)
