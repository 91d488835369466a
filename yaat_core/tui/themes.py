"""Colours and signs. A theme maps the style classes that widgets use to colours; without colour, weight and reverse do it."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Mapping
from typing import Final

import attrs
from prompt_toolkit.styles import BaseStyle, Style

_PLAIN: Final[Mapping[str, str]] = {
    "bar": "reverse",
    "bar.name": "reverse bold",
    "tab": "",
    "tab.on": "reverse bold",
    "title": "bold",
    "title.focus": "bold reverse",
    "rule": "",
    "head": "bold underline",
    "row": "reverse",
    "row-blur": "underline",
    "marked": "bold",
    "ok": "",
    "warn": "bold",
    "error": "bold",
    "off": "",
    "dim": "",
    "strong": "bold",
    "stale": "",
    "link": "underline",
    "match": "reverse bold",
    "key": "bold",
    "key.text": "",
    "status": "",
    "toast": "bold",
    "toast.error": "reverse bold",
    "banner": "reverse bold",
    "field": "underline",
    "field.focus": "reverse",
    "field.wrong": "bold underline",
    "dialog": "",
    "dialog.title": "bold reverse",
    "button": "",
    "button.focus": "reverse bold",
    "diff.add": "bold",
    "diff.remove": "underline",
    "diff.at": "",
    "line-number": "",
    "chart.0": "",
    "chart.1": "bold",
    "chart.2": "",
    "chart.3": "bold",
    "scroll": "",
    "scroll.thumb": "reverse",
}

_DARK: Final[Mapping[str, str]] = {
    "bar": "bg:#1c3a4a #d8e6ee",
    "bar.name": "bg:#1c3a4a #7fd4ff bold",
    "tab": "#8a98a5",
    "tab.on": "bg:#2b5b73 #ffffff bold",
    "title": "#9fb4c4 bold",
    "title.focus": "#7fd4ff bold",
    "rule": "#41525f",
    "head": "#8a98a5 bold",
    "row": "bg:#2b5b73 #ffffff",
    "row-blur": "bg:#26323a",
    "marked": "#ffd75f bold",
    "ok": "#7ecf7e",
    "warn": "#f0c24b",
    "error": "#ff7b72 bold",
    "off": "#7d8a94",
    "dim": "#7d8a94",
    "strong": "bold",
    "stale": "#6b7780",
    "link": "#7fd4ff underline",
    "match": "bg:#f0c24b #000000",
    "key": "#7fd4ff bold",
    "key.text": "#9fb0bb",
    "status": "#9fb0bb",
    "toast": "bg:#24512f #e4ffe4",
    "toast.error": "bg:#6b1f1f #ffffff bold",
    "banner": "bg:#7a4d00 #ffffff bold",
    "field": "bg:#26323a",
    "field.focus": "bg:#31424d #ffffff",
    "field.wrong": "bg:#4a2323",
    "dialog": "bg:#1b2429 #d8e6ee",
    "dialog.title": "bg:#2b5b73 #ffffff bold",
    "button": "bg:#31424d #d8e6ee",
    "button.focus": "bg:#7fd4ff #00141c bold",
    "diff.add": "#7ecf7e",
    "diff.remove": "#ff7b72",
    "diff.at": "#7fd4ff",
    "line-number": "#5c6a74",
    "chart.0": "#7fd4ff",
    "chart.1": "#7ecf7e",
    "chart.2": "#f0c24b",
    "chart.3": "#ff9d7a",
    "scroll": "#41525f",
    "scroll.thumb": "#9fb4c4",
}

_LIGHT: Final[Mapping[str, str]] = {
    **_DARK,
    "": "bg:#ffffff #1d252b",
    "bar": "bg:#d3e3ec #16323f",
    "bar.name": "bg:#d3e3ec #004c6d bold",
    "tab": "#53626d",
    "tab.on": "bg:#2b6a88 #ffffff bold",
    "title": "#33505f bold",
    "title.focus": "#005f87 bold",
    "rule": "#a8b7c0",
    "head": "#53626d bold",
    "row": "bg:#bfe0f0 #00202d",
    "row-blur": "bg:#e6edf1",
    "marked": "#8a5a00 bold",
    "ok": "#1f7a2e",
    "warn": "#8a5a00 bold",
    "error": "#b3261e bold",
    "off": "#6b7780",
    "dim": "#66747d",
    "stale": "#9aa5ad",
    "link": "#005f87 underline",
    "match": "bg:#ffe08a #000000",
    "key": "#005f87 bold",
    "key.text": "#53626d",
    "status": "#53626d",
    "toast": "bg:#cdebd2 #0b3d17",
    "toast.error": "bg:#f7d0cd #6b0f0a bold",
    "banner": "bg:#ffe2a8 #4d3000 bold",
    "field": "bg:#e9eff2",
    "field.focus": "bg:#d8e9f2 #000000",
    "field.wrong": "bg:#f7d9d6",
    "dialog": "bg:#f1f5f7 #1d252b",
    "dialog.title": "bg:#2b6a88 #ffffff bold",
    "button": "bg:#d8e1e6 #1d252b",
    "button.focus": "bg:#005f87 #ffffff bold",
    "diff.add": "#1f7a2e",
    "diff.remove": "#b3261e",
    "diff.at": "#005f87",
    "line-number": "#93a0a8",
    "chart.0": "#005f87",
    "chart.1": "#1f7a2e",
    "chart.2": "#8a5a00",
    "chart.3": "#a13d1d",
    "scroll": "#c3ced4",
    "scroll.thumb": "#53626d",
}

_CONTRAST: Final[Mapping[str, str]] = {
    **_PLAIN,
    "": "bg:ansiblack ansiwhite",
    "bar": "bg:ansiwhite ansiblack bold",
    "bar.name": "bg:ansiwhite ansiblack bold",
    "tab.on": "bg:ansibrightyellow ansiblack bold",
    "title": "ansiwhite bold",
    "title.focus": "bg:ansibrightyellow ansiblack bold",
    "row": "bg:ansibrightyellow ansiblack bold",
    "row-blur": "bg:ansigray ansiblack",
    "ok": "ansibrightgreen bold",
    "warn": "ansibrightyellow bold",
    "error": "ansibrightred bold",
    "off": "ansiwhite",
    "key": "ansibrightcyan bold",
    "match": "bg:ansibrightcyan ansiblack bold",
    "toast": "bg:ansibrightgreen ansiblack bold",
    "toast.error": "bg:ansibrightred ansiblack bold",
    "banner": "bg:ansibrightred ansiblack bold",
    "field": "underline ansiwhite",
    "field.focus": "bg:ansiwhite ansiblack",
    "button.focus": "bg:ansibrightyellow ansiblack bold",
    "diff.add": "ansibrightgreen",
    "diff.remove": "ansibrightred",
}

#: By the name that settings and `--theme` use.
THEMES: Final[Mapping[str, Mapping[str, str]]] = {
    "dark": _DARK,
    "light": _LIGHT,
    "contrast": _CONTRAST,
    "plain": _PLAIN,
}


@attrs.frozen(kw_only=True)
class Glyphs:
    """Signs that are drawn; `ASCII` where the locale has no UTF-8."""

    ok: str = "●"
    warn: str = "▲"
    error: str = "✗"
    off: str = "○"
    yes: str = "✓"
    rule: str = "─"
    bar: str = "│"
    dots: str = "…"
    here: str = "▸"
    mark: str = "*"
    up: str = "↑"
    down: str = "↓"
    full: str = "█"
    ascii_only: bool = False


UTF8: Final = Glyphs()
ASCII: Final = Glyphs(
    ok="[ok]", warn="[!]", error="[x]", off="[-]", yes="[ok]", rule="-", bar="|", dots="~", here=">", mark="*",
    up="^", down="v", full="#", ascii_only=True,
)  # fmt: skip


@functools.lru_cache(maxsize=8)
def style_of(theme: str) -> BaseStyle:
    """The style of a theme; one that is not there: dark. The same object each time: prompt-toolkit keeps what it looked up."""
    return Style.from_dict({**_PLAIN, **THEMES.get(theme, _DARK)})


def without_colour() -> bool:
    """Does the user ask for none? https://no-color.org"""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


