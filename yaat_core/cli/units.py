"""Sizes, durations and counts as people read them."""

from __future__ import annotations


def size(count: float) -> str:
    """Bytes: `512 B`, `1.5 MiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(count) < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def duration(seconds: float) -> str:
    """`0.4s`, `12s`, `3m05s`, `2h14m`, `3d04h`."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 60:
        return f"{whole}s"
    if hours == 0:
        return f"{minutes}m{whole % 60:02d}s"
    return f"{hours}h{minutes % 60:02d}m" if days == 0 else f"{days}d{hours % 24:02d}h"


def count(number: float) -> str:
    """`1,204`."""
    return f"{number:,.0f}" if number == int(number) else f"{number:,.2f}"


def of(number: int, what: str) -> str:
    """`1 letter`, `1,204 letters`."""
    return f"{count(number)} {what}" if number == 1 else f"{count(number)} {what}s"
