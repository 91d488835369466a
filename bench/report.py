"""Medians and ratios of the runs, as a table for people and as JSON."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs

from measure import Run


@attrs.frozen(kw_only=True)
class Result:
    """All rounds of one contender, and its runs on a single line."""

    name: str
    what: str
    lines: int
    runs: Sequence[Run]
    idle: Sequence[Run]

    @property
    def gross(self) -> float:
        """Median seconds from start to end."""
        return statistics.median(run.seconds for run in self.runs)

    @property
    def net(self) -> float | None:
        """Gross without what a single line takes, starting and stopping; None when nothing is left of it."""
        net = self.gross - statistics.median(run.seconds for run in self.idle)
        return net if net > 0 else None

    def net_ratio(self, ours: Result) -> float | None:
        """As `gross` over ours, for `net`."""
        return self.net / ours.net if self.net and ours.net else None

    @property
    def cpu_per_million(self) -> float:
        """CPU seconds for a million lines, start included."""
        return statistics.median(run.cpu_seconds for run in self.runs) / self.lines * 1e6


def table(results: Sequence[Result]) -> str:
    """Ratios are the first contender's speed over the other's: 2.00 means twice as fast."""
    ours = results[0]
    header = f"{'':14}{'ratio':>8}{'net ratio':>11}{'k lines/s':>11}{'net':>7}{'CPU s/M':>9}{'RSS MiB':>9}{'others':>8}"
    rows = [header]
    for result in results:
        rows.append(
            f"{result.name:14}{result.gross / ours.gross:>8.2f}{shown(result.net_ratio(ours), 2):>11}"
            f"{result.lines / result.gross / 1000:>11.0f}"
            f"{shown(result.net and result.lines / result.net / 1000, 0):>7}"
            f"{result.cpu_per_million:>9.1f}{max(run.max_rss_mib for run in result.runs):>9.0f}"
            f"{max(run.others for run in result.runs):>8.2f}"
        )
    rows += ["", *(f"{result.name:14}{result.what}" for result in results)]
    return "\n".join(rows)


def shown(figure: float | None, digits: int) -> str:
    """As text; a dash for none."""
    return "-" if figure is None else f"{figure:.{digits}f}"


def document(results: Sequence[Result], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that was measured, for later comparison."""
    ours = results[0]
    return header("files", arguments) | {
        "results": [
            {
                "name": result.name,
                "what": result.what,
                "ratio": result.gross / ours.gross,
                "net_ratio": result.net_ratio(ours),
                "cpu_seconds_per_million_lines": result.cpu_per_million,
                "runs": [attrs.asdict(run) for run in result.runs],
                "idle_runs": [attrs.asdict(run) for run in result.idle],
            }
            for result in results
        ],
    }


def header(benchmark: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What every document begins with."""
    return {
        "benchmark": benchmark,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "arguments": dict(arguments),
    }


def machine() -> dict[str, Any]:
    """Where it was measured."""
    return {
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def save(content: Mapping[str, Any], folder: Path) -> Path:
    """Write it under a name with the time; returns the path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{content['when'].replace(':', '').replace('+0000', 'Z')}.json"
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return path
