#!/usr/bin/env python3
"""What `make screenshots` runs: every screen of the TUI on a small agent with data, from a real pseudo-terminal into SVG.

python tools/screenshots.py [--only NAME,...] [--text]      --text also prints each screen
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from support.terminal import Terminal  # noqa: E402
from support.tui import Site  # noqa: E402

from yaat_core.tui.text import cells  # noqa: E402

OUT: Final = ROOT / "docs" / "screenshots"
SMALL: Final = (80, 24)
LARGE: Final = (200, 50)
#: Those that are also made large: where there is more to see, not only more room.
_LARGE_TOO: Final = ("overview", "live", "explore", "metrics", "sources", "queue", "config-difference")

#: A source of metrics beside the logs of the site.
_FIGURES: Final = "  figures: {type: file, paths: [figures.json], poll: 200ms, format: json}\n"

#: Name, keys from the screen before (the TUI is started anew for each), and a text that is there when it is done.
#: Panels of others: add a line.
SHOTS: Final[Sequence[tuple[str, Sequence[str], str]]] = (
    ("overview", (), "Destinations"),
    ("live", ("2",), "POST /pay"),
    ("live-event", ("2", " ", "enter"), "POST /pay"),
    ("explore", ("3",), "Explore"),
    ("metrics", (":", "go to metrics", "enter"), "cpu.usage"),
    ("sources", ("4",), "app"),
    ("sources-add", ("4", "a"), "Types of"),
    ("sources-preview", ("4", "t"), "app"),
    ("queue", ("5",), "Dead letters"),
    ("queue-letter", ("5", "tab", "tab", "enter"), "refused"),
    ("queue-purge", ("5", "tab", "tab", "D"), "Cancel"),
    ("plugins", ("6",), "Plugins:"),
    ("config", ("7",), "version: 1"),
    ("config-problem", ("7", "end", "enter", "servic_name: shop"), "unknown key"),
    ("config-difference", ("7", "end", "enter", "environment: staging", "escape", ">"), "+environment"),
    ("diagnostics", ("8",), "Diag"),
    ("service", (":", "go to service", "enter"), "ervice"),
    ("uninstall", (":", "go to uninstall", "enter"), "stays "),
    ("setup", (":", "go to setup", "enter"), "etup"),
    ("settings", (":", "go to settings", "enter"), "Keys everywhere"),
    ("palette", (":",), "Command line"),
    ("help", ("5", "?"), "This pane"),
)

#: Paths of the machine that makes them, also cut ones.
_OWN: Final = re.compile(
    rf"{re.escape(str(ROOT))}|{tempfile.gettempdir()}/yaat-demo[^ /…]*|(?<!\w)/(?:work|root|tmp)(?=/)"
)

#: pyte's names of colours as colours.
_NAMED: Final = {
    "black": "000000", "red": "cd3131", "green": "0dbc79", "brown": "e5e510", "blue": "2472c8",
    "magenta": "bc3fbc", "cyan": "11a8cd", "white": "e5e5e5",
}  # fmt: skip
_GROUND: Final = "11181c"
_TEXT: Final = "d8e0e5"
_WIDE: Final = 8.4
_HIGH: Final = 18


def main() -> None:
    """Make them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="only shots whose name begins so: queue,config")
    parser.add_argument("--text", action="store_true", help="print each screen as well")
    given = parser.parse_args()
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="yaat-demo-") as folder:
        site = Site.made(Path(folder) / "shop")
        site.config.write_text(site.config.read_text().replace("sinks:\n", f"{_FIGURES}sinks:\n"))
        with site.agent.start():
            _fill(site)
            ended = threading.Event()
            writer = threading.Thread(target=_trickle, args=(site, ended), daemon=True)
            writer.start()
            time.sleep(20)  # curves with some minutes in them would be nicer, and take minutes
            for name, keys, text in SHOTS:
                if name.startswith(tuple(given.only.split(","))):
                    for size in (SMALL, LARGE) if name in _LARGE_TOO else (SMALL,):
                        _shot(site, name, keys, text, *size, print_it=given.text)
            ended.set()
            writer.join()


