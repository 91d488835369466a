"""What is watched of a real agent: one for all of these tests, and a writer that never stops."""

from __future__ import annotations

import itertools
import json
import shutil
import signal
import subprocess
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner
from support.agents import YAAT, AgentProcess, wait_until

from yaat_core.actions.agent import STATUS, Query
from yaat_core.actions.base import Nothing
from yaat_core.actions.live import HISTORY, LOG, LOG_LEVEL, TAP, LevelGiven, LogGiven, TapGiven
from yaat_core.actions.reloading import RELOAD
from yaat_core.cli.main import cli
from yaat_core.control.client import Client
from yaat_core.errors import AgentNotRunning, UsageError

CONFIG = """
version: 1
service_name: shop
state_dir: ./state
health: {{listen: "off"}}
sources:
  app: {{type: file, paths: ["{folder}/*.txt"], start_at: beginning, format: json}}
  other: {{type: file, paths: ["{folder}/*.other"], start_at: beginning, format: raw}}
processors:
  - {{type: filter, drop: "level = 'debug'"}}
  - type: scrub
    detectors: [secrets, email]
    rules: [{{name: order, pattern: "order-[0-9]+", fields: [tags.order]}}]
    masks: [{{name: user, fields: [tags.user], action: remove}}]
sinks:
  local: {{type: duckdb, path: events.duckdb}}
  out: {{type: stdout}}
"""
#: By what takes each out: a detector, a rule for one tag, a mask of a tag, and (in an escaped form) nothing but silence.
CANARIES = ("hunter22xyz", "order-4711", "bobolink", "quetzal")
POINTS = ("app", "processors.json", "filter", "processors.scrub", "queue", "sinks.local", "out")


def line(number: int, level: str = "info", **more: str) -> str:
    return json.dumps({"level": level, "message": f"line {number}", **more}) + "\n"


LINES = (
    line(1, password="hunter22xyz", order="order-4711", user="bobolink")
    + line(2, level="debug", user="bobolink", password="hunter22xyz")
    + '{"level": "info", "message": "line 3", "user": "\\u0071uetzal"}\n'
    + "no json at all: password=hunter22xyz\n"
    + line(4, "error", n="7")
    + line(5, "error", n="8")
)


@attrs.frozen
class Rig:
    """An agent, its client, and its folder."""

    agent: AgentProcess
    client: Client
    folder: Path

    def status(self) -> Any:
        return self.client.call(STATUS, Nothing())

    def count(self, where: str) -> int:
        with self.client.query(Query(sql=f"SELECT count(*) AS n FROM events WHERE {where}")) as answer:
            return sum(sum(batch.column(0).to_pylist()) for batch in answer)

    def tapped(self, count: int, **given: Any) -> list[Any]:
        """So many events of a tap."""
        events: list[Any] = []
        with self.client.follow(TAP, TapGiven(**given)) as stream:
            for batch in stream:
                assert batch.seen == batch.shown + batch.filtered + batch.hidden + batch.skipped
                events += batch.events
                if len(events) >= count:
                    return events
        raise AssertionError

    def yaat(self, *arguments: str) -> Any:
        return CliRunner().invoke(cli, [*arguments, "-c", str(self.agent.config)])


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    folder = Path(tempfile.mkdtemp(prefix="yaat-"))
    (folder / "yaat.yaml").write_text(CONFIG.format(folder=folder))
    stop = threading.Event()

    def write() -> None:
        with open(folder / "app.txt", "a", buffering=1) as file:
            while not stop.wait(0.1):
                file.write(LINES)

    writer = threading.Thread(target=write)
    with AgentProcess(folder / "yaat.yaml").start() as agent, Client(folder / "state") as client:
        rig = Rig(agent, client, folder)
        writer.start()
        try:
            wait_until(lambda: _answers(rig), what=f"the agent delivers {agent.log()}")
            yield rig
        finally:
            stop.set()
            writer.join()
            assert agent.terminate() == 0
    shutil.rmtree(folder)


