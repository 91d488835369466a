"""What the source is made of besides ingesting: each part gives its endpoints, and lives as long as the source runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import attrs

from yaat_core.components import Context
from yaat_plugin_gateway.access.caller import Access, Limits
from yaat_plugin_gateway.config import GatewayConfig
from yaat_plugin_gateway.web.endpoint import Endpoint


@attrs.frozen(kw_only=True)
class Parts:
    """The opened parts: who calls, how much they may send, and the endpoints besides POST /v1/ingest."""

    access: Access
    limits: Limits
    endpoints: Sequence[Endpoint[Any]] = ()


OpenParts = Callable[[GatewayConfig, Context], AbstractAsyncContextManager[Parts]]
"""Opens them (the state database, its upkeep) and closes them at the end.

Raises:
    YaatError: one can't be opened; the source fails with it and is started again.
"""