def _fill(site: Site) -> None:
    for number in range(40):
        site.write(
            *(f"{number} GET /cart/{n} 200 12ms" for n in range(50)), f"{number} bad request 漢字 \x1b[31m"
        )
        time.sleep(0.05)
    now = datetime.now(UTC)
    with open(site.folder / "figures.json", "w", encoding="utf-8") as file:
        for n in range(600):
            for host in ("web-1", "web-2"):
                figure = 50 + 30 * math.sin(n / 40 + len(host) * (host == "web-2"))
                at = (now - timedelta(seconds=3 * n)).isoformat()
                event = {
                    "timestamp": at,
                    "event_type": "metric",
                    "metric_name": "cpu.usage",
                    "metric_value": figure,
                }
                file.write(json.dumps({**event, "host": host}) + "\n")
    site.wait_account("picky", queued=0)


def _trickle(site: Site, ended: threading.Event) -> None:
    number = 0
    while not ended.wait(0.25):
        number += 1
        site.write(*(f"POST /pay {n} 201 {number % 90}ms" for n in range(20 + number % 40)))


def _shot(
    site: Site, name: str, keys: Sequence[str], text: str, columns: int, rows: int, *, print_it: bool
) -> None:
    with site.tui(columns=columns, rows=rows) as terminal:
        terminal.wait_for("healthy", "picky")
        for key in keys:
            if " " in key.strip():
                terminal.type(key)
            else:
                terminal.send(key)
            terminal.read(0.8)
        terminal.wait_for(text)
        terminal.read(1.5)
        file = OUT / f"{name}-{columns}x{rows}.svg"
        file.write_text(svg(terminal), encoding="utf-8")
        print(file.relative_to(ROOT))
        if print_it:
            print(terminal.text)


def svg(terminal: Terminal) -> str:
    """The screen as SVG, without paths of this machine: a rectangle or a text for each run of one style."""
    width, height = terminal.columns * _WIDE + 16, terminal.rows * _HIGH + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" font-size="14" '
        f'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace">',
        f'<rect width="100%" height="100%" rx="6" fill="#{_GROUND}"/>',
    ]
    for row in range(terminal.rows):
        for column, text, sign in _runs(terminal, row):
            shown = _OWN.sub("/srv", text)
            parts += _drawn(8 + column * _WIDE, 8 + row * _HIGH, shown, sign)
    return "\n".join([*parts, "</svg>", ""])


def _runs(terminal: Terminal, row: int) -> Iterator[tuple[int, str, Any]]:
    """Pieces of one style: where it begins, its text, one of its cells."""
    line = terminal.screen.buffer[row]
    start, text, style = 0, "", None
    for column in range(terminal.columns):
        cell = line[column]
        mine = cell._replace(data="")
        if style is not None and mine == style:
            text += cell.data
            continue
        if style is not None:
            yield start, text, style
        start, text, style = column, cell.data, mine
    if style is not None:
        yield start, text, style


def _drawn(x: float, y: float, text: str, cell: Any) -> Iterator[str]:
    front, back = _colour(cell.fg, _TEXT), _colour(cell.bg, _GROUND)
    if cell.reverse:
        front, back = back, front
    wide = cells(text) * _WIDE
    if back != _GROUND:
        yield f'<rect x="{x:.1f}" y="{y}" width="{wide:.1f}" height="{_HIGH}" fill="#{back}"/>'
    if text.strip():
        bold = ' font-weight="bold"' * cell.bold
        line = ' text-decoration="underline"' * cell.underscore
        shown = escape(text.rstrip())
        length = cells(text.rstrip()) * _WIDE
        yield (
            f'<text x="{x:.1f}" y="{y + 13}" fill="#{front}"{bold}{line} textLength="{length:.1f}" '
            f'lengthAdjust="spacingAndGlyphs" xml:space="preserve">{shown}</text>'
        )


def _colour(name: str, default: str) -> str:
    if name == "default":
        return default
    return _NAMED.get(name.removeprefix("bright"), name if len(name) == 6 else default)


if __name__ == "__main__":
    main()
