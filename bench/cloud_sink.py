#!/usr/bin/env python3
"""The `cloud` sink by itself, or gzip 1 alone, on the same events: ``cloud_sink.py LINES.json URL`` prints seconds as JSON."""

from __future__ import annotations

import json
import sys
import tempfile
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.json
import trio

from yaat_core import ids, tags
from yaat_core.components import Done, Position
from yaat_core.config.options import Secret
from yaat_core.event import EventBatch
from yaat_core.testing import make_context
from yaat_core.wire import json_elements
from yaat_plugin_cloud.config import CloudConfig
from yaat_plugin_cloud.sink import CloudSink

_ROWS = 32_768
_TAGS = ("logger", "host", "thread", "request_id")


def batches_of(source: Path) -> list[EventBatch]:
    """The lines as the agent would have them in its queue, in deliveries."""
    table = pyarrow.json.read_json(source).combine_chunks()
    found = []
    for part in table.to_batches(max_chunksize=_ROWS):
        rows = part.num_rows
        columns = {name: part.column(name) for name in ("level", "message")}
        columns["tags"] = tags.from_columns(rows, {name: part.column(name) for name in _TAGS})
        columns["event_id"] = ids.fill_missing(pa.repeat(pa.scalar(bytes(16), pa.binary(16)), rows))
        found.append(EventBatch.build(rows, {"service_name": "app", "environment": "production", **columns}))
    return found


def gzip_seconds(batches: Sequence[EventBatch]) -> tuple[float, float]:
    """Seconds and CPU seconds: gzip 1 of the JSON of all events, which is made before."""
    texts = [bytes(json_elements(batch)[0]) for batch in batches]
    cpu = time.process_time()
    began = time.perf_counter()
    for text in texts:
        packer = zlib.compressobj(1, zlib.DEFLATED, 31)
        packer.compress(text)
        packer.flush()
    return time.perf_counter() - began, time.process_time() - cpu


async def sink_seconds(batches: Sequence[EventBatch], url: str) -> tuple[float, float]:
    """Seconds and CPU seconds: from the first event to the last acknowledgement."""
    with tempfile.TemporaryDirectory() as folder:
        sink = CloudSink(
            CloudConfig(endpoint=url, api_key=Secret("bench")), make_context(Path(folder), "sinks.cloud")
        )
        await sink.open()
        began, cpu, first = time.perf_counter(), time.process_time(), 1
        for batch in batches:
            at = Position(queue_id=bytes(16), sink="sinks.cloud", first=first, last=first + len(batch) - 1)
            assert await sink.deliver(batch, at) == Done()
            first += len(batch)
        took = time.perf_counter() - began, time.process_time() - cpu
        await sink.aclose()
    return took


def main() -> None:
    batches = batches_of(Path(sys.argv[1]))
    told = {"rows": sum(map(len, batches)), "gzip": gzip_seconds(batches)}
    json.dump({**told, "sink": trio.run(sink_seconds, batches, sys.argv[2])}, sys.stdout)


if __name__ == "__main__":
    main()
