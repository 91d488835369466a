"""Error codes of what is drawn on the terminal, part of `yaat_core.codes`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TERMINAL: Final[Mapping[str, str]] = {
    "YAAT-E721": """\
A library that draws on the terminal is not installed.

Charts, the interactive mode of `yaat query` and the full-screen interface are an extra of the
core, so that an agent without a terminal stays small. Everything else works without it.

To mend it: pip install 'yaat-core[tui]', or install the package `yaat`, which brings it.""",
    "YAAT-E722": """\
The rows of this query can't be drawn as a chart.

A line chart needs a time in the first column and numbers in the others; with a text column, each
of its values becomes a line of its own. Bars need a text and one number.

To mend it: choose the columns in this order, e.g.

    SELECT time_bucket(INTERVAL '1 minute', timestamp) AS minute, count(*)
    FROM logs GROUP BY 1 ORDER BY 1""",
}
