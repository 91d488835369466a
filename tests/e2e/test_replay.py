"""Dead letters delivered again by real agents, killed at every step of it: nothing lost, nothing counted twice."""

from __future__ import annotations

import json
import random
import shutil
import signal
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from support.agents import AgentProcess, wait_until
from support.refusing import refuse_bad
from support.scenario import BUSY_DUCKDB, Scenario

from yaat_core.cli.main import cli
from yaat_core.faults import VARIABLE

#: Writes down what it took and under which Batch-Id; refuses lines with `bad` for good until the file `mended` is there.
PICKY = '''
"""A server that keeps a list."""
import json, os
from yaat_core import Done, Partial, Register, Sink, configuration, hookimpl

@configuration
class PickyConfig:
    """Nothing to say."""

class PickySink(Sink):
    def __init__(self, config, context):
        self.folder = context.state_dir.parent

    async def deliver(self, batch, position):
        mended = (self.folder / "mended").exists()
        texts = batch.column("message").to_pylist()
        dead = [] if mended else [(row, "it is bad") for row, text in enumerate(texts) if "bad" in text]
        bad = {row for row, _ in dead}
        ids = [id.hex() for id in batch.column("event_id").to_pylist()]
        took = [[texts[row], ids[row]] for row in range(len(texts)) if row not in bad]
        with open(self.folder / "took.jsonl", "a") as file:
            file.write(json.dumps([position.batch_id, ids, took]) + "\\n")
            file.flush()
            os.fsync(file.fileno())
        return Partial(dead, attempts=3, answer="422 not that one") if dead else Done()

@hookimpl
def register_components(register: Register) -> None:
    register.sink("picky", PickyConfig, PickySink)
'''

REPLAY = ["replay.taken", "replay.moved", "replay.answered", "replay.counted"]
DATABASE = [
    "duckdb.commit.before",
    "duckdb.commit.after",
    "duckdb.checkpoint.before",
    "duckdb.checkpoint.after",
]


def call(scenario: Scenario, *arguments: str) -> Result:
    """A command, in this process: quicker, and it talks to the agent in the other one all the same."""
    return CliRunner().invoke(cli, [*arguments, "-c", str(scenario.config)], env=dict(scenario.environ))


def document(scenario: Scenario, *arguments: str) -> dict[str, Any]:
    done = call(scenario, *arguments, "--json")
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def with_letters(scenario: Scenario, letters: int = 2) -> int:
    """Deliver so many batches, each with bad lines; returns how many events are dead."""
    for _ in range(letters):
        scenario.write(36)
        scenario.write(4, "bad")
        done = scenario.once()
        assert done.returncode == 0, done.stderr
    assert account(scenario)["dead"] == 4 * letters
    assert len(letters_of(scenario)) >= letters
    return 4 * letters


def letters_of(scenario: Scenario) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = document(scenario, "dead", "list")["letters"]
    return found


def replay(scenario: Scenario, *arguments: str) -> dict[str, Any]:
    return document(scenario, "dead", "replay", *arguments)


def account(scenario: Scenario) -> dict[str, int]:
    accounting = document(scenario, "diagnose", "--offline")["accounting"]
    assert accounting["balanced"], accounting
    found: dict[str, int] = accounting["by_sink"]["local"]
    return found


def until_up(scenario: Scenario, agent: AgentProcess) -> None:
    wait_until(
        lambda: not agent.running() or bool(document(scenario, "diagnose", "--offline").get("running")),
        seconds=60,
        what=agent.log()[-2000:],
    )


def die_while_replaying(scenario: Scenario, point: str, time: int = 1) -> None:
    """Start an agent that dies there, and ask it for everything."""
    agent = scenario.agent(**{VARIABLE: f"{point}:kill@{time}"})
    with agent.start():
        until_up(scenario, agent)
        if agent.running():
            call(scenario, "dead", "replay", "--all")
        wait_until(lambda: not agent.running(), seconds=60, what=f"{point}\n{agent.log()[-2000:]}")
        assert agent.process is not None
        assert agent.process.returncode == -signal.SIGKILL, agent.log()[-2000:]


def duckdb_site(folder: Path, like: Scenario | None = None) -> Scenario:
    scenario = like.twin(folder, like.state) if like else Scenario(folder, BUSY_DUCKDB)
    scenario.environ = {}
    refuse_bad(scenario)
    return scenario


def picky_site(folder: Path, like: Scenario | None = None) -> Scenario:
    scenario = like.twin(folder, like.state) if like else Scenario(folder, "type: picky")
    scenario.environ = {}
    scenario.plugin("picky", PICKY)
    if like:
        shutil.copy(like.folder / "took.jsonl", folder)
    return scenario


