"""klog and glog: https://github.com/kubernetes/klog, https://github.com/google/glog.

I0105 10:00:00.123456   12 server.go:45] plain words
E20260105 10:00:00.123456 12 file.cc:7] with the year
I0105 10:00:00.123456   12 pod.go:9] "Pod status updated" pod="kube-system/x" status="ready"
"""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core.tags import merge
from yaat_plugin_parse import pairs
from yaat_plugin_parse.config import KlogConfig
from yaat_plugin_parse.formats.patterned import Family, PatternFormat, named
from yaat_plugin_parse.found import Fields, Found
from yaat_plugin_parse.naming import column_names
from yaat_plugin_parse.weave import scattered
from yaat_plugin_parse.zones import zone_of

_LINE: Final = (
    r"^(?P<level>[DIWEF])(?P<timestamp>(?:\d{4})?\d{4} \d\d:\d\d:\d\d\.\d{6}) +(?P<thread>\d+) "
    r"(?P<file>[^\s:\]]+):(?P<line>\d+)\] ?(?P<message>(?s:.*))$"
)
_STRUCTURED: Final = rf'^"(?P<text>(?:[^"\\]|\\.)*)"(?: (?P<pairs>(?s:{pairs.PAIRS})))?\s*$'


class KlogFormat(PatternFormat):
    """The message of a structured line is its text; its pairs become tags."""

    def __init__(self, config: KlogConfig) -> None:
        self._named = named(column_names(zone_of(config.timezone)))
        super().__init__([Family(r"^[DIWEF](?:\d{4})?\d{4} \d\d:", (_LINE,), self._found)])

    def _found(self, fields: Fields) -> Found:
        message = fields.columns["message"]
        read = pc.extract_regex(message, _STRUCTURED)
        if read.null_count == len(read):
            return self._named(fields)
        text = pc.struct_field(read, "text")
        text = pa.array(
            [one if one is None else pairs.unquoted(one) for one in text.to_pylist()], pa.string()
        )
        columns = {**fields.columns, "message": pc.coalesce(text, message)}
        found = self._named(attrs.evolve(fields, columns=columns))
        texts = pc.struct_field(read, "pairs")
        rows = np.flatnonzero(np.asarray(pc.greater(pc.binary_length(texts), 0).fill_null(False)))
        if not len(rows):
            return found
        tags = pairs.read(texts.take(pa.array(rows)), rows, ()).tags
        spread = scattered(len(message), [(rows, tags)], pa.array([[]], tags.type))
        return attrs.evolve(found, tags=spread if found.tags is None else merge(found.tags, spread))
