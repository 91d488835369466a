"""The user's rules, applied to the fields that they name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_plugin_scrub.config import Rule
from yaat_plugin_scrub.detectors import SHIELD
from yaat_plugin_scrub.redaction import replaced, scattered
from yaat_plugin_scrub.sheet import TAG_KEYS, TAG_VALUES, Part, Sheet

#: A word of a replacement that stands where a value stands.
_WORD: Final = re.compile(r"[^\s=:\"'&,;@/\\]+(?:\\\d[^\s=:\"'&,;@/\\]*)*")

#: Names of tags that are the agent's own.
_OWN_TAGS: Final = "yaat."


@attrs.frozen
class Applied:
    """A rule, ready: ``replacement`` has shields, so that the detectors leave its own words alone."""

    rule: Rule
    replacement: bytes

    @classmethod
    def of(cls, rule: Rule) -> Applied:
        """From the configuration."""
        written = f"[{rule.name}]" if rule.replacement is None else rule.replacement
        return cls(rule, shielded(written))

    def replace(self, sheet: Sheet) -> int:
        """Replace in every field; returns how many values changed."""
        return sum(self._in_field(sheet, field) for field in self.rule.fields)

    def matching(self, sheet: Sheet) -> Any:
        """A mask of the rows in which any field matches."""
        found = np.zeros(len(sheet), bool)
        for field in self.rule.fields:
            found |= self._rows(sheet, field)
        return found

    def _in_field(self, sheet: Sheet, field: str) -> int:
        if field.startswith("tags."):
            return self._in_tag(sheet, field.removeprefix("tags."))
        if field == "tags":
            return self._in_part(sheet.part(TAG_VALUES)) + self._in_part(sheet.part(TAG_KEYS), _OWN_TAGS)
        return self._in_part(sheet.part(field))

    def _in_part(self, part: Part, spared: str = "") -> int:
        """Texts that begin with ``spared`` stay as they are."""
        if part.texts.null_count == len(part.texts):
            return 0
        after, rows = replaced(part.texts, self.rule.pattern, self.replacement)
        if spared and len(rows):
            own = pc.starts_with(part.texts, spared)
            after = pc.if_else(own, part.texts, after)
            rows = rows.filter(pc.invert(own.take(rows)))
        if not len(rows):
            return 0
        count = int(part.counts()[rows.to_numpy()].sum())
        part.put(after)
        return count

    def _in_tag(self, sheet: Sheet, name: str) -> int:
        where = sheet.whose_key_is(name)
        if not len(where):
            return 0
        part = sheet.part(TAG_VALUES)
        values = part.column()
        after, rows = replaced(values.take(pa.array(where)), self.rule.pattern, self.replacement)
        if len(rows):
            part.put_column(scattered(values, where, after))
        return len(rows)

    def _rows(self, sheet: Sheet, field: str) -> Any:
        if not field.startswith("tags"):
            part = sheet.part(field)
            return part.rows(_matches(part.texts, self.rule.pattern))
        part = sheet.part(TAG_VALUES)
        hits = part.rows(_matches(part.texts, self.rule.pattern))
        if field == "tags":
            keys = sheet.part(TAG_KEYS)
            hits |= keys.rows(_matches(keys.texts, self.rule.pattern))
        else:
            named = np.zeros(len(hits), bool)
            named[sheet.whose_key_is(field.removeprefix("tags."))] = True
            hits &= named
        found = np.zeros(len(sheet), bool)
        found[sheet.owners()[hits]] = True
        return found


def shielded(replacement: str) -> bytes:
    """The replacement with a shield before each word that stands as a value: before `[gone]` in ``password=[gone]``."""
    pieces, done = [], 0
    for word in _WORD.finditer(replacement):
        if replacement[word.end() :].lstrip()[:1] not in ("=", ":"):
            pieces += [replacement[done : word.start()].encode(), SHIELD]
            done = word.start()
    return b"".join([*pieces, replacement[done:].encode()])


def ready(rules: Sequence[Rule]) -> tuple[Applied, ...]:
    """All of them, in order."""
    return tuple(Applied.of(rule) for rule in rules)


def _matches(texts: Any, pattern: str) -> Any:
    return pc.indices_nonzero(pc.match_substring_regex(texts, pattern)).to_numpy()
