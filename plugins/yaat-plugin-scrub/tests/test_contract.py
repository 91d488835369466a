"""The public contract test."""

from __future__ import annotations

from pathlib import Path

from yaat_core.event import Event, EventBatch
from yaat_core.testing import check_processor, make_context
from yaat_plugin_scrub.config import Rule, ScrubConfig
from yaat_plugin_scrub.scrub import Scrub

SAMPLE = EventBatch.from_events(
    [
        Event(message="password=hunter2", tags={"password": "hunter2", "a": "bob@example.com"}),
        Event(message="GET /healthz", tags={"bob@example.com": "1", "eve@example.com": "2"}),
        Event(message=None, stacktrace="Error: https://bob:hunter2@example.com\n  at x"),
        Event(
            message="order-17 paid with 4111 1111 1111 1111", service_name="shop", operation="GET /?token=abc"
        ),
    ]
    * 5
)
RULES = (
    Rule(name="health", pattern="^GET /healthz", fields=("message",), drop=True),
    Rule(name="order", pattern="order-(\\d+)", replacement="order-[\\1]"),
    Rule(name="tag", pattern="example", fields=("tags.a", "service_name")),
)


def test_contract(tmp_path: Path) -> None:
    config = ScrubConfig(detectors=("secrets", "email"), rules=RULES)
    check_processor(lambda: Scrub(config, make_context(tmp_path, "processors.scrub")), samples=[SAMPLE])


def test_contract_without_rules(tmp_path: Path) -> None:
    check_processor(
        lambda: Scrub(ScrubConfig(), make_context(tmp_path, "processors.scrub")), samples=[SAMPLE]
    )