@pytest.fixture(scope="module")
def refused_by_duckdb(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """Two letters of four events; nobody changes it."""
    scenario = duckdb_site(tmp_path_factory.mktemp("duckdb"))
    with_letters(scenario)
    return scenario


@pytest.fixture(scope="module")
def refused_by_server(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """Two letters of four events; nobody changes it."""
    scenario = picky_site(tmp_path_factory.mktemp("server"))
    with_letters(scenario)
    return scenario


def finish(scenario: Scenario) -> None:
    """What is dead yet is asked for, and everything delivered."""
    before = account(scenario)
    if before["dead"]:
        assert replay(scenario, "--all")["events"] == before["dead"]
    done = scenario.once()
    assert done.returncode == 0, done.stderr
    after = account(scenario)
    assert (after["delivered"], after["queued"], after["dead"]) == (len(scenario.written), 0, 0), after
    assert letters_of(scenario) == []


def test_without_an_agent_and_then_with_one(tmp_path: Path) -> None:
    scenario = duckdb_site(tmp_path)
    dead = with_letters(scenario)
    one, *_ = letters_of(scenario)
    told = replay(scenario, "--id", one["id"][:10])
    assert (told["letters"], told["events"], told["refused"]) == (1, 4, [])
    assert (account(scenario)["dead"], account(scenario)["queued"]) == (dead - 4, 4)
    assert [letter["state"] for letter in letters_of(scenario) if letter["id"] == one["id"]] == ["queued"]
    again = call(scenario, "dead", "replay", "--id", one["id"])
    assert again.exit_code == 2
    assert "waits to be delivered again" in again.stderr
    with scenario.agent().start() as agent:
        until_up(scenario, agent)
        assert replay(scenario, "local")["events"] == dead - 4
        wait_until(lambda: account(scenario)["delivered"] == len(scenario.written), seconds=60)
        scenario.write(1)
        agent.wait_for(len(scenario.written))
        assert agent.terminate() == 0
    scenario.check()
    assert letters_of(scenario) == []
    nothing = call(scenario, "dead", "replay", "local")
    assert (nothing.exit_code, nothing.stdout.strip()) == (0, "no dead letters")


@pytest.mark.parametrize(
    "point",
    [
        pytest.param(
            point, marks=() if point in ("replay.counted", "duckdb.commit.after") else pytest.mark.faults
        )
        for point in [*REPLAY, *DATABASE]
    ],
)
def test_into_a_database_killed_at_a_named_point(
    tmp_path: Path, refused_by_duckdb: Scenario, point: str
) -> None:
    """And once more, at the next letter, if one is left."""
    scenario = duckdb_site(tmp_path / "twin", refused_by_duckdb)
    die_while_replaying(scenario, point)
    if account(scenario)["dead"] or account(scenario)["queued"] > 4:
        die_while_replaying(scenario, "replay.counted")
    finish(scenario)
    scenario.check()


@pytest.mark.faults
def test_into_a_database_killed_at_random(tmp_path: Path) -> None:
    scenario = duckdb_site(tmp_path)
    with_letters(scenario, 8)
    rng = random.Random(6)
    for _ in range(6):
        with scenario.agent().start() as agent:
            until_up(scenario, agent)
            call(scenario, "dead", "replay", "--all")
            time.sleep(rng.expovariate(10))
            agent.kill()
        account(scenario)
    finish(scenario)
    scenario.check()


def took(scenario: Scenario) -> dict[str, str]:
    """What the server has, by event_id. What it got twice under one Batch-Id was the same."""
    found: dict[str, str] = {}
    batches: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for line in (scenario.folder / "took.jsonl").read_text().splitlines():
        batch_id, ids, rows = json.loads(line)
        batches[batch_id].add(tuple(ids))
        for text, id in rows:
            assert found.setdefault(id, text) == text
    assert all(len(contents) == 1 for contents in batches.values()), "a Batch-Id names two batches"
    return found


@pytest.mark.parametrize(
    "point",
    [
        pytest.param(point, marks=() if point == "replay.answered" else pytest.mark.faults)
        for point in [*REPLAY, "deadletter.move.before", "deadletter.move.after"]
    ],
)
def test_to_a_server_killed_at_a_named_point(tmp_path: Path, refused_by_server: Scenario, point: str) -> None:
    """At least once there, under the same Batch-Id and event_id; counted once here."""
    scenario = picky_site(tmp_path / "twin", refused_by_server)
    dead = 8
    die_while_replaying(scenario, point)
    middle = account(scenario)
    assert middle["dead"] + middle["queued"] == dead, "still refused"
    (scenario.folder / "mended").touch()
    die_while_replaying(scenario, "replay.answered")
    finish(scenario)
    assert sorted(took(scenario).values()) == sorted(scenario.written)


def test_a_letter_of_a_sink_that_is_not_configured_stays(tmp_path: Path, refused_by_server: Scenario) -> None:
    scenario = picky_site(tmp_path / "twin", refused_by_server)
    text = scenario.config.read_text()
    scenario.config.write_text(text.replace("  local:", "  other:"))
    for running in (False, True):
        agent = scenario.agent()
        with agent:
            if running:
                agent.start()
                until_up(scenario, agent)
            done = call(scenario, "dead", "replay", "--all", "--json")
        assert done.exit_code == 1
        refused = json.loads(done.stdout)["refused"]
        assert ["not in the configuration" in one["problem"] for one in refused] == [True, True]
    scenario.config.write_text(text)
    (scenario.folder / "mended").touch()
    finish(scenario)


def test_once_ends_although_a_letter_is_never_taken(tmp_path: Path) -> None:
    """What else there is is delivered; the exit code says that something waits."""
    scenario = picky_site(tmp_path)
    with_letters(scenario, 1)
    replay(scenario, "--all")
    sink = tmp_path / "plugins" / "picky.py"
    sink.write_text(
        PICKY.replace(
            "        mended =", "        if position.replay: return Retry('no')\n        mended ="
        ).replace("Partial, Register", "Partial, Register, Retry")
    )
    scenario.config.write_text(scenario.config.read_text() + "shutdown_grace: 2s\n")
    scenario.write(10)
    done = scenario.once()
    assert done.returncode == 5, done.stderr
    after = account(scenario)
    assert (after["delivered"], after["queued"]) == (len(scenario.written) - 4, 4)
