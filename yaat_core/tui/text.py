"""Text as the terminal shows it: fragments of (style, text), measured in cells, made harmless."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, Literal

from prompt_toolkit.utils import get_cwidth

from yaat_core.display import terminal_safe

#: One line: pieces of text with their styles.
Line = list[tuple[str, str]]
Align = Literal["left", "right"]

#: Marks that choose how the character before them looks: terminals disagree on its width then.
_VARIATION: Final = re.compile("[\ufe00-\ufe0f]")
_BARS: Final = "▁▂▃▄▅▆▇█"


def safe(value: object, *, lines: bool = False) -> str:
    """Data as text that a terminal shows and does not obey."""
    text = value if isinstance(value, str) else str(value)
    if text.isascii() and text.isprintable():
        return text
    text = terminal_safe(text, lines=lines)
    return _VARIATION.sub("", text)


def cells(text: str) -> int:
    """How many columns the text takes."""
    return len(text) if text.isascii() else get_cwidth(text)


def clip(text: str, width: int, dots: str = "…") -> str:
    """The text, cut to ``width`` columns; what is cut ends in ``dots``."""
    if len(text) <= width and cells(text) <= width:
        return text
    if width <= len(dots):
        return dots[:width] if width > 0 else ""
    room, taken = width - len(dots), 0
    for index, sign in enumerate(text):
        taken += cells(sign)
        if taken > room:
            return text[:index] + dots
    return text


def fit(text: str, width: int, align: Align = "left", dots: str = "…") -> str:
    """The text in exactly ``width`` columns."""
    text = clip(text, width, dots)
    space = " " * (width - cells(text))
    return space + text if align == "right" else text + space


def width_of(line: Iterable[tuple[str, str]]) -> int:
    """Columns of a line."""
    return sum(cells(text) for _, text in line)


def fit_line(line: Sequence[tuple[str, str]], width: int, style: str = "", dots: str = "…") -> Line:
    """The line in exactly ``width`` columns, every piece made harmless; ``style`` fills the rest."""
    pieces = [(of, safe(text)) for of, text in line]
    total = width_of(pieces)
    if total <= width:
        return [*pieces, (style, " " * (width - total))] if total < width else pieces
    made: Line = []
    left = width
    for of, text in pieces:
        need = cells(text)
        if need < left:
            made.append((of, text))
            left -= need
            continue
        made.append((of, fit(text + "  ", left, dots=dots)))
        break
    return made


def plain(line: Iterable[tuple[str, str]]) -> str:
    """The text alone."""
    return "".join(text for _, text in line)


def columns(left: Line, right: Line, width: int) -> Line:
    """``left`` at the left edge, ``right`` at the right one; the left is cut when they meet."""
    room = max(0, width - width_of(right))
    return fit_line([*fit_line(left, room), *right], width)


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most ``width`` columns, broken at spaces where there are some; newlines stay."""
    made: list[str] = []
    for paragraph in text.split("\n"):
        made.extend(_wrapped(paragraph.expandtabs(4), max(1, width)))
    return made


def _wrapped(text: str, width: int) -> list[str]:
    lines: list[str] = []
    indent = " " * min(len(text) - len(text.lstrip()), width // 2)
    while cells(text) > width:
        cut = _cut(text, width)
        space = text.rfind(" ", len(indent) + 1, cut + 1)
        if space > 0:
            lines.append(text[:space])
            text = indent + text[space + 1 :].lstrip()
        else:
            lines.append(text[:cut])
            text = indent + text[cut:]
    lines.append(text)
    return lines


def _cut(text: str, width: int) -> int:
    taken = 0
    for index, sign in enumerate(text):
        taken += cells(sign)
        if taken > width:
            return max(1, index)
    return len(text)


def count(number: float) -> str:
    """A number in at most five signs: 999, 1.2k, 48k, 3.1M."""
    if number != number or number in (float("inf"), float("-inf")):
        return "-"
    for unit in ("", "k", "M", "G", "T"):
        if abs(number) < 999.5 or unit == "T":
            return _short(number) + unit
        number /= 1000
    return ""


def _short(number: float) -> str:
    whole = number == int(number) and abs(number) < 1000
    return f"{number:.0f}" if whole or abs(number) >= 99.95 else f"{number:.1f}"


def size(number: float) -> str:
    """Bytes for people: 41M, 1.5G (powers of 1024)."""
    for unit in ("B", "K", "M", "G", "T"):
        if abs(number) < 1023.5 or unit == "T":
            return f"{_short(number) if unit != 'B' else f'{number:.0f} '}{unit}"
        number /= 1024
    return ""


def span(seconds: float) -> str:
    """A time span in two units at most: 42s, 3m05s, 2h10m, 3d04h."""
    whole = int(max(0.0, seconds))
    if whole < 60:
        return f"{whole}s" if seconds >= 10 or seconds == whole else f"{seconds:.1f}s"
    for unit, small, of, then in (("m", "s", 60, 1), ("h", "m", 3600, 60), ("d", "h", 86400, 3600)):
        if whole < of * (60 if unit == "m" else 24 if unit == "h" else 10**9):
            return f"{whole // of}{unit}{whole % of // then:02d}{small}"
    return ""


def latency(seconds: float) -> str:
    """A short time: 0.4 ms, 840 ms, 2.1 s."""
    if seconds < 0.00095:
        return f"{seconds * 1e6:.0f} µs"
    return f"{_short(round(seconds * 1000, 1))} ms" if seconds < 1 else f"{seconds:.1f} s"


def spark(values: Sequence[float | None], width: int, *, ascii_only: bool = False) -> str:
    """The last ``width`` values as bars of one row; None is a gap."""
    shown = list(values)[-width:]
    top = max((value for value in shown if value), default=0) or 1
    signs = " .:-=+*#" if ascii_only else _BARS
    bars = "".join(" " if value is None else signs[max(0, min(7, round(7 * value / top)))] for value in shown)
    return bars.rjust(width)
