"""What the health port says of real agents in trouble, and that it says so no more when the trouble is over."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.agents import wait_until
from support.probing import MoodyAgent, ask, health_port, moody_agent, wait_for_health


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[MoodyAgent]:
    with moody_agent(tmp_path) as made:
        yield made


def problem(agent: MoodyAgent, component: str, text: str) -> dict[str, str]:
    """The one problem of a component that makes it unhealthy."""
    answer = wait_for_health(agent, 503, text)
    assert answer.headers["content-type"] == "application/json"
    document = answer.json()
    assert document["ok"] is False
    (found,) = [one for one in document["problems"] if text in one["what"]]
    assert (found["component"], found["level"]) == (component, "error")
    assert found["since"]
    assert found["advice"]
    assert isinstance(found, dict)
    return found


def test_delivery_fails(agent: MoodyAgent) -> None:
    agent.start()
    wait_for_health(agent, 200)
    agent.moods(sink="retry")
    problem(agent, "sinks.out", "delivery fails: the file says so")
    assert ask(agent, "/readyz").status_code == 200, "events are taken all the same"
    agent.moods()
    assert wait_for_health(agent, 200).json() == {"ok": True, "problems": []}


def test_a_component_is_down(agent: MoodyAgent) -> None:
    agent.start()
    wait_for_health(agent, 200)
    agent.moods(source="raise")
    problem(agent, "sources.talk", "the file says so")
    agent.moods()
    wait_for_health(agent, 200)
    agent.moods(sink="raise")
    problem(agent, "sinks.out", "the file says so")
    agent.moods()
    wait_for_health(agent, 200)


@pytest.mark.parametrize(
    ("limits", "max_bytes", "told"),
    [
        (", max_queue_events: 3", "1GiB", "max_queue_events (3)"),
        (", max_queue_age: 500ms", "1GiB", "max_queue_age (500ms)"),
        (", max_queue_share: 0.1", "16KiB", "of 16KiB (health.max_queue_share is 0.1)"),
    ],
    ids=["events", "age", "share"],
)
def test_what_waits_passes_a_limit(tmp_path: Path, limits: str, max_bytes: str, told: str) -> None:
    with moody_agent(tmp_path, limits=limits, max_bytes=max_bytes) as agent:
        agent.moods(sink="hang")
        agent.start()
        problem(agent, "sinks.out", told)
        agent.moods(source="silent")
        wait_for_health(agent, 200)


def test_an_agent_that_drains_is_not_ready(agent: MoodyAgent) -> None:
    agent.start()
    wait_until(lambda: ask(agent, "/readyz").status_code == 200, what=agent.log()[-2000:])
    agent.moods(sink="hang")
    port = health_port(agent)
    wait_until(lambda: agent.try_diagnose().get("queue", {}).get("events", 0) > 0, what="something waits")
    assert agent.process is not None
    agent.process.send_signal(signal.SIGTERM)
    wait_until(lambda: ask(agent, "/readyz").status_code == 503, what=agent.log()[-2000:])
    assert ask(agent, "/readyz").json() == {"ready": False, "state": "draining"}
    assert health_port(agent) == port
    agent.moods()
    assert agent.process.wait(60) == 0


def test_a_path_that_is_not_there_names_those_that_are(agent: MoodyAgent) -> None:
    agent.start()
    answer = ask(agent, "/nowhere")
    assert answer.status_code == 404
    assert "/healthz, /metrics, /readyz" in answer.text


def test_without_the_plugin_there_are_no_metrics(agent: MoodyAgent) -> None:
    with agent.config.open("a") as config:
        config.write("plugins: {disable: [yaat-plugin-prometheus]}\n")
    agent.start()
    answer = ask(agent, "/metrics")
    assert answer.status_code == 404
    assert "yaat-plugin-prometheus" in answer.text
    assert ask(agent, "/healthz").status_code == 200
