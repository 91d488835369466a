"""The processor: masks, the user's rules in order, then the detectors on every text that would leave the agent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import re2

from yaat_core.components import Context, Drop, Processor
from yaat_core.event import EventBatch
from yaat_core.stats import Counter
from yaat_plugin_scrub.config import ScrubConfig
from yaat_plugin_scrub.cutoff import CutOff
from yaat_plugin_scrub.detectors import select
from yaat_plugin_scrub.masks import MASKED, masked, removed
from yaat_plugin_scrub.pem import KeyLines
from yaat_plugin_scrub.redaction import Redaction
from yaat_plugin_scrub.rules import Applied, ready
from yaat_plugin_scrub.sheet import TAG_KEYS, TAG_VALUES, Sheet

_PRIVATE_KEY: Final = "private_key"
#: The counter of texts that each rule changed, by its label ``rule``.
HITS: Final = "yaat_scrub_hits_total"


class Scrub(Processor):
    """See the README for what is found. Keeps nothing of an event, and writes nothing of one into a log."""

    fail_closed = True

    def __init__(self, config: ScrubConfig, context: Context) -> None:
        detectors = select(config.detectors)
        self._masks = config.masks
        self._rules = ready(config.rules)
        self._redaction = Redaction(detectors)
        self._by_key = [
            (detector.name, re2.compile(detector.keys.encode())) for detector in detectors if detector.keys
        ]
        self._cut_off = CutOff(detectors)
        self._key_lines = KeyLines() if _PRIVATE_KEY in {one.name for one in detectors} else None
        own = {*(mask.name for mask in config.masks), *(rule.name for rule in config.rules)}
        names = own | {detector.name for detector in detectors}
        self._counters = {name: _counter(context, name) for name in sorted(names)}

    def process(self, batch: EventBatch) -> tuple[EventBatch, Sequence[Drop]]:
        """Redact, and drop what the rules say."""
        drops: list[Drop] = []
        sheet = self._masked(self._without_key_lines(batch))
        for applied in self._rules:
            if applied.rule.drop:
                sheet = self._drop(applied, sheet, drops)
            else:
                self._count(applied.rule.name, applied.replace(sheet))
        for name, count in self._cut_off.apply(sheet).items():
            self._count(name, count)
        self._detect(sheet)
        return sheet.batch(), drops

    def _masked(self, batch: EventBatch) -> Sheet:
        """Masks come first, so that no rule can rename what they look for."""
        batch, counts = removed(self._masks, batch)
        sheet = Sheet(batch)
        counts.update((mask.name, masked(mask, sheet)) for mask in self._masks if mask.action != "remove")
        for name, count in counts.items():
            self._count(name, count)
        return sheet

    def _without_key_lines(self, batch: EventBatch) -> EventBatch:
        if self._key_lines is None:
            return batch
        messages, count = self._key_lines.apply(
            batch.column("message"), batch.labels.stream, f"[{_PRIVATE_KEY}]"
        )
        self._count(_PRIVATE_KEY, count)
        return batch.with_columns({"message": messages}) if count else batch

    def _drop(self, applied: Applied, sheet: Sheet, drops: list[Drop]) -> Sheet:
        matching = applied.matching(sheet)
        count = int(matching.sum())
        if not count:
            return sheet
        self._count(applied.rule.name, count)
        drops.append(Drop("rule", count, applied.rule.name))
        return Sheet(sheet.batch().filter(pa.array(~matching)))

    def _detect(self, sheet: Sheet) -> None:
        """All parts as one long column, so that each pattern runs once a batch."""
        for name, pattern in self._by_key:
            self._by_tag_key(name, pattern, sheet)
        names = sheet.worth_looking()
        if not names:
            return
        lengths = [len(sheet.part(name).texts) for name in names]
        redacted = self._redaction.apply(pa.concat_arrays([sheet.part(name).texts for name in names]))
        if not len(redacted.rows):
            return
        self._count_hits(sheet, names, redacted.hits)
        ends = np.cumsum(lengths)
        for name, end, length in zip(names, ends, lengths, strict=True):
            if np.any((redacted.rows >= end - length) & (redacted.rows < end)):
                sheet.part(name).put(redacted.texts.slice(end - length, length))

    def _by_tag_key(self, name: str, pattern: Any, sheet: Sheet) -> None:
        """Values of tags with a sensitive name are replaced whole, unless a mask has seen to them."""
        keys = sheet.part(TAG_KEYS)
        texts = keys.texts.view(pa.binary()).to_pylist()
        named = [index for index, key in enumerate(texts) if pattern.search(key)]
        if not named:
            return
        values = sheet.part(TAG_VALUES)
        column = values.column()
        done = pc.or_(pc.equal(column, ""), pc.starts_with(column.view(pa.binary()), MASKED)).fill_null(True)
        mask = keys.rows(named) & ~done.to_numpy(zero_copy_only=False)
        values.put_column(pc.if_else(pa.array(mask), f"[{name}]", column))
        self._count(name, int(mask.sum()))

    def _count_hits(self, sheet: Sheet, names: Sequence[str], hits: Mapping[str, Any]) -> None:
        weights = np.concatenate([sheet.part(name).counts() for name in names])
        for name, rows in hits.items():
            self._count(name, int(weights[rows].sum()))

    def _count(self, name: str, hits: int) -> None:
        if hits:
            self._counters[name].add(hits)


def _counter(context: Context, rule: str) -> Counter:
    help = "Texts in which a detector, a rule or a mask found something."
    return context.stats.counter(HITS, help, rule=rule)
