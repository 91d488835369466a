"""Takes out of a text what nobody else should see: known values, values of telling names, what detectors find.

Fail closed: a text of which anything can't be scanned is not given out.
"""

from __future__ import annotations

import json
import logging
import re
import socket
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import pyarrow as pa

from yaat_core import report
from yaat_core.components import ComponentId, Context, Processor
from yaat_core.config.fields import defaults_of, keys_of
from yaat_core.config.keys import SCRUB
from yaat_core.config.nodes import MASK
from yaat_core.event import EventBatch, Labels
from yaat_core.flare.known import NAMED
from yaat_core.registry import Registry
from yaat_core.stats import ComponentStats, Stats
from yaat_core.workshop import Workshop

_OWN: Final = ComponentId("processors", "flare")
#: What every text is looked through for, by the name of the option of the redaction plugin.
_DETECTORS: Final = ("all",)
#: What stands before a value, on the same line, and the value: quoted, or a word behind the scheme of a header.
_BEFORE: Final = re.compile(r"""([\w.-]+)["']?[^\S\n]*[=:][^\S\n]*""")
_VALUE: Final = re.compile(
    r"""(?:(?:Bearer|Basic|Digest|Token|ApiKey)[^\S\n]+)?(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s,;}\]]+)""",
    re.IGNORECASE,
)
_USERINFO: Final = re.compile(r"(://)[^/\s:@]*:[^/\s@]+@")


class NotScanned(Exception):
    """A text that could not be looked through; the message says why."""


class Redactor:
    """Not for several threads at one time.

    ``known``: secret value to its name. ``scrubs``: None when no plugin can scan texts. ``stats`` is what they count into.
    """

    def __init__(self, known: Mapping[str, str], scrubs: Sequence[Processor] | None, stats: Stats) -> None:
        # the longest first: one may be part of another
        self._known = sorted(known.items(), key=lambda one: -len(one[0]))
        self._scrubs = scrubs
        self._stats = stats

    @classmethod
    def of(cls, registry: Registry, shop: Workshop | None, known: Mapping[str, str]) -> Redactor:
        """With every detector of the installed redaction plugin, behind the rules that are configured.

        Raises:
            PluginError: a processor can't be made.
        """
        stats = Stats()
        type = registry.find("processors", SCRUB)
        if type is None:
            return cls(known, None, stats)
        scrubs: list[Processor] = []
        if shop is not None:
            shop = attrs.evolve(shop, stats=stats)
            scrubs += [shop.make(one) for one in shop.configuration.processors if one.type.name == SCRUB]
        options: Any = defaults_of(type.config)
        if any(key.name == "detectors" for key in keys_of(type.config)):
            options = attrs.evolve(options, detectors=_DETECTORS)
        return cls(known, [*scrubs, type.factory(options, _context(stats))], stats)

    @property
    def scans(self) -> bool:
        """Whether texts go through detectors."""
        return self._scrubs is not None

    def text(self, text: str) -> tuple[str, Mapping[str, int]]:
        """Lines of text without what has to go, and how often what was taken out.

        Raises:
            NotScanned: there are no detectors, or one of them failed.
        """
        if self._scrubs is None:
            raise NotScanned("no redaction plugin is installed (yaat-plugin-scrub), so it can't be scanned")
        counts: Counter[str] = Counter()
        return self._taken_out(text, counts), counts

    def document(self, value: Any) -> tuple[str, Mapping[str, int]]:
        """The same for a JSON-ready value: for every text in it, names of fields too. It is written with a line for each part.

        Raises:
            NotScanned: as `text`.
        """
        counts: Counter[str] = Counter()
        masked = _masked(value, counts)
        texts: list[str] = []

        def collect(text: str) -> str:
            texts.append(text)
            return text

        _each_text(masked, collect)
        clean, more = self.text("\n".join(texts))
        lines = iter(clean.split("\n"))
        done = _each_text(masked, lambda text: "\n".join(next(lines) for _ in range(text.count("\n") + 1)))
        return _written(done), counts + Counter(more)

    def own(self, value: Any) -> tuple[str, Mapping[str, int]]:
        """The same for yaat's own names and numbers, which need no detectors; they are used when they are there."""
        if self._scrubs is not None:
            return self.document(value)
        counts: Counter[str] = Counter()
        done = _each_text(_masked(value, counts), lambda text: self._without_known(text, counts))
        return _written(done), counts

    def _taken_out(self, text: str, counts: Counter[str]) -> str:
        text = self._without_known(text, counts)
        text = _USERINFO.sub(_counted(counts, "user in an address", rf"\1{MASK}@"), text)
        # Detectors first: a value that is masked by its name alone no longer looks like what they know.
        return _by_names(self._scrubbed(text, counts), counts)

    def _without_known(self, text: str, counts: Counter[str]) -> str:
        for value, name in self._known:
            times = text.count(value)
            if times:
                counts[f"value of {name}"] += times
                text = text.replace(value, MASK)
        return text

    def _scrubbed(self, text: str, counts: Counter[str]) -> str:
        lines = text.split("\n")
        before = _hits(self._stats)
        try:
            left = self._through(lines)
        except Exception as error:
            raise NotScanned(f"the redaction failed: {type(error).__name__}") from error
        counts.update(_hits(self._stats) - before)
        if len(left) < len(lines):
            counts["lines dropped by a rule"] += len(lines) - len(left)
        return "\n".join(left.get(row, "[dropped by a rule]") for row in range(len(lines)))

    def _through(self, lines: Sequence[str]) -> dict[int, str]:
        """Line numbers travel in ``event_id``, so that a line is known again when others were dropped."""
        ids = pa.array([(row + 1).to_bytes(16, "big") for row in range(len(lines))], pa.binary(16))
        safe = [line.encode("utf-8", "replace").decode() for line in lines]
        batch = EventBatch.build(
            len(lines), {"message": pa.array(safe, pa.string()), "event_id": ids}, Labels(stream="flare")
        )
        for scrub in self._scrubs or ():
            batch, _ = scrub.process(batch)
        rows = [int.from_bytes(id, "big") - 1 for id in batch.column("event_id").to_pylist()]
        return {row: text or "" for row, text in zip(rows, batch.column("message").to_pylist(), strict=True)}


