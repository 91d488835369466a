"""What a scrub would do to lines of text, line by line: for `yaat scrub test`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from yaat_plugin_scrub.config import ScrubConfig
from yaat_plugin_scrub.detectors import select
from yaat_plugin_scrub.redaction import Redaction, replaced
from yaat_plugin_scrub.rules import Applied, ready

_WORDS: Final = re.compile(r"\s+|\S+")
#: A masked text shows this many characters at both ends when it is at least `_LONG`.
_SHOWN: Final = 2
_LONG: Final = 12


@attrs.frozen(kw_only=True)
class Change:
    """A line that does not stay as it is: without its secrets in ``after``, and perhaps dropped."""

    number: int
    kinds: Sequence[str]
    before: str
    after: str
    dropped: bool


class Preview:
    """Scrubs in a row, as a pipeline would apply them to messages."""

    def __init__(self, configs: Sequence[ScrubConfig]) -> None:
        self._scrubs = [(ready(config.rules), Redaction(select(config.detectors))) for config in configs]

    def changes(self, lines: Sequence[str], first: int = 1) -> Iterator[Change]:
        """Of lines that begin with number ``first``: those that change, in order."""
        texts = pa.array(lines, pa.string())
        kinds: dict[int, list[str]] = {}
        dropped: set[int] = set()
        for rules, redaction in self._scrubs:
            texts = _ruled(rules, texts, kinds, dropped)
            redacted = redaction.apply(texts)
            for name, rows in redacted.hits.items():
                _note(kinds, name, rows.tolist())
            texts = redacted.texts
        for row in sorted(kinds):
            yield Change(
                number=first + row,
                kinds=kinds[row],
                before=lines[row],
                after=texts[row].as_py(),
                dropped=row in dropped,
            )


def masked(change: Change) -> str:
    """The line before, with the middle of whatever was taken out of it hidden."""
    old, new = _WORDS.findall(change.before), _WORDS.findall(change.after)
    steps = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return "".join(
        "".join(old[a:b]) if step == "equal" else _hidden("".join(old[a:b]), "".join(new[c:d]))
        for step, a, b, c, d in steps
    )


def _ruled(rules: Sequence[Applied], texts: Any, kinds: dict[int, list[str]], dropped: set[int]) -> Any:
    for applied in rules:
        if "message" not in applied.rule.fields:
            continue
        if applied.rule.drop:
            rows = pc.indices_nonzero(pc.match_substring_regex(texts, applied.rule.pattern))
        else:
            texts, rows = replaced(texts, applied.rule.pattern, applied.replacement)
        hit = [row for row in rows.to_pylist() if row not in dropped]
        _note(kinds, applied.rule.name, hit)
        if applied.rule.drop:
            dropped.update(hit)
    return texts


def _note(kinds: dict[int, list[str]], name: str, rows: Iterable[int]) -> None:
    for row in rows:
        kinds.setdefault(row, []).append(name)


def _hidden(before: str, after: str) -> str:
    """What both have in common at the ends stays; of the rest only the ends are shown."""
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    middle = before[start : len(before) - end]
    shown = _SHOWN if len(middle) >= _LONG else 0
    mask = f"{middle[:shown]}…{middle[len(middle) - shown :]}" if middle else ""
    return before[:start] + mask + before[len(before) - end :]


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    return next(
        (index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
