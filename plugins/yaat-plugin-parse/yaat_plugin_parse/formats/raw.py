"""Lines as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from yaat_plugin_parse.config import RawConfig
from yaat_plugin_parse.found import Found


class RawFormat:
    """Finds nothing, and every line fits."""

    def __init__(self, config: RawConfig) -> None:
        pass

    def fits(self, lines: Any) -> Any:
        """Every line."""
        return np.ones(len(lines), bool)

    def parse(self, lines: Any, stream: str) -> Sequence[Found]:
        """Every line, with nothing found in it."""
        return [Found(np.arange(len(lines)), {})]
