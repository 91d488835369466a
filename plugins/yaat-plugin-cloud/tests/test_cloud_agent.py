"""The whole agent as a real process in front of a real server; the server's record and the lines that were written decide."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from support.agents import check_accounting, wait_until, yaat
from support.ingest_server import (
    KEY,
    Exchange,
    IngestServer,
    end,
    hang,
    obey,
    picky,
    reset_in_the_middle,
    served,
    status,
    taken_then,
)
from support.scenario import DUCKDB, Scenario, compare
from support.strace import needs_strace, tracer

QUICK = "retry: {initial: 20ms, max_delay: 200ms}, circuit_breaker: {reset_timeout: 50ms}"


def cloud_sink(server: IngestServer, more: str = "") -> str:
    """What stands between the braces of a sink."""
    return f"type: cloud, endpoint: '{server.url}', api_key: '${{env:CLOUD_KEY}}', {QUICK}{more}"


def scenario_of(folder: Path, server: IngestServer, *, local: bool = False, more: str = "") -> Scenario:
    """The sink is called `local` in the configuration when it is the only one."""
    sink = cloud_sink(server, more)
    scenario = Scenario(folder, f"{DUCKDB}}}\n  cloud: {{{sink}" if local else sink)
    scenario.environ["CLOUD_KEY"] = KEY
    return scenario


def dead_letters(scenario: Scenario) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Every letter: its first line, and its events."""
    found = []
    for file in sorted(scenario.state.glob("dead*/*/*.jsonl")):
        first, *rest = [json.loads(line) for line in file.read_text().splitlines()]
        found.append((first, rest))
    return found


def test_cloud_and_local_have_the_same_events(tmp_path: Path) -> None:
    with served() as server:
        scenario = scenario_of(tmp_path, server, local=True)
        scenario.write(2_000)
        done = scenario.once()
        assert done.returncode == 0, done.stderr
        compare(server.messages, scenario.written)
        stored = {str(event_id) for _, event_id in scenario.stored()}
        assert {event["event_id"] for event in server.events} == stored
        scenario.check()
    assert all(not request.wrong for request in server.requests)
    assert server.repeated == 0


def test_once_says_what_it_could_not_deliver_and_why(tmp_path: Path) -> None:
    server = IngestServer()
    with server:
        pass
    scenario = scenario_of(tmp_path, server)
    scenario.config.write_text(scenario.config.read_text() + "shutdown_grace: 1s\n")
    scenario.write(10)
    done = scenario.once()
    assert done.returncode == 1
    assert "10 events wait for sinks.local (the connection is refused)" in done.stderr


def test_cloud_only_stores_nothing_here(tmp_path: Path) -> None:
    with served() as server:
        scenario = scenario_of(
            tmp_path, server, more=", compression: zstd, ordered: true, max_batch_rows: 100"
        )
        scenario.write(1_000)
        done = scenario.once()
        assert done.returncode == 0, done.stderr
        assert server.messages == scenario.written, "in order"
    assert not list(scenario.state.glob("*.duckdb"))
    assert KEY not in done.stderr + done.stdout


@needs_strace
def test_local_only_tries_no_connection(tmp_path: Path) -> None:
    """Nor does it look up names. The same way of looking sees those of a `cloud` sink."""
    log = tmp_path / "calls"

    def outside() -> list[str]:
        return [line for line in log.read_text().splitlines() if "AF_INET" in line]

    with served() as server:
        scenario = Scenario(tmp_path)
        for reaches in (False, True):
            scenario.write(300)
            with scenario.agent(*tracer(log, "trace=connect,sendto,sendmsg,sendmmsg")).start() as agent:
                wait_until(lambda agent=agent: scenario.all_delivered(agent), what=agent.log())  # type: ignore[misc]
                assert agent.terminate() == 0
            assert bool(outside()) == reaches, outside()[:3]
            scenario.environ["CLOUD_KEY"] = KEY
            scenario.use(f"{DUCKDB}}}\n  cloud: {{{cloud_sink(server)}")


def test_an_outage_with_local_live_and_then_everything(tmp_path: Path) -> None:
    with served() as server:
        scenario = scenario_of(tmp_path, server, local=True, more=", max_batch_rows: 200")
        scenario.write(300)
        with scenario.agent().start() as agent:
            wait_until(lambda: len(server.messages) == 300, what="the first events arrive")
            server.stop()
            for _ in range(5):
                scenario.write(500)
            agent.wait_for(2_800)
            problem = scenario.wait_for_problem("refused", agent=agent)
            assert problem["component"] == "sinks.cloud"
            account = scenario.accounting()["by_sink"]
            assert account["local"]["delivered"] == 2_800
            assert account["cloud"]["queued"] == 2_500
            server.start()
            wait_until(lambda: len(server.messages) == 2_800, what=f"it catches up\n{agent.log()[-2000:]}")
            scenario.wait_until_well(agent)
            assert agent.terminate() == 0
            check_accounting(agent, 2_800)
    compare(server.messages, scenario.written)


def test_a_key_that_is_refused_holds_everything_until_it_is_mended(tmp_path: Path) -> None:
    with served() as server:
        scenario = scenario_of(tmp_path, server)
        scenario.environ["CLOUD_KEY"] = "the-wrong-one"
        scenario.write(300)
        checked = yaat("validate", "-c", str(scenario.config), **scenario.environ)
        assert checked.returncode == 1
        assert "authentication: " in checked.stdout + checked.stderr
        with scenario.agent().start() as agent:
            problem = scenario.wait_for_problem("paused", agent=agent)
            assert "401: no such key" in problem["what"]
            assert agent.terminate() == 0
            assert "the-wrong-one" not in agent.log()
        scenario.environ["CLOUD_KEY"] = KEY
        done = scenario.once()
        assert done.returncode == 0, done.stderr
        check_accounting(scenario.agent(), 300)
    assert dead_letters(scenario) == []
    compare(server.messages, scenario.written)


