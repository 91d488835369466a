"""The public contract test, for each processor."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.batches import at, batch

from yaat_core.components import Processor
from yaat_core.testing import check_processor
from yaat_plugin_sample.config import DedupeConfig, FilterConfig, SampleConfig, ThrottleConfig
from yaat_plugin_sample.filtering import Filter
from yaat_plugin_sample.repeats import Dedupe
from yaat_plugin_sample.sampling import Sample
from yaat_plugin_sample.throttling import Throttle

SAMPLE = batch(
    *(
        at(
            number / 3,
            message=f"took {number % 4} ms",
            level="info",
            trace_id=f"{number * 7919:032x}",
            tags={"user": "bob"},
        )
        for number in range(20)
    ),
    *(
        at(number, message="no trace", service_name="shop", tags={"k": "v"} if number % 2 else {})
        for number in range(20)
    ),
)
INDEPENDENT: dict[str, Callable[[], Processor]] = {
    "keep": lambda: Filter(FilterConfig(keep="tags['k'] = 'v' OR level = 'info'")),
    "drop": lambda: Filter(FilterConfig(drop="message LIKE '%1%'")),
    "sample": lambda: Sample(SampleConfig(percent=50)),
    "by tag": lambda: Sample(SampleConfig(percent=50, by="tags.user", when="level = 'info'")),
}
COUNTING: dict[str, Callable[[], Processor]] = {
    "throttle": lambda: Throttle(ThrottleConfig(rate=2, key=("service_name", "tags.k"))),
    "dedupe": lambda: Dedupe(DedupeConfig(ignore_numbers=True)),
}


@pytest.mark.parametrize("name", INDEPENDENT)
def test_what_becomes_of_an_event_depends_on_it_alone(name: str) -> None:
    check_processor(INDEPENDENT[name], [SAMPLE])


@pytest.mark.parametrize("name", COUNTING)
def test_those_that_count(name: str) -> None:
    check_processor(COUNTING[name], [SAMPLE], independent=False)
