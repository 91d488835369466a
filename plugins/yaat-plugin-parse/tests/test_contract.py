"""Every type keeps the contract of processors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from yaat_core.components import Processor
from yaat_core.event import Event, EventBatch, Labels
from yaat_core.testing import check_processor

LINES = [
    '{"time":"2026-01-05T10:00:00Z","level":"warn","msg":"a","n":1,"x":{"y":[1,2]}}',
    '{"time":1767607200.5,"level":30,"message":"b","n":2.5}',
    '{"n":"three"}',
    '  {"blank":"before"}\r',
    '203.0.113.9 - ann [05/Jan/2026:10:00:00 +0000] "GET /a?b=c HTTP/1.1" 503 12 "-" "curl/8" 0.120',
    '::1 - - [05/Jan/2026:10:00:01 +0000] "\\x16\\x03\\x01" 400 150 "-" "-"',
    "2026-01-05 10:00:00,123 - shop.cart - ERROR - no stock",
    "INFO:shop:started",
    "[2026-01-05 10:00:00 +0000] [7] [INFO] Booting worker",
    "2026/01/05 10:00:01 [error] 12#12: nothing here",
    "no format at all",
    "",
]
SOME = (
    '<34>1 2026-01-05T10:00:00Z h a - - [x y="z"] m',
    'Jan  5 10:00:00 host app[1]: {"level":"warn","n":1}',
    '{"log":"{\\"a\\":1}\\n","stream":"stderr","time":"2026-01-05T10:00:00Z"}',
    "2026-01-05T10:00:00.1Z stdout P half",
    'level=info msg="a b" n=1 n=2',
    'I0105 10:00:00.123456   12 a.go:9] "text" k="v"',
    "2026-01-05 10:00:00.123 UTC [12] app@shop ERROR:  x",
    '127.0.0.1 - - [05/Jan/2026:10:00:00 +0000] "GET /a\\"b HTTP/1.1" 404 23 "-" "-"',
)
"""Lines of formats whose contract is looked at with fewer samples."""
OTHERS = (
    "syslog",
    "docker",
    "cri",
    "logfmt",
    "klog",
    "postgres",
    "apache",
    "haproxy",
    "log4j",
    "django",
    "mysql",
    "redis",
)
TYPES: dict[str, dict[str, Any]] = {
    "json": {},
    "nginx": {},
    "python": {"timezone": "Europe/Berlin"},
    "regex": {"pattern": r"(?P<level>\w+):(?P<name>\w+)(?:=(?P<value>\d+))?"},
    "raw": {},
}


def samples() -> list[EventBatch]:
    mixed = [Event(message=line, tags={"from": "here", "n": "own"}) for line in LINES]
    alone = [
        EventBatch.from_events([Event(message=line)] * 40, Labels(stream=str(row)))
        for row, line in enumerate(LINES)
    ]
    return [EventBatch.from_events([*mixed, Event(message=None)] * 3, Labels(stream="mixed")), *alone]


@pytest.mark.parametrize("name", ["auto", *TYPES])
def test_contract(make: Callable[..., Processor], name: str) -> None:
    check_processor(lambda: make(name, **TYPES.get(name, {})), samples=samples(), independent=name != "auto")


@pytest.mark.parametrize("name", OTHERS)
def test_contract_of_the_others(make: Callable[..., Processor], name: str) -> None:
    batch = EventBatch.from_events([Event(message=line) for line in SOME], Labels(stream="mixed"))
    check_processor(lambda: make(name), samples=[batch], independent=name not in ("syslog", "docker", "cri"))


@pytest.mark.parametrize("name", ["w3c", "csv"])
def test_contract_of_those_with_headers(make: Callable[..., Processor], name: str) -> None:
    lines = ["#Fields: date time c-ip", "a,b,c", "2026-01-05 10:00:00 1.2.3.4", 'x,"y,z",1', "x"]
    batch = EventBatch.from_events([Event(message=line) for line in lines], Labels(stream="mixed"))
    check_processor(lambda: make(name), samples=[batch], independent=False)
