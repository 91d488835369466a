"""The contract of a processor, as a function that any author runs against theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core import ids
from yaat_core.components import Drop, Processor
from yaat_core.event import EVENT_TYPES, LEVELS, SCHEMA, Event, EventBatch, Labels
from yaat_core.tags import parts

#: Strings that broke parsers: each stands once as message, level, service name, tag name and tag value.
HOSTILE: Final = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\n",
    "line\nline\r\nline",
    "\u202egnp.exe\u202c",
    "\u2066\u2069\ufeff",
    "\x1b[2J\x1b]0;title\x07",
    "\U0001f4a9 \ud7ff \uffff",
    "e\u0301\u0300\u0302" * 50,
    "{",
    '{"a":',
    "[" * 10_000,
    '{"a":' * 10_000,
    '"' * 999,
    "\\" * 999,
    "%s %n {0} ${secret:x}",
    "9" * 400,
    "-1e999",
    "a=b " * 200,
    "x" * 300_000,
)


def check_processor(
    make: Callable[[], Processor], samples: Sequence[EventBatch], *, independent: bool = True
) -> None:
    """Run a processor through what may happen to it.

    Args:
        make: a fresh processor each time.
        samples: batches that it is made for; `event_id`s are given to rows that have none.
        independent: what becomes of a row does not depend on the other rows of its batch: True for
            all but those that count, compare or learn.

    Raises:
        AssertionError: the contract is broken; says how.
    """
    assert samples, "give at least one sample"
    assert all(len(sample) for sample in samples), "a sample has no rows"
    for number, sample in enumerate([*samples, _hostile(), _null()]):
        where = f"sample {number}" if number < len(samples) else "hostile rows"
        check = _Check(make, _identified(sample), where)
        whole = check.run()
        check.same_in_any_layout(whole)
        if independent:
            check.same_in_pieces(whole)
        check.same_without_rows()
        check.flushes()
    _closes(make)


@attrs.frozen
class _Check:
    make: Callable[[], Processor]
    batch: EventBatch
    where: str

    def run(self) -> EventBatch:
        """The result for the whole batch."""
        return _processed(self.make(), self.batch, self.where)

    def same_in_any_layout(self, whole: EventBatch) -> None:
        """The same rows lie in memory otherwise, and nothing else changes."""
        for layout, batch in _layouts(self.batch):
            again = _processed(self.make(), batch, f"{self.where}, {layout}")
            _same(whole, again, f"{self.where}: the result differs when the batch is {layout}")

    def same_in_pieces(self, whole: EventBatch) -> None:
        """Each piece in a call of its own, by one processor."""
        processor = self.make()
        cuts = sorted({0, 1, len(self.batch) // 2, len(self.batch)})
        pieces = [
            _processed(processor, self.batch.slice(start, end - start), f"{self.where}, in pieces")
            for start, end in pairwise(cuts)
        ]
        _same(whole, EventBatch.concat(pieces), f"{self.where}: the result differs in pieces")

    def same_without_rows(self) -> None:
        """No rows in, no rows out, before and after others."""
        processor = self.make()
        for batch in (self.batch.slice(0, 0), self.batch, self.batch.slice(len(self.batch))):
            _processed(processor, batch, f"{self.where}, empty batches")

    def flushes(self) -> None:
        """What it has to say of its own are new events, and said once."""
        processor = self.make()
        processor.process(self.batch)
        for final in (False, True):
            made = processor.flush(final=final)
            if made is None:
                continue
            assert isinstance(made, EventBatch), f"{self.where}: not an EventBatch: {type(made).__name__}"
            _valid_rows(made, self.batch, f"{self.where}, events of its own")
            ids_of = pc.cast(made.column("event_id"), pa.binary())
            told = set(ids_of.to_pylist()) & set(
                pc.cast(self.batch.column("event_id"), pa.binary()).to_pylist()
            )
            assert not told, f"{self.where}: an event that went in came out as a new one"
        again = processor.flush(final=True)
        assert again is None or not len(again), f"{self.where}: what was said is said again"


def _processed(processor: Processor, batch: EventBatch, where: str) -> EventBatch:
    """One call of ``process``, with everything checked that holds for each."""
    before = EventBatch.from_ipc(batch.to_ipc())
    result, drops = processor.process(batch)
    assert isinstance(result, EventBatch), f"{where}: not an EventBatch: {type(result).__name__}"
    assert before.columns.equals(batch.columns), f"{where}: it changed the batch that it was given"
    _counted(batch, result, drops, where)
    _ordered(batch, result, where)
    _valid(batch, result, where)
    return result


def _counted(batch: EventBatch, result: EventBatch, drops: Sequence[Drop], where: str) -> None:
    for drop in drops:
        assert isinstance(drop, Drop), f"{where}: not a Drop: {drop!r}"
        assert drop.reason, f"{where}: a drop without a reason"
        assert drop.count >= 0, f"{where}: {drop.count} rows dropped"
    gone = sum(drop.count for drop in drops)
    assert len(batch) == len(result) + gone, (
        f"{where}: {len(batch)} rows in, {len(result)} out and {gone} dropped"
    )


def _ordered(batch: EventBatch, result: EventBatch, where: str) -> None:
    came, left = batch.column("event_id"), result.column("event_id")
    places = np.asarray(pc.index_in(left, value_set=came).fill_null(-1))
    assert (places >= 0).all(), f"{where}: an event_id came out that was not put in"
    assert (np.diff(places) > 0).all(), f"{where}: rows were repeated or changed their order"


def _valid(batch: EventBatch, result: EventBatch, where: str) -> None:
    assert result.labels == batch.labels, f"{where}: the labels were lost"
    _valid_rows(result, batch, where)


def _valid_rows(result: EventBatch, batch: EventBatch, where: str) -> None:
    assert result.columns.schema.equals(SCHEMA), f"{where}: not the schema: {result.columns.schema}"
    result.columns.validate(full=True)
    for field in SCHEMA:
        nulls = result.column(field.name).null_count
        assert field.nullable or not nulls, f"{where}: {nulls} nulls in {field.name}"
    _only(result, batch, "event_type", EVENT_TYPES, where)
    _only(result, batch, "level", (*LEVELS, ""), where)
    _unique_tags(result, where)


def _only(result: EventBatch, batch: EventBatch, name: str, allowed: Sequence[str], where: str) -> None:
    """Values beyond ``allowed`` were there before."""
    known = {*allowed, None, *pc.unique(batch.column(name)).to_pylist()}
    new = set(pc.unique(result.column(name)).to_pylist()) - known
    assert not new, f"{where}: {name} is none of {', '.join(filter(None, allowed))}: {sorted(new)[:3]}"


def _unique_tags(result: EventBatch, where: str) -> None:
    keys, values, offsets = parts(result.column("tags"))
    assert not values.null_count, f"{where}: a tag without a value"
    owners = np.repeat(np.arange(len(result)), np.diff(offsets)).tolist()
    pairs = list(zip(owners, keys.to_pylist(), strict=True))
    assert len(set(pairs)) == len(pairs), f"{where}: a tag twice in a row"


def _layouts(batch: EventBatch) -> Iterator[tuple[str, EventBatch]]:
    around = _identified(_hostile()).with_labels(batch.labels)
    wide = EventBatch.concat([around, batch, around])
    yield "a slice of a larger one", wide.slice(len(around), len(batch))
    singles = [batch.slice(row, 1) for row in range(len(batch))]
    yield "joined from single rows", EventBatch.concat(singles)
    yield "read from the queue", EventBatch.from_ipc(batch.to_ipc()).with_labels(batch.labels)


def _same(one: EventBatch, other: EventBatch, problem: str) -> None:
    for name in SCHEMA.names:
        left, right = one.column(name), other.column(name)
        if left.equals(right) and len(left) == len(right):
            continue
        assert len(left) == len(right), f"{problem}: {len(left)} and {len(right)} rows"
        _same_values(left.to_pylist(), right.to_pylist(), f"{problem}, in {name}")


def _same_values(left: list[Any], right: list[Any], problem: str) -> None:
    """Value by value: the order of tags in a row does not count, NaN equals NaN."""
    for row, (a, b) in enumerate(zip(left, right, strict=True)):
        if isinstance(a, list):
            a, b = dict(a), dict(b)
        assert a == b or (a != a and b != b), f"{problem}, row {row}: {a!r:.200} and {b!r:.200}"


def _closes(make: Callable[[], Processor]) -> None:
    make().close()
    used = make()
    used.process(EventBatch.empty())
    used.close()
    used.close()


def _hostile() -> EventBatch:
    """A row for each of `HOSTILE`, everywhere that data may stand."""
    texts = [text.encode("utf-8", "replace").decode() for text in HOSTILE]
    events = [
        Event(message=text, level=text[:99], operation=text, stacktrace=text, tags={text[:999]: text})
        for text in texts
    ]
    return EventBatch.from_events(events, Labels(stream="hostile\n\x00", service_name="hostile"))


def _null() -> EventBatch:
    """Rows with nothing in them."""
    return EventBatch.build(3, {"message": pa.nulls(3, pa.string())})


def _identified(batch: EventBatch) -> EventBatch:
    return batch.with_columns({"event_id": ids.fill_missing(batch.column("event_id"))})
