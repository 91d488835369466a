"""The dashboard is a dashboard: what Grafana needs is there, once, and nothing lies over something else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
DASHBOARD: dict[str, Any] = json.loads(
    (ROOT / "examples" / "prometheus" / "dashboard.json").read_text(encoding="utf-8")
)
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
#: Panels of Grafana itself, and units of its list, as far as they are used here.
TYPES = {"stat", "timeseries", "state-timeline"}
UNITS = {"short", "s", "bytes", "eps", "percentunit"}


def test_it_has_what_an_import_needs() -> None:
    assert DASHBOARD["title"]
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", DASHBOARD["uid"])
    assert DASHBOARD["schemaVersion"] >= 38
    assert "id" not in DASHBOARD, "Grafana gives it one"
    assert set(DASHBOARD["time"]) == {"from", "to"}


def test_every_panel_is_whole() -> None:
    for panel in PANELS:
        assert panel["type"] in TYPES, panel["title"]
        assert panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        references = [target["refId"] for target in panel["targets"]]
        assert references
        assert len(set(references)) == len(references), panel["title"]
        assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])
    numbers = [panel["id"] for panel in PANELS]
    assert len(set(numbers)) == len(numbers)
    titles = [panel["title"] for panel in PANELS]
    assert len(set(titles)) == len(titles)


def test_nothing_lies_over_something_else() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_expression_asks_for_the_chosen_agents() -> None:
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    assert variables == {"datasource", "instance"}
    for panel in PANELS:
        for target in panel["targets"]:
            assert 'instance=~"$instance"' in target["expr"], target["expr"]
            used = set(re.findall(r"\$(\w+)", target["expr"]))
            assert used <= {*variables, "__rate_interval"}


def test_the_page_of_the_documentation_names_every_metric_that_is_used() -> None:
    told = (ROOT / "docs" / "health-and-metrics.md").read_text(encoding="utf-8")
    alerts = (ROOT / "examples" / "prometheus" / "alerts.yml").read_text(encoding="utf-8")
    used = set(re.findall(r"\byaat_\w+", f"{alerts} {json.dumps(PANELS)}"))
    assert len(used) > 15
    missing = {name.removesuffix("_bucket") for name in used} - set(re.findall(r"`(yaat_\w+)`", told))
    assert not missing
