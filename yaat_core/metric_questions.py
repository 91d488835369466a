"""Questions about metrics, as SQL: which there are, their tags, their values over time and of now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import attrs

from yaat_core.tailing import quoted, rfc3339

#: How many values of a step become one: a word for people, and its SQL.
HOWS: Final[Mapping[str, str]] = {
    "average": "avg(metric_value)",
    "sum": "sum(metric_value)",
    "least": "min(metric_value)",
    "most": "max(metric_value)",
    "last": "arg_max(metric_value, timestamp)",
    "median": "median(metric_value)",
    "p95": "quantile_cont(metric_value, 0.95)",
    "count": "count(*)",
}
#: Columns that may be grouped by beside tags.
COLUMNS: Final = ("service_name", "environment")
#: Steps in seconds, and steps in a range at most.
_STEPS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_MOST_STEPS: Final = 180
#: Newest values that are looked at for names of tags; metrics, tags and groups that are listed.
_LOOKED_AT: Final = 5_000
_LISTED: Final = 2_000
_TAGS: Final = 200

NAMES: Final = (
    "SELECT metric_name, count(*) AS values, arg_max(metric_value, timestamp) AS last, max(timestamp) AS last_at "
    f"FROM metrics WHERE metric_name IS NOT NULL GROUP BY ALL ORDER BY metric_name LIMIT {_LISTED}"
)


@attrs.frozen(kw_only=True)
class Span:
    """So many seconds, up to ``end``; None: up to now."""

    seconds: int
    end: datetime | None = None

    @property
    def step(self) -> int:
        """Seconds of one step."""
        return next((one for one in _STEPS if self.seconds <= one * _MOST_STEPS), _STEPS[-1])

    def condition(self) -> str:
        """As SQL."""
        if self.end is None:
            return f"timestamp > now() - INTERVAL '{self.seconds} seconds'"
        begin = self.end - timedelta(seconds=self.seconds)
        return f"timestamp BETWEEN TIMESTAMPTZ '{rfc3339(begin)}' AND TIMESTAMPTZ '{rfc3339(self.end)}'"

    def zoomed(self, by: float) -> Span:
        """Shorter or longer, around its middle; up to now stays so. From ten seconds to a year."""
        seconds = max(10, min(round(self.seconds * by), 366 * 86400))
        end = self.end and self.end + timedelta(seconds=(seconds - self.seconds) / 2)
        return Span(seconds=seconds, end=end)

    def moved(self, by: float, now: datetime) -> Span:
        """By a share of itself, later or earlier; not beyond ``now``, where it follows again."""
        end = (self.end or now) + timedelta(seconds=self.seconds * by)
        return Span(seconds=self.seconds, end=None if end >= now else end)


@attrs.frozen(kw_only=True)
class Asked:
    """A metric over time. ``by``: a tag or one of `COLUMNS`; empty: all values together."""

    metric: str
    how: str = "average"
    by: str = ""
    span: Span = Span(seconds=3600)

    def series_sql(self, between: str = " ") -> str:
        """Time, the group where there is one, a value. ``between``: what separates its clauses."""
        step = f"time_bucket(INTERVAL '{self.span.step} seconds', timestamp) AS time"
        return (
            f"SELECT {step}, {self._group()}{HOWS[self.how]} AS {_name(self.how)}{between}"
            f"FROM metrics{between}WHERE {self._where()}{between}GROUP BY ALL ORDER BY time"
        )

    def now_sql(self) -> str:
        """A row for each group: its last value, and what its values were in the time."""
        return (
            f"SELECT {self._group()}arg_max(metric_value, timestamp) AS last, min(metric_value) AS least, "
            "avg(metric_value) AS average, max(metric_value) AS most, count(*) AS values, max(timestamp) AS last_at "
            f"FROM metrics WHERE {self._where()} GROUP BY ALL HAVING count(*) > 0 ORDER BY last DESC LIMIT {_TAGS}"
        )

    def _where(self) -> str:
        return f"metric_name = {quoted(self.metric)} AND {self.span.condition()}"

    def _group(self) -> str:
        if not self.by:
            return ""
        what = self.by if self.by in COLUMNS else f"tags[{quoted(self.by)}]"
        return f"coalesce({what}, '(none)') AS {_name(self.by)}, "


def tags_sql(metric: str) -> str:
    """Tags of a metric: name, how many different values, one of them."""
    newest = f"SELECT tags FROM metrics WHERE metric_name = {quoted(metric)} ORDER BY timestamp DESC LIMIT {_LOOKED_AT}"
    return (
        "SELECT tag.key AS name, count(DISTINCT tag.value) AS values, min(tag.value) AS example "
        f"FROM (SELECT unnest(map_entries(tags)) AS tag FROM ({newest})) GROUP BY name ORDER BY name LIMIT {_TAGS}"
    )


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
