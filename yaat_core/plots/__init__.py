"""Charts as lines of text with ANSI colours: the one place that knows plotext and sparklines (extra ``yaat-core[tui]``).

Pure functions of values and a size in cells. What they return is never wider or higher than asked, from 10 x 3 up; each
line ends with its colours reset. Times are seconds since the epoch and shown in UTC; a value of None (or NaN) is a gap.
They take milliseconds (a plotext line of 500 points about 5): draw outside of a render path, and keep what was drawn.
"""

from yaat_core.plots.axes import human as human
from yaat_core.plots.blocks import bars as bars
from yaat_core.plots.blocks import histogram as histogram
from yaat_core.plots.blocks import sparkline as sparkline
from yaat_core.plots.lines import area as area
from yaat_core.plots.lines import line as line
from yaat_core.plots.look import Look as Look
from yaat_core.plots.look import PlotsMissing as PlotsMissing
from yaat_core.plots.look import Series as Series

__all__ = ["Look", "PlotsMissing", "Series", "area", "bars", "histogram", "human", "line", "sparkline"]
