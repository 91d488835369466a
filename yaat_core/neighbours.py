"""Which sources there are beside one, and how far they have read: so that one can go on where another stopped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from yaat_core.components import ComponentId, Neighbour, Queue
from yaat_core.config.model import Configuration, SourceEntry


def neighbours(configuration: Configuration, queue: Queue, entry: SourceEntry) -> Sequence[Neighbour]:
    """Those of ``entry``, as `Outlet.neighbours` has them. Reads the queue."""
    return [
        Neighbour(
            options=other.options if other else None,
            checkpoints={key: stored.value for key, stored in queue.checkpoints(str(id)).items()},
        )
        for id in _sources(queue)
        for other in (configuration.sources.get(id.name),)
        if id != entry.id and (other is None or other.type == entry.type)
    ]


def _sources(queue: Queue) -> Iterator[ComponentId]:
    for name in queue.checkpointed():
        try:
            id = ComponentId.parse(name)
        except ValueError:
            continue  # of a later version: not for us
        if id.kind == "sources":
            yield id
