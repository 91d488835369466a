"""CPU time by state, of all and of each core."""

from __future__ import annotations

from typing import Any, Final

import psutil

from yaat_kit.points import Points
from yaat_kit.rates import clock
from yaat_plugin_hostmetrics.groups.group import Group

#: /proc/stat's states, and what OpenTelemetry calls them. Guest time is in `user` and `nice` already.
_STATES: Final = {
    "user": "user",
    "nice": "nice",
    "system": "system",
    "idle": "idle",
    "iowait": "iowait",
    "irq": "interrupt",
    "softirq": "interrupt",
    "steal": "steal",
}
_AT_REST: Final = ("idle", "iowait")


class Cpu(Group):
    """``/proc/stat`` (proc(5)). Shares are of the time that the kernel accounted, so they add up to 100."""

    name = "cpu"

    def collect(self, points: Points) -> None:
        """As `Group.collect`."""
        with self.host.psutil():
            now = clock()
            cores = psutil.cpu_times(percpu=True)
            counts = psutil.cpu_stats()
        whole = {state: sum(getattr(core, state) for core in cores) for state in _STATES}
        shares = self._shares("all", whole, now)
        if shares is not None:
            points.ours("cpu.usage_percent", _used(shares), "percent")
            for state, share in shares.items():
                points.ours(f"cpu.{state}_percent", share, "percent")
        points.ours("cpu.count", len(cores), "cores")
        points.otel("system.cpu.logical.count", len(cores), "{cpu}")
        self._cores(points, cores, now)
        for name, value in (("context_switches", counts.ctx_switches), ("interrupts", counts.interrupts)):
            points.ours(f"cpu.{name}_per_sec", self.rates.per_second(name, value, now), "per_sec")

    def _cores(self, points: Points, cores: list[Any], now: float) -> None:
        for number, core in enumerate(cores):
            times = {state: getattr(core, state) for state in _STATES}
            shares = self._shares(number, times, now)
            if self.config.per_core and shares is not None:
                points.ours("cpu.core.usage_percent", _used(shares), "percent", {"cpu": number})
            if points.with_otel:
                _otel(points, number, times, shares)

    def _shares(self, core: object, times: dict[str, float], now: float) -> dict[str, float] | None:
        """Percent by state since the last round."""
        grown = {state: self.rates.grown((core, state), value, now) for state, value in times.items()}
        # The kernel lets idle and iowait go back by a tick now and then: no time passed in them.
        passed = {state: grew[0] if grew else 0.0 for state, grew in grown.items()}
        total = sum(passed.values())
        return {state: 100 * value / total for state, value in passed.items()} if total > 0 else None


def _used(shares: dict[str, float]) -> float:
    return 100 - sum(shares[state] for state in _AT_REST)


def _otel(points: Points, number: int, times: dict[str, float], shares: dict[str, float] | None) -> None:
    for mode in dict.fromkeys(_STATES.values()):
        states = [state for state, named in _STATES.items() if named == mode]
        tags = {"cpu.logical_number": number, "cpu.mode": mode}
        points.otel("system.cpu.time", sum(times[state] for state in states), "s", tags)
        if shares is not None:
            points.otel("system.cpu.utilization", sum(shares[state] for state in states) / 100, "1", tags)
