"""The public contract test, for every format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from yaat_core.event import Event, EventBatch, Labels
from yaat_core.testing import check_processor, make_context
from yaat_plugin_parse import config
from yaat_plugin_parse.step import ParseStep

LINES = [
    '{"ts":"2026-01-05T10:00:00.5Z","level":"WARN","msg":"slow","user":{"id":7},"ok":true,"list":[1,2]}',
    '{"level":30,"time":1767607200000,"message":"pino"}',
    '10.0.0.7 - bob [05/Jan/2026:10:00:00 +0000] "GET /a?b=1 HTTP/1.1" 503 12 "-" "curl/8" 0.250',
    '10.0.0.7 - - [05/Jan/2026:10:00:00 +0000] "\\x16\\x03" 400 150 "-" "-"',
    "2026-01-05 10:00:00,123 - shop.pay - ERROR - card declined",
    "WARNING:root:watch out",
    "plain words",
    "2026-01-05T10:00:00Z [error] something odd",
    "{not json}",
]
SAMPLE = EventBatch.from_events([Event(message=line) for line in LINES], Labels(stream="a.log"))


@pytest.mark.parametrize(
    "options",
    [
        config.AutoConfig(),
        config.JsonConfig(),
        config.NginxConfig(),
        config.PythonConfig(timezone="Europe/Berlin"),
        config.RawConfig(),
        config.RegexConfig(pattern=r"(?P<level>[A-Z]+):(?P<where>\w+):(?P<message>.*)"),
    ],
    ids=lambda options: type(options).__name__,
)
def test_contract(tmp_path: Path, options: Any) -> None:
    check_processor(lambda: ParseStep(options, make_context(tmp_path, "processors.parse")), samples=[SAMPLE])
