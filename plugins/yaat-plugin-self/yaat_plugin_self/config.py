"""Options of the source type `agent`."""

from __future__ import annotations

from typing import ClassVar, Literal

from yaat_core import configuration, option


@configuration
class AgentConfig:
    """What happens to the agent itself, as events of the service `yaat-agent`."""

    single: ClassVar[bool] = True

    level: Literal["info", "warning", "error"] = option(
        "info", help="From which level on.", example="warning"
    )
