"""What is fixed: this plugin has no component and no options. Where it is served is the core's `health.listen`."""

from __future__ import annotations

from typing import Final

from yaat_core import stats

#: Where the metrics are.
PATH: Final = "/metrics"
#: Series of one metric that are shown, a histogram as one: what the core keeps, and the one for what is beyond.
MAX_SERIES: Final = stats.MAX_SERIES + 1
#: Characters of a label's value that are shown.
MAX_VALUE: Final = 200
#: Units that a name may end with, as OpenMetrics wants them: base units.
UNITS: Final = ("seconds", "bytes", "ratio", "celsius", "volts", "amperes", "joules", "grams", "meters")
