"""Texts that look as if chance had made them: keys and tokens of no known form."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import Final

#: Bits a letter. Base64 of random bytes has some 4.3 at 24 letters and 5.2 at 64; English words have 3 to 4.
_LEAST_BITS: Final = 3.9
#: Letters that are followed by one of another kind: of random base64 some 60 %, of CamelCase 30 %, of paths fewer.
_LEAST_CHANGES: Final = 0.4
#: What is looked at of a long text.
_MOST: Final = 512
_KINDS: Final = bytes(
    1 if 48 <= code <= 57 else 2 if 65 <= code <= 90 else 3 if 97 <= code <= 122 else 4 for code in range(256)
)


def is_random(candidate: bytes) -> bool:
    """Whether a text has digits, large and small letters, mixed as chance mixes them.

    Digests and identities in hexadecimal have one kind of letters only, so they are none.
    """
    text = candidate.rstrip(b"=")[:_MOST]
    kinds = text.translate(_KINDS)
    if not {1, 2, 3} <= set(kinds):
        return False
    changes = sum(one != other for one, other in itertools.pairwise(kinds))
    return changes >= _LEAST_CHANGES * len(text) and bits(text) >= _LEAST_BITS


def bits(text: bytes) -> float:
    """Shannon's entropy, in bits a letter."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())