def _answers(rig: Rig) -> bool:
    try:
        return rig.status().accounting.by_sink["local"].delivered > 0
    except AgentNotRunning:
        return False


@pytest.mark.parametrize("point", POINTS)
def test_no_tap_shows_what_the_redaction_takes_out(rig: Rig, point: str) -> None:
    events = rig.tapped(30, at=point)
    for event in events:
        assert not any(canary in str(event) for canary in CANARIES), event
    messages = [str(event["message"]) for event in events]
    assert any("line 1" in message for message in messages)
    assert any("line 3" in message for message in messages) == (point != "app")
    assert any("not shown" in message for message in messages) == (point in ("app", "processors.json"))
    if point == "app":
        raw = next(message for message in messages if "line 1" in message)
        assert json.loads(raw)["order"] == "[order]", "the line as the source sent it, less what was redacted"


def test_a_tap_is_filtered_by_an_expression_over_what_it_shows(rig: Rig) -> None:
    events = rig.tapped(3, at="queue", filter="level = 'error' AND tags['n'] = '7'")
    assert {event["message"] for event in events} == {"line 4"}
    events = rig.tapped(3, at="sources.app", filter="message LIKE '%[order]%'")
    assert all("line 1" in event["message"] for event in events)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"at": "nothing"}, "there is no `nothing` to look at"),
        ({"at": "sources.ap"}, "did you mean `sources.app`"),
        ({"filter": "levl = 1"}, "did you mean `level`"),
        ({"filter": "(SELECT 1) = 1"}, "can't be used here"),
        ({"filter": "message"}, "not true or false"),
        ({"filter": ""}, "it is empty"),
    ],
)
def test_a_tap_that_can_not_be_says_why(rig: Rig, given: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError) as wrong:
        rig.tapped(1, **given)
    assert says in f"{wrong.value.what} {wrong.value.fix}"


def test_who_does_not_read_gets_the_newest_and_the_count_of_the_rest(rig: Rig) -> None:
    with rig.client.follow(TAP, TapGiven(at="other", per_second=10_000)) as stream:
        next(stream)
        for number in range(3):
            with open(rig.folder / f"{number}.other", "w") as file:
                file.writelines(f"{number} {n} {'x' * 200}\n" for n in range(20_000))
        wait_until(lambda: rig.count("message LIKE '_ %'") == 60_000, what="the pipeline goes on")
        seen = shown = 0
        for batch in stream:
            seen, shown = seen + batch.seen, shown + batch.shown
            if seen == 60_000:
                break
    assert 0 < shown < 60_000
    assert batch.events


