"""States as a glyph and a word, coloured; plain signs where the locale has no UTF-8."""

from __future__ import annotations

import sys
from typing import Final

import click

_GLYPHS: Final = {"ok": "●", "warn": "▲", "error": "✗", "off": "○", "yes": "✓"}
_PLAIN: Final = {"ok": "[ok]", "warn": "[!]", "error": "[x]", "off": "[-]", "yes": "[ok]"}
_COLORS: Final = {"ok": "green", "warn": "yellow", "error": "red", "off": None, "yes": "green"}

#: A component's state as a kind of mark.
STATES: Final = {
    "ok": "ok",
    "starting": "off",
    "done": "off",
    "skipped": "off",
    "retrying": "warn",
    "paused": "error",
    "down": "error",
    "running": "ok",
    "draining": "warn",
    "stopped": "off",
    "storage_full": "error",
    "waiting_for_sinks": "warn",
}


def mark(kind: str) -> str:
    """The sign of `ok`, `warn`, `error`, `off` or `yes` (a check that passed)."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    return click.style((_GLYPHS if utf8 else _PLAIN)[kind], fg=_COLORS[kind])