def _masked(value: Any, counts: Counter[str], name: str = "") -> Any:
    """Texts under a telling name are masked whole."""
    if isinstance(value, Mapping):
        return {str(key): _masked(one, counts, str(key)) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(one, counts, name) for one in value]
    if isinstance(value, str) and value and value != MASK and NAMED.search(name):
        counts[f"value of {name}"] += 1
        return MASK
    return value


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    """The value with every text in it changed, names of fields too."""
    if isinstance(value, Mapping):
        return {change(str(key)): _each_text(one, change) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_each_text(one, change) for one in value]
    if isinstance(value, str):
        return change(value)
    return value if value is None or isinstance(value, bool | int | float) else change(str(value))


def _written(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _context(stats: Stats) -> Context:
    """For a processor outside of any pipeline."""
    return Context(
        id=_OWN,
        agent_id=bytes(16),
        host_name=socket.gethostname(),
        state_dir=Path(),
        config_dir=Path(),
        stats=ComponentStats(stats, str(_OWN)),
        log=logging.getLogger(f"yaat.{_OWN}"),
    )


def _by_names(text: str, counts: Counter[str]) -> str:
    """Values behind telling names are masked."""
    parts: list[str] = []
    at = 0
    for before in _BEFORE.finditer(text):
        value = _VALUE.match(text, before.end()) if NAMED.search(before[1]) else None
        if value is None or before.start() < at or value[0].strip("\"'").startswith((MASK, "[")):
            continue
        parts += (text[at : value.start()], MASK)
        at = value.end()
        counts["value of a telling name"] += 1
    return "".join((*parts, text[at:]))


def _counted(counts: Counter[str], kind: str, template: str) -> Any:
    def replace(found: re.Match[str]) -> str:
        counts[kind] += 1
        return found.expand(template)

    return replace


def _hits(stats: Stats) -> Counter[str]:
    """By rule: how often each found something, of all scrubs together."""
    hits: Counter[str] = Counter()
    for rules in report.rules(stats).values():
        hits.update(rules)
    return hits
