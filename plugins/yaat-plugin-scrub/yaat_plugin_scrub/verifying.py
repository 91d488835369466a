"""Candidates that RE2 finds on a column, judged one by one where no regular expression can."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import re2


def judged(pattern: str, accept: Callable[[bytes], bool]) -> Callable[[bytes, bytes], bytes]:
    """A verifier for a `Detector`: replaces the second group of the pattern where ``accept`` says so; the first stays."""
    compiled = re2.compile(pattern.encode("latin-1"))

    def replace(text: bytes, placeholder: bytes) -> bytes:
        def one(match: Any) -> bytes:
            front, candidate = match[1], match[2]
            return bytes(front + (placeholder if accept(candidate) else candidate))

        return bytes(compiled.sub(one, text))

    return replace
