"""Metrics of real containers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
import trio
from support.dockerd import RealEngine, fresh_name

from yaat_core.config.options import Duration
from yaat_core.event import Event
from yaat_core.testing import RecordingOutlet, make_context
from yaat_kit.choosing import Choice, Chosen
from yaat_kit.points import Points
from yaat_kit.rates import Rates
from yaat_plugin_docker.config import DockerMetricsConfig
from yaat_plugin_docker.metrics import DockerMetricsSource
from yaat_plugin_docker.stats import Measured


async def test_a_busy_container_and_an_idle_one(engine: RealEngine, tmp_path: Path) -> None:
    purpose = fresh_name("metrics")
    await trio.to_thread.run_sync(engine.run, f"{purpose}-busy", "while :; do :; done")
    await trio.to_thread.run_sync(
        lambda: engine.run(f"{purpose}-idle", "sleep 1000", "--label", "com.docker.compose.service=lazy")
    )
    context = make_context(tmp_path, "sources.metrics", once=True)
    config = DockerMetricsConfig(host=engine.host, names="both", containers=Choice(include=(f"{purpose}*",)))
    source, outlet = DockerMetricsSource(config, context), RecordingOutlet()
    with trio.fail_after(60):
        await source.run(outlet)
    await trio.to_thread.run_sync(engine.remove, f"{purpose}-busy")
    if any("measures nothing" in finding.problem for finding in source.problems()):
        pytest.skip("this engine measures nothing on this machine")
    events = outlet.events()
    busy = {
        str(event.metric_name): event for event in events if event.tags["container.name"].endswith("busy")
    }
    idle = {
        str(event.metric_name): event for event in events if event.tags["container.name"].endswith("idle")
    }
    assert value(busy, "container.cpu.usage_percent") > value(idle, "container.cpu.usage_percent")
    assert 0 <= value(idle, "container.cpu.usage_percent") < 50
    assert value(busy, "container.cpu.usage") * 100 == pytest.approx(
        value(busy, "container.cpu.usage_percent")
    )
    for one in (busy, idle):
        assert value(one, "container.memory.used_bytes") > 0
        assert value(one, "container.pids") >= 1
        assert value(one, "container.restarts") == 0
        assert value(one, "container.uptime_seconds") > 0
        assert all(event.tags["unit"] for event in one.values())
    assert {event.service_name for event in idle.values()} == {"lazy"}


def value(events: Mapping[str, Event], name: str) -> float:
    found = events[name].metric_value
    assert found is not None
    return found


def document(cpu: int, *, read: int = 0) -> dict[str, Any]:
    """As Docker measures on a host with version 1 control groups."""
    return {
        "read": "2026-01-01T00:00:00.5Z",
        "cpu_stats": {
            "cpu_usage": {"total_usage": cpu, "usage_in_usermode": cpu, "usage_in_kernelmode": 0},
            "throttling_data": {"throttled_time": 0},
        },
        "memory_stats": {"usage": 1000, "limit": 4000, "stats": {"total_inactive_file": 200}},
        "networks": {"eth0": {"rx_bytes": 10 * read, "tx_bytes": 0}},
        "blkio_stats": {
            "io_service_bytes_recursive": [
                {"major": 8, "minor": 0, "op": "Read", "value": read},
                {"major": 8, "minor": 0, "op": "Total", "value": 2 * read},
            ],
            "io_serviced_recursive": None,
        },
        "pids_stats": {"current": 3},
    }


def measure(rates: Rates, one: Any, key: tuple[object, ...], now: float) -> dict[str, float]:
    points = Points(Chosen(Choice()), "yaat", "container.")
    rates.begin()
    Measured(one, key, now, {}).add_to(points, rates)
    batch = points.batch()
    names, values = batch.column("metric_name"), batch.column("metric_value")
    assert not pc.any(pc.is_nan(values)).as_py()
    return dict(zip(names.to_pylist(), values.to_pylist(), strict=True))


def test_rates_over_the_time_that_passed_and_a_new_start() -> None:
    rates = Rates()
    first = measure(rates, document(10**9), ("a", 1), 100.0)
    assert "container.cpu.usage_percent" not in first
    assert first["container.memory.used_bytes"] == 800
    assert first["container.memory.usage_percent"] == 20
    second = measure(rates, document(5 * 10**9, read=800), ("a", 1), 108.0)
    assert second["container.cpu.usage_percent"] == 50
    assert second["container.disk.read_bytes_per_sec"] == 100
    assert second["container.network.rx_bytes_per_sec"] == 1000
    started_again = measure(rates, document(9 * 10**9), ("a", 2), 110.0)
    assert "container.cpu.usage_percent" not in started_again
    assert measure(rates, document(10 * 10**9), ("a", 2), 111.0)["container.cpu.usage_percent"] == 100


_READ = {"read": "2026-01-01T00:00:00Z"}
_NEVER = {"read": "0001-01-01T00:00:00Z", "pids_stats": {"current": 0}, "memory_stats": {"usage": 0}}


@pytest.mark.parametrize(
    "one",
    [None, [], {}, {**_READ, "networks": 5, "cpu_stats": []}, {**_READ, "networks": {"e": None}}, _NEVER],
)
def test_what_an_engine_does_not_measure_is_left_out(one: Any) -> None:
    assert not measure(Rates(), one, ("a", 1), 1.0)


async def test_an_engine_that_is_not_there_is_told(tmp_path: Path) -> None:
    context = make_context(tmp_path, "sources.metrics")
    config = DockerMetricsConfig(host=f"unix://{tmp_path}/docker.sock", interval=Duration(0.05))
    source, outlet = DockerMetricsSource(config, context), RecordingOutlet()
    with trio.move_on_after(0.3):
        await source.run(outlet)
    [finding] = source.problems()
    assert "there is no engine's socket" in finding.problem
    assert not outlet.rows