@pytest.mark.parametrize("fate", ["refused", "given up"])
def test_dead_letters_say_why_and_how_often(tmp_path: Path, fate: str) -> None:
    def is_bad(event: dict[str, Any]) -> bool:
        return event["message"].startswith(("line 5 ", "line 77 "))

    down = status(503, {"error": {"problem": "overloaded"}})
    with served(otherwise=picky(is_bad) if fate == "refused" else down) as server:
        scenario = scenario_of(tmp_path, server)
        text = scenario.config.read_text().replace("retry: {", "retry: {max_attempts: 3, ")
        scenario.config.write_text(text)
        scenario.write(100)
        done = scenario.once()
        assert done.returncode in (0, 1, 5), done.stderr
        [(head, events)] = dead_letters(scenario)
        account = scenario.accounting()["by_sink"]["local"]
    dead = {event["event"]["message"] for event in events}
    assert dead | set(server.messages) == set(scenario.written)
    assert account["dead"] == len(dead) == head["events"]
    assert account["delivered"] == len(server.messages) == 100 - len(dead)
    if fate == "refused":
        assert len(dead) == 2
        assert {event["reason"] for event in events} == {"refused by the server: message: is bad"}
        assert "422" in head["answer"]
    else:
        assert len(dead) == 100
        assert (head["attempts"], head["answer"]) == (3, "it answers 503: overloaded")


def test_dead_letters_are_delivered_again_with_their_ids(tmp_path: Path) -> None:
    """The server loses the answer to the first attempt and knows the second by its Batch-Id."""
    with served(otherwise=picky(lambda event: "7" in event["message"].split()[1], lenient=True)) as server:
        scenario = scenario_of(tmp_path, server)
        scenario.write(100)
        done = scenario.once()
        assert done.returncode in (0, 5), done.stderr
        [(_, events)] = dead_letters(scenario)
        assert len(events) == 19
        server.otherwise = obey
        server.script = [taken_then(end)]
        told = yaat("dead", "replay", "local", "-c", str(scenario.config), **scenario.environ)
        assert told.returncode == 0, told.stderr
        done = scenario.once()
        assert done.returncode == 0, done.stderr
        check_accounting(scenario.agent(), 100)
    compare(server.messages, scenario.written)
    assert server.repeated == 1
    assert dead_letters(scenario) == []
    again = {event["event_id"] for event in server.events[81:]}
    assert again == {event["event"]["event_id"] for event in events}


def kills(folder: Path, count: int, seed: int) -> None:
    """SIGKILL again and again while a server misbehaves and knows repetitions by Batch-Id alone."""
    noise = random.Random(seed)
    fates = [
        status(503),
        status(429),
        end,
        reset_in_the_middle,
        taken_then(end),
        taken_then(status(204)),
        hang,
    ]

    def behave(exchange: Exchange) -> None:
        (obey if noise.random() < 0.6 else noise.choice(fates))(exchange)

    with served(otherwise=behave) as server:
        more = ", max_batch_rows: 50, in_flight: 3, read_timeout: 500ms, write_timeout: 500ms, connect_timeout: 500ms"
        scenario = scenario_of(folder, server, more=more)
        for _ in range(count):
            scenario.write(300)
            before = len(server.requests)
            with scenario.agent().start() as agent:
                wanted = before + noise.randint(1, 12)
                wait_until(
                    lambda wanted=wanted, agent=agent: len(server.requests) >= wanted or not agent.running(),  # type: ignore[misc]
                    what="requests",
                )
                agent.kill()
        server.otherwise = obey
        with scenario.agent().start() as agent:
            wait_until(lambda: scenario.all_delivered(agent), seconds=120, what=agent.log()[-3000:])
            assert agent.terminate() == 0
            check_accounting(agent, len(scenario.written))
        twice = {text: n for text, n in Counter(server.messages).items() if n > 1}
        assert not twice, f"{len(twice)} events under two ids, such as {list(twice)[:3]}"
        compare(server.messages, scenario.written)
        assert not dead_letters(scenario)


def test_killed_a_few_times_each_event_arrives_once(tmp_path: Path) -> None:
    kills(tmp_path, 2, 1)


@pytest.mark.faults
@pytest.mark.parametrize("seed", [2, 3])
def test_killed_ten_times_each_event_arrives_once(tmp_path: Path, seed: int) -> None:
    kills(tmp_path, 10, seed)


@pytest.mark.faults
def test_another_cut_and_a_kill_at_once(tmp_path: Path) -> None:
    """What was on the way is repeated as it was, although the options cut otherwise by now."""
    with served(*[taken_then(hang)] * 3) as server:
        scenario = scenario_of(
            tmp_path, server, more=", max_batch_rows: 100, in_flight: 3, read_timeout: 60s"
        )
        scenario.write(1_000)
        with scenario.agent().start() as agent:
            wait_until(lambda: len(server.taken) == 3, what="three requests")
            agent.kill()
        taken = server.taken
    with served() as server:
        server.taken = taken
        scenario.use(cloud_sink(server, ", max_batch_rows: 33, compression: none"))
        done = scenario.once()
        assert done.returncode == 0, done.stderr
        assert server.repeated == 3
        compare(server.messages, scenario.written)
