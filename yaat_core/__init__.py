"""YAAT: a plugin-based observability agent. This package is the core; everything else is a plugin.

General layout, and who may import whom: plugins import `yaat_core` (and `yaat_kit`), never each other;
the core imports no plugin. What is named here is for plugin authors and loads on first use, so that
``import yaat_core`` is quick. `yaat_core.hookspecs` and `yaat_core.testing` are public as well.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from yaat_core.components import (
        Context,
        Done,
        Drop,
        Finding,
        Held,
        Outlet,
        Partial,
        Pause,
        Position,
        Processor,
        Queue,
        Receipt,
        Retry,
        Sink,
        Source,
        TransactionalSink,
    )
    from yaat_core.config.options import Duration, Secret, Size, configuration, option, positive
    from yaat_core.errors import YaatError
    from yaat_core.event import SCHEMA, Event, EventBatch, Labels
    from yaat_core.hookspecs import API_VERSION, hookimpl
    from yaat_core.registry import Register

__version__ = "0.1.0"

_HOMES = {
    "yaat_core.components": (
        "Context Done Drop Finding Held Outlet Partial Pause Position Processor Queue Receipt Retry Sink"
        " Source TransactionalSink"
    ),
    "yaat_core.config.options": "Duration Secret Size configuration option positive",
    "yaat_core.errors": "YaatError",
    "yaat_core.event": "SCHEMA Event EventBatch Labels",
    "yaat_core.hookspecs": "API_VERSION hookimpl",
    "yaat_core.registry": "Register",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = [
    "API_VERSION",
    "SCHEMA",
    "Context",
    "Done",
    "Drop",
    "Duration",
    "Event",
    "EventBatch",
    "Finding",
    "Held",
    "Labels",
    "Outlet",
    "Partial",
    "Pause",
    "Position",
    "Processor",
    "Queue",
    "Receipt",
    "Register",
    "Retry",
    "Secret",
    "Sink",
    "Size",
    "Source",
    "TransactionalSink",
    "YaatError",
    "configuration",
    "hookimpl",
    "option",
    "positive",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'yaat_core' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
