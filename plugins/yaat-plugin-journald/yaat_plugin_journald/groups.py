"""Whose line an entry is: lines of one unit, identifier and process may be one event, no others."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import numpy as np
import pyarrow as pa

from yaat_plugin_journald.cursors import Places
from yaat_plugin_journald.entries import Entries, Field

_CONTAINER: Final = "CONTAINER_ID_FULL"
_NAMES: Final = (
    "_TRANSPORT",
    "_SYSTEMD_UNIT",
    "_SYSTEMD_USER_UNIT",
    "SYSLOG_IDENTIFIER",
    "_PID",
    "_STREAM_ID",
)
#: With the boot, what tells one writer from another; the priority tells a container's two streams.
FIELDS: Final = frozenset((*_NAMES, _CONTAINER, "PRIORITY"))


def codes_of(entries: Entries, places: Places) -> Any:
    """A number for each entry, the same for entries of one writer."""
    rows = len(entries)
    boots = pa.array([stream[32:] for stream in places.streams], pa.binary()).dictionary_encode()
    codes = np.asarray(boots.indices).astype(np.int64)
    for field in [*(entries.fields.get(name) for name in _NAMES), _containers(entries)]:
        if field is None:
            continue
        found = pa.array(field.values, pa.binary()).dictionary_encode()
        column = np.zeros(rows, np.int64)
        column[np.asarray(field.rows)] = 1 + np.asarray(found.indices)
        _, codes = np.unique(codes * (len(found.dictionary) + 1) + column, return_inverse=True)
    return codes


def name_of(entries: Entries, places: Places, row: int) -> str:
    """A name for an entry's writer that is good for a checkpoint."""
    parts = [places.streams[row][32:], *(entries.value(name, row) for name in _NAMES)]
    if container := entries.value(_CONTAINER, row):
        parts += [container, entries.value("PRIORITY", row)]
    return hashlib.blake2b(b"\0".join(parts), digest_size=8).hexdigest()


def _containers(entries: Entries) -> Field | None:
    """Containers with the priority, which differs between stdout and stderr."""
    field = entries.fields.get(_CONTAINER)
    if field is None:
        return None
    values = [
        value + b"/" + entries.value("PRIORITY", row)
        for row, value in zip(field.rows, field.values, strict=True)
    ]
    return Field(field.rows, values)
