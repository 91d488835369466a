"""What bounds every query of a conversation."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Limits:
    """As the options of `yaat query`."""

    sink: str | None
    limit: int
    timeout: float
