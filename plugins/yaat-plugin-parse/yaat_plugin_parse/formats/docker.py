"""Docker's json-file: https://docs.docker.com/engine/logging/drivers/json-file/.

    {"log":"words\\n","stream":"stdout","time":"2026-01-05T10:00:00.123456789Z","attrs":{"tag":"x"}}

A line longer than 16 KiB comes in parts, of which only the last ends with a line break. A source that joined the parts gives
one event of several lines, each an object: they are put together again. A part that stands alone has the tag `log.partial`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core.tags import from_columns, merge
from yaat_plugin_parse.config import DockerConfig
from yaat_plugin_parse.found import Fields, Found
from yaat_plugin_parse.leading import subset
from yaat_plugin_parse.matching import hits
from yaat_plugin_parse.objects import rows as objects
from yaat_plugin_parse.objects.reader import ObjectReader
from yaat_plugin_parse.wrapped import unwrapped
from yaat_plugin_parse.zones import zone_of

_LOOK: Final = r'^\{"log":"(?s:.*)"time":"[^"]*"(?s:.*)\}\s*$'
_KNOWN: Final = ("log", "stream", "time")
_DEPTH: Final = 8
_MOST: Final = 200


class DockerFormat:
    """Objects with `log` and `time`; everything else in them becomes tags."""

    def __init__(self, config: DockerConfig) -> None:
        self._zone = zone_of(config.timezone)
        self._again = config.content == "auto"
        self._reader = ObjectReader(_KNOWN, max_depth=_DEPTH, max_fields=_MOST)

    def fits(self, lines: Any) -> Any:
        """Begins as Docker begins them."""
        return hits(lines, _LOOK)

    def parse(self, lines: Any, stream: str) -> Sequence[Found]:
        """Each line with an object, or several of them."""
        look = self.fits(lines)
        several = look & np.asarray(pc.match_substring(lines, "\n"))
        single, joined = np.flatnonzero(look & ~several), np.flatnonzero(several)
        parts = [
            part
            for read in self._reader.read(subset(lines, single), stream)
            for part in self._found(read, single)
        ]
        if len(joined):
            whole = [_together(text) for text in subset(lines, joined).to_pylist()]
            fits = np.array([text is not None for text in whole], bool)
            texts = pa.array([text for text in whole if text is not None], pa.string())
            for read in self._reader.read(texts, stream):
                parts += self._found(read, joined[fits])
        return parts

    def _found(self, fields: Fields, where: Any) -> list[Found]:
        columns = dict(fields.columns)
        if not all(name in columns for name in ("log", "time")):
            return []
        good = np.asarray(pc.and_(columns["log"].is_valid(), columns["time"].is_valid()))
        if not good.all():
            fields = _only(fields, good)
            columns = dict(fields.columns)
        rows = len(fields.rows)
        if not rows:
            return []
        log = columns["log"]
        whole = pc.ends_with(log, "\n")
        nothing = pa.nulls(rows, pa.string())
        told = {
            "message": pc.replace_substring_regex(log, r"\r?\n$", ""),
            "timestamp": columns["time"],
            "stream": columns.get("stream", nothing),
            "partial": pc.if_else(whole, pa.scalar(None, pa.string()), pa.scalar("true", pa.string())),
        }
        rest = {name: column for name, column in columns.items() if name not in _KNOWN}
        tags = fields.tags
        if rest:
            own = from_columns(rows, rest)
            tags = own if tags is None else merge(own, tags)
        found = unwrapped(Fields(fields.rows, told, tags), self._zone, again=self._again)
        return [found.within(where)]


def _only(fields: Fields, mask: Any) -> Fields:
    keep = pa.array(mask)
    tags = None if fields.tags is None else fields.tags.filter(keep)
    return Fields(
        fields.rows[mask], {name: column.filter(keep) for name, column in fields.columns.items()}, tags
    )


def _together(text: str) -> str | None:
    """The objects of one line in parts as one object."""
    from yaat_plugin_parse.objects.text import of_value

    whole: dict[str, Any] = {}
    for line in text.splitlines():
        one = objects.decode(line)
        if one is None or not isinstance(one.get("log"), str):
            return None
        whole = {**one, **whole, "log": whole.get("log", "") + one["log"]}
    return of_value(whole)
