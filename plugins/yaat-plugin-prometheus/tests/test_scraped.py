"""A real Prometheus scrapes a real agent; what it has then is what the agent and the database say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import httpx
import psutil
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as strict
from support.agents import AgentProcess, wait_until
from support.probing import ask, health_port

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples" / "prometheus"
DASHBOARD = json.loads((EXAMPLES / "dashboard.json").read_text(encoding="utf-8"))
LINES = 500
CONFIG = """\
version: 1
state_dir: state
health: {listen: "127.0.0.1:0"}
sources:
  app: {type: file, paths: [app.log], start_at: beginning}
processors:
  - {type: filter, drop: "message LIKE '%boring%'"}
sinks:
  local: {type: duckdb}
  out: {type: stdout}
"""

pytestmark = pytest.mark.skipif(
    not shutil.which("prometheus") or not shutil.which("promtool"),
    reason="Prometheus is not installed (apt-get install prometheus)",
)


@attrs.frozen
class Scraping:
    """An agent and the Prometheus that scrapes it each second."""

    agent: AgentProcess
    client: httpx.Client
    log: Path

    def get(self, path: str, **query: str) -> Any:
        """An answer of its API."""
        answer = self.client.get(f"/api/v1/{path}", params=query)
        return answer.json() if answer.headers.get("content-type") == "application/json" else None

    def values(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """The series that a PromQL expression gives now."""
        answer = self.get("query", query=expression)
        if answer is None:
            return []
        assert answer["status"] == "success", f"{expression}: {answer}"
        return [(one["metric"], float(one["value"][1])) for one in answer["data"]["result"]]

    def wait_for(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Until it gives something."""
        wait_until(
            lambda: bool(self.values(expression)),
            seconds=120,
            what=f"no series of {expression}\n{self.log.read_text(errors='replace')[-2000:]}",
        )
        return self.values(expression)


def address_of(process: subprocess.Popen[bytes], log: Path) -> str:
    """Where this Prometheus answers: the system chose the port."""
    looked_at = psutil.Process(process.pid)

    def ports() -> list[int]:
        listening = [one for one in looked_at.net_connections("tcp") if one.status == psutil.CONN_LISTEN]
        return [one.laddr.port for one in listening]

    wait_until(lambda: bool(ports()), what=f"it listens nowhere\n{log.read_text(errors='replace')[-2000:]}")
    return f"http://127.0.0.1:{ports()[0]}"


@pytest.fixture(scope="module")
def scraping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraping]:
    folder = tmp_path_factory.mktemp("scraped")
    lines = [f"line {number}{' boring' if number % 10 == 0 else ''}\n" for number in range(LINES)]
    (folder / "app.log").write_text("".join(lines), encoding="utf-8")
    (folder / "yaat.yaml").write_text(CONFIG, encoding="utf-8")
    with AgentProcess(folder / "yaat.yaml").start() as agent:
        target = f"127.0.0.1:{health_port(agent)}"
        for name in ("prometheus.yml", "alerts.yml"):
            text = (EXAMPLES / name).read_text(encoding="utf-8")
            text = text.replace("127.0.0.1:9477", target).replace("_interval: 15s", "_interval: 1s")
            (folder / name).write_text(text, encoding="utf-8")
        log = folder / "prometheus.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    "prometheus",
                    "--config.file=prometheus.yml",
                    f"--storage.tsdb.path={folder / 'tsdb'}",
                    "--web.listen-address=127.0.0.1:0",
                ],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            with httpx.Client(base_url=address_of(process, log), timeout=60) as client:
                yield Scraping(agent, client, log)
        finally:
            process.kill()
            process.wait()


def test_prometheus_takes_the_page(scraping: Scraping) -> None:
    ((labels, up),) = scraping.wait_for('up{job="yaat"} == 1')
    assert up == 1
    ((_, samples),) = scraping.wait_for("scrape_samples_scraped")
    assert samples > 150
    (target,) = scraping.get("targets")["data"]["activeTargets"]
    assert target["lastError"] == ""
    assert target["labels"]["instance"] == labels["instance"]
    told = scraping.get("targets/metadata", metric="yaat_queue_bytes")["data"]
    assert [(one["type"], one["unit"]) for one in told] == [("gauge", "bytes")], (
        "units are told in OpenMetrics only"
    )


def test_its_numbers_are_those_of_the_database_and_of_diagnose(scraping: Scraping) -> None:
    boring = LINES // 10
    scraping.agent.wait_for(LINES - boring)
    stored = scraping.agent.query("SELECT count(*) AS n FROM events")[0]["n"]
    delivered = 'yaat_accounting_events{component="sinks.local",fate="delivered"}'
    scraping.wait_for(f"{delivered} == {stored}")
    scraping.wait_for(f"yaat_accounting_read_events_total == {LINES}")
    scraping.wait_for(f'yaat_accounting_dropped_events_total{{by=~"filter/.*"}} == {boring}')
    scraping.wait_for('yaat_events_delivered_total{component="sinks.out"} == ' + str(LINES - boring))
    accounting = scraping.agent.diagnose()["accounting"]
    for sink, account in accounting["by_sink"].items():
        told = scraping.values(f'sum(yaat_accounting_events{{component="sinks.{sink}"}})')
        assert [number for _, number in told] == [account["accepted"]]
    ((labels, _),) = scraping.values("yaat_build_info == 1")
    assert labels["version"] == scraping.agent.diagnose()["version"]


def expressions() -> list[str]:
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


@pytest.mark.parametrize("expression", expressions())
def test_each_expression_of_the_dashboard_gives_series(scraping: Scraping, expression: str) -> None:
    filled = expression.replace("$__rate_interval", "1m").replace("$instance", ".*")
    assert "$" not in filled
    scraping.wait_for(filled)


def test_the_variable_of_the_dashboard_has_values(scraping: Scraping) -> None:
    (variable,) = [one for one in DASHBOARD["templating"]["list"] if one["type"] == "query"]
    match = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["definition"])
    assert match
    scraping.wait_for(match[1])
    assert scraping.get(f"label/{match[2]}/values", **{"match[]": match[1]})["data"]


def test_rules_are_taken_and_none_fires_for_a_healthy_agent(scraping: Scraping) -> None:
    def evaluated() -> bool:
        (group,) = scraping.get("rules")["data"]["groups"]
        return all(rule["health"] != "unknown" for rule in group["rules"])

    scraping.wait_for("yaat_health_ok == 1")
    wait_until(evaluated, what="the rules are looked at")
    (group,) = scraping.get("rules")["data"]["groups"]
    assert [(rule["name"], rule["health"], rule.get("lastError")) for rule in group["rules"]] == [
        (rule["name"], "ok", None) for rule in group["rules"]
    ]
    assert all(rule["state"] != "firing" for rule in group["rules"])


def test_what_a_running_agent_serves_is_sound(scraping: Scraping) -> None:
    text = ask(scraping.agent, "/metrics").text
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    page = ask(scraping.agent, "/metrics", accept="application/openmetrics-text")
    assert page.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    families = {family.name: family for family in strict(page.text)}
    (left_out,) = families["yaat_metrics_left_out"].samples
    assert left_out.value == 0


@pytest.mark.parametrize("command", ["check config prometheus.yml", "check rules alerts.yml"])
def test_the_examples_are_valid(command: str) -> None:
    done = subprocess.run(
        ["promtool", *command.split()], cwd=EXAMPLES, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