def glyphs_for(wanted: str) -> Glyphs:
    """``wanted`` is `auto`, `utf8` or `ascii`."""
    if wanted == "auto":
        wanted = "utf8" if (sys.stdout.encoding or "").lower().replace("-", "") == "utf8" else "ascii"
    return ASCII if wanted == "ascii" else UTF8


#: A component's, an agent's or a check's state as the kind of its sign.
KINDS: Final[Mapping[str, str]] = {
    "ok": "ok",
    "running": "ok",
    "loaded": "ok",
    "row": "ok",
    "starting": "off",
    "done": "off",
    "skipped": "off",
    "stopped": "off",
    "disabled": "off",
    "not_selected": "off",
    "retrying": "warn",
    "draining": "warn",
    "waiting_for_sinks": "warn",
    "warn": "warn",
    "queued": "warn",
    "paused": "error",
    "down": "error",
    "storage_full": "error",
    "failed": "error",
    "broken": "error",
    "dead": "error",
    "error": "error",
}


def mark(state: str, glyphs: Glyphs) -> tuple[str, str]:
    """A state as a sign and its word, with the style: never the colour alone."""
    kind = KINDS.get(state, "off")
    return f"class:{kind}", f"{getattr(glyphs, kind)} {state.replace('_', ' ')}"
