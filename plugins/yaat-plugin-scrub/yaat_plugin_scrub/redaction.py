"""Detectors applied to texts: one cheap pass over all (or two), the detectors' own patterns on what it found."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_plugin_scrub import patterns
from yaat_plugin_scrub.detectors import NEEDS, SHIELD, Detector


@attrs.frozen(eq=False)
class Redacted:
    """Texts after redaction, and by detector the indices of those that it changed."""

    texts: Any
    rows: Any
    """Indices of all that changed, shields taken out included."""
    hits: Mapping[str, Any]


class Redaction:
    """Some detectors, ready to be applied to string arrays."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self.detectors = detectors
        together = [patterns.SHIELD, *(detector.hint for detector in detectors if not detector.apart)]
        self._hints = [
            "|".join(f"(?:{hint})" for hint in together),
            *(detector.hint for detector in detectors if detector.apart),
        ]

    def apply(self, texts: Any) -> Redacted:
        """Every text without what the detectors find, and without shields; null stays null."""
        raw = texts.view(pa.binary())
        found = [pc.match_substring_regex(raw, hint, ignore_case=True) for hint in self._hints]
        rows = _rows(functools.reduce(pc.or_, found))
        if not len(rows):
            return Redacted(texts, rows, {})
        before = raw.take(rows)
        after, hits = self._detect(before)
        after = pc.replace_substring(after, SHIELD, b"")
        changed = _rows(pc.not_equal(before, after))
        if not len(changed):
            return Redacted(texts, changed, {})
        rows = rows.to_numpy()
        by_name = {name: rows[which.to_numpy()] for name, which in hits.items()}
        return Redacted(scattered(texts, rows, after.view(pa.string())), rows[changed.to_numpy()], by_name)

    def _detect(self, texts: Any) -> tuple[Any, Mapping[str, Any]]:
        hits: dict[str, Any] = {}
        words = _lowered(texts)
        for detector in self.detectors:
            if not _has_any(words, detector.needs):
                continue
            texts, which = _apply(detector, texts)
            if len(which):
                hits[detector.name] = which
        return texts, hits


def replaced(texts: Any, pattern: str, replacement: bytes) -> tuple[Any, Any]:
    r"""The texts with every match of an RE2 pattern replaced (``\1`` is a group), and indices of those that matched.

    Texts are strings or bytes; the pattern sees characters or bytes accordingly.
    """
    rows = _rows(pc.match_substring_regex(texts, pattern))
    if not len(rows):
        return texts, rows
    found = pc.replace_substring_regex(texts.take(rows), pattern, replacement)
    return scattered(texts, rows.to_numpy(), found), rows


def scattered(texts: Any, rows: Any, values: Any) -> Any:
    """The texts with ``values`` put in at ``rows`` (ascending)."""
    if len(rows) == len(texts):
        return values
    mask = np.zeros(len(texts), bool)
    mask[rows] = True
    return pc.replace_with_mask(texts, pa.array(mask), values)


def unshielded(texts: Any) -> Any:
    """Strings without shields."""
    return pc.replace_substring(texts.view(pa.binary()), SHIELD, b"").view(pa.string())


def _apply(detector: Detector, texts: Any) -> tuple[Any, Any]:
    """The texts after one detector, and indices of those that it changed."""
    rows = _rows(pc.match_substring_regex(texts, detector.hint, ignore_case=True))
    if not len(rows):
        return texts, rows
    before = texts.take(rows)
    words = _lowered(before)
    before = _each(detector.spares, before, words)
    after = _each(detector.finds, before, words)
    if detector.verify is not None:
        placeholder, verify = detector.placeholder, detector.verify
        after = pa.array([verify(text, placeholder) for text in after.to_pylist()], pa.binary())
    return scattered(texts, rows.to_numpy(), after), rows.take(_rows(pc.not_equal(before, after)))


def _each(steps: Sequence[tuple[str, bytes]], texts: Any, words: bytes) -> Any:
    """The texts after one replacement after the other; those that ``words`` rule out are skipped."""
    for pattern, replacement in steps:
        if _has_any(words, NEEDS.get(pattern, ())):
            texts, _ = replaced(texts, pattern, replacement)
    return texts


def _has_any(words: bytes, needs: Sequence[bytes]) -> bool:
    return not needs or any(need in words for need in needs)


def _lowered(texts: Any) -> bytes:
    """All bytes of freshly made texts together, ASCII letters in lower case."""
    data = texts.buffers()[2]
    return bytes(data.to_pybytes().lower()) if data is not None else b""


def _rows(mask: Any) -> Any:
    """Indices where a boolean array is true."""
    return pc.indices_nonzero(mask)
