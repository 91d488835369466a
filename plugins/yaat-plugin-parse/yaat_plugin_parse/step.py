"""A format as a processor: its findings woven into the batch; the lines that do not fit counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any

import numpy as np

from yaat_core.components import Context, Drop, Processor
from yaat_core.event import EventBatch
from yaat_plugin_parse.config import AutoConfig, JsonConfig, NginxConfig, PythonConfig, RawConfig, RegexConfig
from yaat_plugin_parse.formats.auto import AutoFormat
from yaat_plugin_parse.formats.format import Format
from yaat_plugin_parse.formats.json import JsonFormat
from yaat_plugin_parse.formats.nginx import NginxFormat
from yaat_plugin_parse.formats.python import PythonFormat
from yaat_plugin_parse.formats.raw import RawFormat
from yaat_plugin_parse.formats.regex import RegexFormat
from yaat_plugin_parse.leading import all_rows, look, subset
from yaat_plugin_parse.weave import weave
from yaat_plugin_parse.zones import zone_of


class ParseStep(Processor):
    """Drops nothing, makes nothing: what fits nothing keeps its line as the message."""

    def __init__(self, config: Any, context: Context) -> None:
        self._context = context
        self._format = self._made(config)
        self._zone: tzinfo = zone_of(getattr(config, "timezone", "UTC")) if config else UTC
        self._unmatched = context.stats.counter(
            "yaat_parse_unmatched_total", "Lines that the parser's format does not fit."
        )

    def process(self, batch: EventBatch) -> tuple[EventBatch, Sequence[Drop]]:
        """The batch with what was found in its messages."""
        messages = batch.column("message")
        rows = all_rows(messages)
        if not len(rows):
            return batch, ()
        lines = subset(messages, rows)
        parts = [part.within(rows) for part in self._format.parse(lines, batch.labels.stream)]
        rest = np.setdiff1d(
            rows, np.concatenate([part.rows for part in parts]) if parts else [], assume_unique=True
        )
        if len(rest):
            self._unmatched.add(len(rest))
            parts.append(look(messages.take(rest), rest, self._zone))
        return weave(batch, parts), ()

    def _made(self, config: Any) -> Format:
        if isinstance(config, AutoConfig):
            return AutoFormat(config, self._told)
        if isinstance(config, RegexConfig):
            return RegexFormat(config)
        kinds: Mapping[type, Any] = {
            JsonConfig: JsonFormat,
            NginxConfig: NginxFormat,
            PythonConfig: PythonFormat,
            RawConfig: RawFormat,
        }
        made: Format = kinds[type(config)](config)
        return made

    def _told(self, streams: Mapping[str, int]) -> None:
        for name in ("json", "nginx", "python", "none"):
            self._context.stats.gauge(
                "yaat_parse_auto_streams", "Streams by the format that fits them.", format=name
            ).set(streams.get(name, 0))
