"""Rows to the body of a request: ``{"events": [...]}``, compressed, within bounds."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final

import attrs
import pyarrow as pa

from yaat_core.event import EventBatch
from yaat_core.wire import json_elements
from yaat_plugin_cloud.memory import Cut

#: Bytes of JSON in a request, at most, whatever they compress to: servers bound what they inflate.
RAW_LIMIT: Final = 16 * 2**20
_HEAD: Final = b'{"events":['
_TAIL: Final = b"]}"


@attrs.frozen
class Body:
    """What is sent: ``data`` as it goes over the wire, in this content coding (`none`: as it is), ``rows`` events."""

    data: bytes
    rows: int
    coding: str


@attrs.frozen
class TooLarge:
    """It would be more than is allowed."""

    size: int
    limit: int


def encode(batch: EventBatch, alive: Sequence[int], cut: Cut) -> Body | TooLarge:
    """The rows ``alive`` of a batch as a body, or why they are too many. Takes CPU: call it in a thread."""
    if len(alive) < len(batch):
        batch = EventBatch(batch.columns.take(pa.array(alive, pa.int64())), batch.labels)
    data, offsets = json_elements(batch)
    raw = len(data)
    if raw > RAW_LIMIT and len(batch) > 1:
        return TooLarge(raw, RAW_LIMIT)
    pieces = (_HEAD, data[: raw - 1] if raw else data, _TAIL)
    body = _compressed(pieces, cut)
    if len(body) > cut.bytes:
        return TooLarge(len(body), cut.bytes)
    return Body(body, len(offsets) - 1, cut.compression)


def _compressed(pieces: Sequence[bytes | memoryview], cut: Cut) -> bytes:
    if cut.compression == "none":
        return b"".join(pieces)
    if cut.compression == "zstd":
        return bytes(pa.Codec("zstd", compression_level=cut.level).compress(b"".join(pieces), asbytes=True))
    # 31: a gzip header without a time, so that the same rows give the same bytes
    packer = zlib.compressobj(cut.level, zlib.DEFLATED, 31)
    return b"".join([*map(packer.compress, pieces), packer.flush()])
