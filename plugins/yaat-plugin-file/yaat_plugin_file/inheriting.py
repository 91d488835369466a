"""Files that another source followed until now: this one goes on where it stopped."""

from __future__ import annotations

from collections.abc import Sequence

from yaat_core.components import Context, Neighbour
from yaat_kit.following.checkpoint import Checkpoint
from yaat_kit.following.discovery import Finder
from yaat_plugin_file.selecting import selection_of


def left_behind(neighbours: Sequence[Neighbour], context: Context) -> dict[bytes, Checkpoint]:
    """How far files were read whose source is gone from the configuration, or does not select them any more.

    A file that another source still reads is read by both, each from where it is.
    """
    left: dict[bytes, Checkpoint] = {}
    for one in neighbours:
        finder = _finder(one, context)
        for key, value in one.checkpoints.items():
            stored = _decoded(value)
            if stored is None or (finder is not None and finder.selects(stored.path)):
                continue
            if key not in left or stored.offset > left[key].offset:
                left[key] = stored
    return left


def _finder(neighbour: Neighbour, context: Context) -> Finder | None:
    if neighbour.options is None:
        return None
    selection = selection_of(neighbour.options, context)
    return Finder(selection.paths, selection.exclude, on_error=lambda _folder, _error: None)


def _decoded(value: bytes) -> Checkpoint | None:
    """None: of another kind, as sources of other types write them, or damaged, which its own source tells."""
    try:
        return Checkpoint.decode(value)
    except ValueError:
        return None
