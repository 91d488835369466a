"""Options of the sink."""

from __future__ import annotations

from typing import ClassVar, Literal

from yaat_core.config.options import configuration, option


@configuration
class StdoutConfig:
    """Events on standard output: JSON lines, or a form for people."""

    remote: ClassVar[bool] = False

    format: Literal["auto", "json", "text"] = option(
        "auto", help="`json` lines, `text` for people, or `auto`: text on a terminal.", example="json"
    )
