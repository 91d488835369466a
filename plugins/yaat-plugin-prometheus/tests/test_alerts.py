"""The alerts, by promtool's own tests of rules: each fires for what it is about, and none for an agent that is well."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ALERTS = Path(__file__).resolve().parents[3] / "examples" / "prometheus" / "alerts.yml"

pytestmark = pytest.mark.skipif(
    not shutil.which("promtool"), reason="promtool is not installed (apt-get install prometheus)"
)

#: What an agent that is well tells, for half an hour.
WELL = {
    'up{job="yaat", instance="a"}': "1x30",
    'yaat_health_ok{instance="a"}': "1x30",
    'yaat_component_up{component="sinks.out", instance="a"}': "1x30",
    'yaat_queue_oldest_seconds{instance="a"}': "0.5x30",
    'yaat_sink_queued_bytes{component="sinks.out", instance="a"}': "100x30",
    'yaat_sink_dropped_total{component="sinks.out", instance="a", reason="size"}': "3x30",
    'yaat_accounting_events{component="sinks.out", fate="lost", instance="a"}': "2x30",
    'yaat_events_dead_total{component="sinks.out", instance="a"}': "1x30",
}
GROWING_OLD = {
    'yaat_queue_oldest_seconds{instance="a"}': "1000+60x30",
    'yaat_sink_queued_bytes{component="sinks.out", instance="a"}': "100+1000x30",
}
TROUBLE = {
    "YaatGone": {'up{job="yaat", instance="a"}': "0x30"},
    "YaatUnhealthy": {'yaat_health_ok{instance="a"}': "0x30"},
    "YaatComponentDown": {'yaat_component_up{component="sinks.out", instance="a"}': "0x30"},
    "YaatQueueGrows": GROWING_OLD,
    "YaatEventsLost": {'yaat_accounting_events{component="sinks.out", fate="lost", instance="a"}': "0+1x30"},
    "YaatDeadLetters": {'yaat_events_dead_total{component="sinks.out", instance="a"}': "0+1x30"},
}


def firing(folder: Path, series: dict[str, str], alert: str) -> subprocess.CompletedProcess[str]:
    """Does the alert fire with these labels? Judged by promtool, whose complaint is in the output."""
    fires: list[dict[str, Any]] = [{"labels": '{instance="a"}', "value": 1}]
    test = {
        "rule_files": [str(ALERTS)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "promql_expr_test": [
                    {
                        "expr": f'count by (instance) (ALERTS{{alertname="{alert}", alertstate="firing"}})',
                        "eval_time": "29m",
                        "exp_samples": [] if series == WELL else fires,
                    }
                ],
            }
        ],
    }
    path = folder / "alerts.test.yml"
    path.write_text(json.dumps(test), encoding="utf-8")  # JSON is YAML
    return subprocess.run(
        ["promtool", "test", "rules", str(path)], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("alert", TROUBLE)
def test_it_fires_for_what_it_is_about_only(tmp_path: Path, alert: str) -> None:
    well = firing(tmp_path, WELL, alert)
    assert well.returncode == 0, well.stdout + well.stderr
    ill = firing(tmp_path, WELL | TROUBLE[alert], alert)
    assert ill.returncode == 0, ill.stdout + ill.stderr


def test_each_alert_is_tested() -> None:
    names = [line.partition("alert: ")[2] for line in ALERTS.read_text().splitlines() if "alert: " in line]
    assert names == list(TROUBLE)
