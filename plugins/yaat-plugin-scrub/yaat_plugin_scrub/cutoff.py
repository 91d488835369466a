"""Secrets whose end is missing, because their line was cut: too short for what the detectors ask of a whole one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from yaat_core.tags import TRUNCATED
from yaat_plugin_scrub.detectors import Detector
from yaat_plugin_scrub.redaction import replaced, scattered
from yaat_plugin_scrub.sheet import PLAIN, TAG_VALUES, Sheet

#: Parts that can hold the end of a line.
_TEXTS: Final = (*PLAIN, "operation")


class CutOff:
    """Looks at the ends of lines in events that are tagged as cut; only there is so little enough."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self._steps = [(detector.name, *step) for detector in detectors for step in detector.cut]

    def apply(self, sheet: Sheet) -> Mapping[str, int]:
        """Replace; returns how many texts changed, by detector."""
        tagged = sheet.whose_key_is(TRUNCATED)
        hits: dict[str, int] = {}
        if not len(tagged) or not self._steps:
            return hits
        cut = np.zeros(len(sheet), bool)
        cut[sheet.owners()[tagged]] = True
        for name in _TEXTS:
            self._in_part(sheet, name, np.flatnonzero(cut), hits)
        self._in_part(sheet, TAG_VALUES, np.flatnonzero(cut[sheet.owners()]), hits)
        return hits

    def _in_part(self, sheet: Sheet, name: str, where: Any, hits: dict[str, int]) -> None:
        part = sheet.part(name)
        column = part.column()
        if not len(where) or column.null_count == len(column):
            return
        texts = column.take(pa.array(where)).view(pa.binary())
        changed = False
        for detector, pattern, replacement in self._steps:
            texts, rows = replaced(texts, pattern, replacement)
            if len(rows):
                hits[detector] = hits.get(detector, 0) + len(rows)
                changed = True
        if changed:
            part.put_column(scattered(column, where, texts.view(pa.string())))
