"""Contract tests that any plugin author runs against a component. Free of pytest: plain functions that raise AssertionError.

def test_contract(tmp_path):
    check_processor(lambda: MyProcessor(MyConfig(), make_context(tmp_path, "processors.mine")), samples=[...])
"""

from __future__ import annotations

from yaat_core.testing._context import make_context
from yaat_core.testing._detector import MadeMachine, check_detector
from yaat_core.testing._health_routes import MadeAgent, check_health_routes
from yaat_core.testing._outlet import RecordingOutlet
from yaat_core.testing._processor import check_processor
from yaat_core.testing._queue import check_queue
from yaat_core.testing._sink import check_sink
from yaat_core.testing._source import check_source

__all__ = [
    "MadeAgent",
    "MadeMachine",
    "RecordingOutlet",
    "check_detector",
    "check_health_routes",
    "check_processor",
    "check_queue",
    "check_sink",
    "check_source",
    "make_context",
]
