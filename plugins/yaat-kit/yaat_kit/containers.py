"""How container engines write a container's id into names of control groups."""

from __future__ import annotations

import re
from typing import Final

CONTAINER_ID: Final = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


def container_in(text: str) -> str:
    """The id of the innermost container that a ``/proc/PID/cgroup`` names; empty: none."""
    found = CONTAINER_ID.findall(text)
    return found[-1] if found else ""