def test_logs_begin_with_the_last_lines_and_go_on_without_gap_or_repeat(rig: Rig) -> None:
    stop, written = threading.Event(), 0

    def write() -> None:
        nonlocal written
        with open(rig.folder / "count.txt", "a", buffering=1) as file:
            while not stop.wait(0.002):
                file.write(line(written, service="counting"))
                written += 1

    def seen() -> Counter[str]:
        return Counter(json.loads(one)["message"] for one in list(lines))

    command = ("logs", "--json", "-n", "100000", "--rate", "10000", "--service", "counting")
    lines: list[str] = []
    writer = threading.Thread(target=write)
    writer.start()
    process = subprocess.Popen(
        [*YAAT, *command, "-c", str(rig.agent.config)],
        stdout=subprocess.PIPE,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    reader = threading.Thread(target=lambda: lines.extend(process.stdout or ()))
    try:
        wait_until(lambda: written > 500, what="some lines")
        reader.start()
        begun = written
        wait_until(lambda: len(lines) > begun + 500, what="they are followed")
    finally:
        stop.set()
        writer.join()
        wait_until(lambda: len(lines) >= written, what=f"all of {written} lines, there are {len(lines)}")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        reader.join()
    assert seen() == Counter(f"line {n}" for n in range(written))


def test_logs_choose(rig: Rig) -> None:
    with open(rig.folder / "choose.txt", "w") as file:
        for number, level in enumerate(("info", "warning", "error") * 3):
            file.write(line(number, level, service="cart"))
    wait_until(lambda: rig.count("service_name = 'cart'") == 9, what="nine lines")

    def messages(*arguments: str) -> list[str]:
        done = rig.yaat("logs", "--no-follow", "--json", "--service", "cart", *arguments)
        assert done.exit_code == 0, done.stderr
        return [json.loads(one)["message"] for one in done.stdout.splitlines()]

    assert sorted(messages()) == [f"line {n}" for n in range(9)]
    assert len(messages("-n", "2")) == 2
    assert sorted(messages("--level", "warning")) == [f"line {n}" for n in (1, 2, 4, 5, 7, 8)]
    assert sorted(messages("--grep", "LINE [34]$")) == ["line 3", "line 4"]
    assert messages("--grep", "it's") == []
    assert len(messages("--since", "1h")) == 9
    assert messages("--since", "2099-01-01") == []
    human = rig.yaat(
        "logs", "--no-follow", "--service", "cart", "--grep", "line 8", "--color", "always"
    ).stdout
    assert "\x1b[31mERROR   \x1b[0m cart: line 8" in human
    assert "neither a duration nor a time" in rig.yaat("logs", "--since", "yesterday").stderr


def test_rates_and_history_count_what_flows(rig: Rig) -> None:
    names = (
        "sources.app",
        "processors.json",
        "processors.filter",
        "processors.scrub",
        "sinks.local",
        "sinks.out",
    )

    def flows() -> bool:
        rates = {one.component: one for one in rig.status().rates}
        return all(rates[name].out > 0 for name in names)

    wait_until(flows, what="rates")
    rates = {one.component: one for one in rig.status().rates}
    assert [name for name in rates if name in names] == list(names)
    assert rates["processors.filter"].in_ > rates["processors.filter"].out
    assert rates["sources.app"].bytes > 0
    assert rates["sources.app"].last_event_seconds is not None
    history = rig.client.call(HISTORY, Nothing())
    assert max(history.in_) > 0
    assert max(history.out) > 0
    assert len({len(values) for values in attrs.astuple(history)}) == 1


def test_the_agents_log_says_more_for_a_time(rig: Rig) -> None:
    with rig.client.follow(LOG, LogGiven(lines=1_000)) as stream:
        next(stream)
        now = rig.client.call(LOG_LEVEL, LevelGiven(level="debug", seconds=0.2))
        assert (now.level, now.usual) == ("debug", "info")
        said = _until(stream, "back to its usual level")
    assert any("says debug and worse" in one for one in said)
    assert rig.client.call(LOG_LEVEL, LevelGiven()).until is None


def test_a_tap_that_goes_on_through_a_reload_obeys_the_new_redaction(rig: Rig) -> None:
    """The last of these tests: the configuration is another one afterwards."""
    text = rig.agent.config.read_text()
    four = '{name: four, pattern: "line 4", replacement: "line [four]"}, '
    with rig.client.follow(TAP, TapGiven(at="app", per_second=1_000)) as stream:
        shown: list[str] = []
        changed = False
        for batch in stream:
            shown += [str(event["message"]) for event in batch.events]
            if not changed and any('"line 4"' in message for message in shown):
                rig.agent.config.write_text(text.replace("rules: [", f"rules: [{four}"))
                rig.client.call(RELOAD, Nothing())
                changed = True
            if any("[four]" in message for message in shown):
                break
        first = next(number for number, message in enumerate(shown) if "[four]" in message)
        for batch in itertools.islice(stream, 5):
            shown += [str(event["message"]) for event in batch.events]
    assert not any('"line 4"' in message for message in shown[first:])


def _until(stream: Iterator[Any], text: str) -> Sequence[str]:
    said: list[str] = []
    for told in stream:
        said += [one.message for one in told.lines]
        if any(text in one for one in said):
            break
    return said
