"""Does speed hold and memory stay flat when there is more to do? Medians and ratios for 1, 10 and 100 times the lines."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

import report
from measure import Run

TIMES = (1, 10, 100)


@attrs.frozen(kw_only=True)
class Growth:
    """The runs of one contender by the number of lines: those of ``lines`` times each of `TIMES`, and of one line."""

    name: str
    lines: int
    runs: Mapping[int, Sequence[Run]]

    def rate(self, times: int) -> float | None:
        """Median lines a second, without what a file of one line takes; None when nothing is left of the time."""
        lines = self.lines * times
        seconds = self._seconds(lines) - self._seconds(1)
        return lines / seconds if seconds > 0 else None

    def speed_ratio(self, times: int) -> float | None:
        """The rate against that of the smallest volume."""
        smallest, this = self.rate(1), self.rate(times)
        return this / smallest if this and smallest else None

    def rss(self, times: int) -> float:
        """The highest resident memory of any round, MiB."""
        return max(run.max_rss_mib for run in self.runs[self.lines * times])

    def others(self, times: int) -> float:
        """How many cores other programs kept busy in the worst round."""
        return max(run.others for run in self.runs[self.lines * times])

    def _seconds(self, lines: int) -> float:
        return statistics.median(run.seconds for run in self.runs[lines])


def table(all_grown: Sequence[Growth]) -> str:
    """Ratios are against the smallest volume: 1.00 means as fast, and as much memory."""
    rows = [
        f"{'':14}{'volume':>7}{'lines':>12}{'speed ratio':>13}{'RSS ratio':>11}{'k lines/s':>11}{'RSS MiB':>9}{'others':>8}"
    ]
    for grown in all_grown:
        for times in TIMES:
            rate = grown.rate(times)
            rows.append(
                f"{grown.name:14}{times:>6}x{grown.lines * times:>12}{report.shown(grown.speed_ratio(times), 2):>13}"
                f"{grown.rss(times) / grown.rss(1):>11.2f}{report.shown(rate and rate / 1000, 0):>11}"
                f"{grown.rss(times):>9.0f}{grown.others(times):>8.2f}"
            )
    return "\n".join(rows)


def document(all_grown: Sequence[Growth], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that was measured, for later comparison."""
    return report.header("volumes", arguments) | {
        "results": [
            {
                "name": grown.name,
                "idle_runs": [attrs.asdict(run) for run in grown.runs[1]],
                "volumes": [
                    {
                        "times": times,
                        "lines": grown.lines * times,
                        "speed_ratio": grown.speed_ratio(times),
                        "rss_ratio": grown.rss(times) / grown.rss(1),
                        "lines_per_second": grown.rate(times),
                        "max_rss_mib": grown.rss(times),
                        "runs": [attrs.asdict(run) for run in grown.runs[grown.lines * times]],
                    }
                    for times in TIMES
                ],
            }
            for grown in all_grown
        ]
    }
