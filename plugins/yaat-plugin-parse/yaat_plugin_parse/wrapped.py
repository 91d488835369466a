"""What container runtimes put around a line, taken off: the same for Docker's and for CRI's files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from yaat_core.tags import from_columns, merge
from yaat_plugin_parse import timestamps
from yaat_plugin_parse.found import Fields, Found
from yaat_plugin_parse.matching import kept

_ERROR: Final = pa.scalar("error", pa.string())


def unwrapped(fields: Fields, zone: tzinfo, *, again: bool) -> Found:
    """From `message`, `timestamp`, `stream` and `partial` (null or a text): standard error is an error unless the line
    says otherwise (docs/schema.md). ``again``: the message is read in its turn."""
    columns: Mapping[str, Any] = fields.columns
    rows = len(fields.rows)
    time = timestamps.parse(columns["timestamp"], zone)
    level = pc.if_else(pc.equal(columns["stream"], "stderr"), _ERROR, pa.scalar(None, pa.string()))
    names = {"log.iostream": columns["stream"], "log.partial": columns["partial"]}
    if time.null_count:
        names["timestamp.raw"] = kept(columns["timestamp"], time.is_null())
    own = from_columns(rows, {name: column for name, column in names.items() if column.null_count < rows})
    tags = own if fields.tags is None else merge(own, fields.tags)
    return Found(fields.rows, {"timestamp": time, "level": level, "message": columns["message"]}, tags, again)
