"""Seeded JSON log lines of 228 bytes on average, some with secrets in the message."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

AVERAGE_BYTES = 228
MARK = b" for item "
"""In every line once, followed by its number from 0."""
CANARY = "canary"
"""Part of every made-up secret: none of it may be found after redaction."""

_START = datetime(2026, 1, 5, tzinfo=UTC)
_LEVELS = ["info"] * 80 + ["debug"] * 10 + ["warning"] * 7 + ["error"] * 3
_WORDS = [
    "order",
    "cart",
    "user",
    "stock",
    "price",
    "invoice",
    "session",
    "cache",
    "shard",
    "batch",
    "index",
    "page",
]
_SHARE_WITH_SECRET = 0.03


def lines(count: int, seed: int = 1) -> Iterator[str]:
    """``count`` lines, the same for the same seed."""
    rng = random.Random(seed)
    when = _START
    for number in range(count):
        when += timedelta(microseconds=rng.randrange(100, 4000))
        yield json.dumps(
            {
                "timestamp": when.isoformat(timespec="microseconds").replace("+00:00", "Z"),
                "level": rng.choice(_LEVELS),
                "message": _message(rng, number),
                "logger": f"shop.{rng.choice(_WORDS)}",
                "host": f"web-{rng.randrange(8)}",
                "thread": f"worker-{rng.randrange(16)}",
                "request_id": f"{rng.getrandbits(64):016x}",
            },
            separators=(",", ":"),
        )


def _message(rng: random.Random, number: int) -> str:
    words = " ".join(rng.choices(_WORDS, k=rng.randrange(5, 10)))
    text = f"{words} took {rng.randrange(1, 900)} ms for item {number}"
    if rng.random() < _SHARE_WITH_SECRET:
        text += " " + rng.choice(
            [
                f"password={CANARY}{rng.randrange(10**6)}",
                f"sent to {CANARY}{rng.randrange(10**4)}@example.com",
                f"api_key={CANARY}{rng.getrandbits(96):024x}",
                f"Authorization: Bearer {CANARY}{rng.getrandbits(128):032x}",
            ]
        )
    return text


def write(path: Path, count: int, seed: int = 1) -> int:
    """Write the lines unless the file is there already; returns its size in bytes."""
    if not path.exists():
        part = path.with_suffix(".part")
        with part.open("w", encoding="utf-8") as out:
            out.writelines(f"{line}\n" for line in lines(count, seed))
        part.rename(path)
    return path.stat().st_size
