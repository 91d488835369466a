"""The Python binding of LevelDB. plyvel has no wheels for Python 3.13; plyvel-next is the same code with wheels."""

from __future__ import annotations

try:
    import plyvel
except ModuleNotFoundError:
    import plyvel_next as plyvel

__all__ = ["plyvel"]
