"""How many different members came to a set in one window: exact while few, HyperLogLog beyond.

HyperLogLog (Flajolet et al., 2007; Apache DataSketches' HLL_4): the relative standard error is `RELATIVE_ERROR`.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import attrs
from datasketches import hll_sketch, tgt_hll_type

#: Up to so many members are counted exactly.
EXACT: Final = 1024
_LG_K: Final = 14
#: One standard deviation: 1.04 / sqrt(2**14).
RELATIVE_ERROR: Final = 0.0082
_LONG: Final = 32


@attrs.define(slots=True, eq=False)
class Members:
    """Members of one set."""

    exact: set[bytes] = attrs.field(factory=set)
    sketch: Any = None

    def add(self, raw: bytes) -> None:
        """A member came (perhaps again).

        Raises:
            ValueError: it has no name.
        """
        if not raw:
            raise ValueError("no member")
        if len(raw) > _LONG:
            raw = hashlib.blake2b(raw, digest_size=_LONG - 1).digest()
        if self.sketch is not None:
            self.sketch.update(raw.decode("latin-1"))
            return
        self.exact.add(raw)
        if len(self.exact) > EXACT:
            self.sketch = hll_sketch(_LG_K, tgt_hll_type.HLL_4)
            for one in self.exact:
                self.sketch.update(one.decode("latin-1"))
            self.exact = set()

    def take(self) -> Members | None:
        """What came since the last time, or None; begins anew."""
        if not self.exact and self.sketch is None:
            return None
        taken = Members(self.exact, self.sketch)
        self.exact, self.sketch = set(), None
        return taken

    def count(self) -> float:
        """How many different ones."""
        return float(len(self.exact)) if self.sketch is None else float(round(self.sketch.get_estimate()))
