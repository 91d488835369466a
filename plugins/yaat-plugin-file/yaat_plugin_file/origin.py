"""Tags that say which file an event comes from, and where in it."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_kit.following.reader import Piece

PREFIX = "log.file."
PATH_TAG = PREFIX + "path"


def labels(piece: Piece, wanted: Sequence[str]) -> Mapping[str, str]:
    """Those that all events of a piece have in common."""
    generation = piece.generation
    path = shown(generation.path)
    found = {PATH_TAG: path}
    place = generation.place or generation.path
    if "name" in wanted:
        found[PREFIX + "name"] = os.path.basename(path)
    if "path_resolved" in wanted:
        found[PREFIX + "path_resolved"] = shown(os.path.realpath(place))
    if "owner" in wanted and (owner := _owner(generation.descriptor, place)):
        found[PREFIX + "owner"] = owner
    return found


def columns(piece: Piece, wanted: Sequence[str]) -> Mapping[str, Any]:
    """Those that each event has for itself: string arrays by tag."""
    found = {}
    if "offset" in wanted:
        found[PREFIX + "offset"] = pc.cast(pa.array(piece.starts), pa.string())
    if "record_number" in wanted and piece.record >= 0:
        numbers = np.arange(piece.record + 1, piece.record + 1 + len(piece))
        found[PREFIX + "record_number"] = pc.cast(pa.array(numbers), pa.string())
    return found


def shown(path: str) -> str:
    """A path as text: bytes that are not UTF-8 become U+FFFD."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _owner(descriptor: int | None, place: str) -> str:
    """The name of the file's owner, or the number when it has none; empty when the file is gone."""
    try:
        uid = (os.stat(place) if descriptor is None else os.fstat(descriptor)).st_uid
    except OSError:
        return ""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
