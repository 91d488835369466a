"""Events that processors make themselves, about what they dropped: asked for now and then, and at the end."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core import tags
from yaat_core.components import LedgerEntry, Processor
from yaat_core.event import EventBatch
from yaat_core.pipeline.chain import Chain, Step

SOURCE_TAG = "yaat.source"


@attrs.frozen(eq=False, kw_only=True)
class Made:
    """``count`` events of a component, what is left of them at the queue, and what was dropped on the way."""

    component: str
    count: int
    batch: EventBatch
    drops: list[LedgerEntry]


class Makers:
    """The processors that make events. In the thread of the chains."""

    def __init__(self, chains: Mapping[str, Chain]) -> None:
        self._ways: dict[int, tuple[Step, dict[str, Chain]]] = {}
        for source, chain in chains.items():
            for step in chain.steps:
                if type(step.processor).flush is not Processor.flush:
                    self._ways.setdefault(id(step), (step, {}))[1][source] = chain

    def __bool__(self) -> bool:
        return bool(self._ways)

    def made(self, *, final: bool, of: Collection[int] | None = None) -> list[Made]:
        """What they have to say, those first whose events others get. ``of``: only these, by `id` of the step."""
        return [
            made
            for key, (step, ways) in self._ways.items()
            if of is None or key in of
            for made in self._of(step, ways, final=final)
        ]

    def _of(self, step: Step, ways: Mapping[str, Chain], *, final: bool) -> Iterator[Made]:
        default = next(iter(ways.values()))
        try:
            batch = step.processor.flush(final=final)
        except Exception as error:  # noqa: BLE001 - a processor is a guest; told in health
            default.report(step.id, f"raised {type(error).__name__} when it was asked for events of its own")
            return
        if batch is None or not len(batch):
            return
        for chain, part in _by_way(batch, ways, default):
            after, drops = chain.behind(step, part)
            yield Made(component=str(step.id), count=len(part), batch=after, drops=drops)


def _by_way(
    batch: EventBatch, ways: Mapping[str, Chain], default: Chain
) -> Iterator[tuple[Chain, EventBatch]]:
    sources = tags.get(batch.column("tags"), SOURCE_TAG)
    known = pc.is_in(sources, pa.array(list(ways), pa.string()))
    for source, chain in ways.items():
        mask = pc.fill_null(pc.equal(sources, source), False)
        if chain is default:
            mask = pc.or_(mask, pc.invert(known))
        if np.asarray(mask).any():
            yield chain, batch.filter(mask)
