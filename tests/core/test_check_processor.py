"""The contract test of processors passes what keeps the contract and finds what breaks it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from yaat_core.components import Drop, Processor
from yaat_core.event import SCHEMA, Event, EventBatch
from yaat_core.tags import from_columns
from yaat_core.testing import check_processor

SAMPLES = [EventBatch.from_events([Event(message=text, tags={"n": text}) for text in "abcdef"])]
Result = tuple[EventBatch, Sequence[Drop]]


class Made(Processor):
    """A processor from a function."""

    def __init__(self, function: Callable[[EventBatch], Result]) -> None:
        self.function = function

    def process(self, batch: EventBatch) -> Result:
        return self.function(batch)


def passes(batch: EventBatch) -> Result:
    return batch, []


def drops_empty(batch: EventBatch) -> Result:
    keep = pc.not_equal(batch.column("message"), "").fill_null(True)
    kept = batch.filter(keep)
    return kept, [Drop("empty", len(batch) - len(kept))]


@pytest.mark.parametrize("function", [passes, drops_empty])
def test_honest_processors_pass(function: Callable[[EventBatch], Result]) -> None:
    check_processor(lambda: Made(function), SAMPLES)


def loses_a_row(batch: EventBatch) -> Result:
    return batch.slice(1), []


def reverses(batch: EventBatch) -> Result:
    backwards = pa.array(np.arange(len(batch))[::-1])
    return EventBatch(batch.columns.take(backwards), batch.labels), []


def invents_ids(batch: EventBatch) -> Result:
    return batch.with_columns({"event_id": bytes(range(16))}), []


def forgets_labels(batch: EventBatch) -> Result:
    return EventBatch(batch.columns), []


def shouts(batch: EventBatch) -> Result:
    return batch.with_columns({"level": "LOUD"}), []


def repeats_a_tag(batch: EventBatch) -> Result:
    twice = pa.array([[("a", "1"), ("a", "2")]] * len(batch), SCHEMA.field("tags").type)
    return batch.with_columns({"tags": twice}), []


def ignores_the_offset(batch: EventBatch) -> Result:
    column = batch.column("message")
    if not len(column):
        return batch, []
    raw = np.frombuffer(column.buffers()[1], np.int32)[: len(column) + 1]
    lengths = pa.array(np.diff(raw).astype(str), pa.string())
    return batch.with_columns({"tags": from_columns(len(batch), {"length": lengths})}), []


def looks_at_neighbours(batch: EventBatch) -> Result:
    return batch.with_columns({"operation": f"one of {len(batch)}"}), []


def writes_into_its_input(batch: EventBatch) -> Result:
    column = batch.column("received_at")
    if len(column):
        buffer = column.buffers()[1]
        view = (np.ctypeslib.ctypes.c_int64 * (buffer.size // 8)).from_address(buffer.address)
        view[column.offset] = 0
    return batch, []


def chokes_on_null(batch: EventBatch) -> Result:
    if batch.column("message").null_count:
        raise ValueError("null")
    return batch, []


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (loses_a_row, "rows in"),
        (reverses, "order"),
        (invents_ids, "event_id"),
        (forgets_labels, "labels"),
        (shouts, "level"),
        (repeats_a_tag, "tag twice"),
        (ignores_the_offset, "a slice of a larger one"),
        (looks_at_neighbours, "in pieces"),
        (writes_into_its_input, "changed the batch"),
    ],
)
def test_broken_promises_are_found(function: Callable[[EventBatch], Result], problem: str) -> None:
    with pytest.raises(AssertionError, match=problem):
        check_processor(lambda: Made(function), SAMPLES)


def test_what_raises_is_shown_as_it_is() -> None:
    with pytest.raises(ValueError, match="null"):
        check_processor(lambda: Made(chokes_on_null), SAMPLES)


def test_processors_that_learn_are_let_be() -> None:
    check_processor(lambda: Made(looks_at_neighbours), SAMPLES, independent=False)
