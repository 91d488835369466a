"""What is watched of a real agent, through the commands that people use."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.agents import YAAT, AgentProcess, wait_until, yaat, yaat_json

CONFIG = """
version: 1
service_name: shop
health: {{listen: "off"}}
sources:
  app: {{type: file, paths: ["{folder}/*.txt"], start_at: beginning, format: json}}
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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "yaat.yaml").write_text(CONFIG.format(folder=tmp_path))
    return tmp_path


@pytest.fixture
def agent(folder: Path) -> Iterator[AgentProcess]:
    with AgentProcess(folder / "yaat.yaml").start() as agent:
        wait_until(lambda: yaat("status", "-c", str(agent.config)).returncode == 0, what="the agent starts")
        yield agent


def line(number: int, level: str = "info", **more: str) -> str:
    return json.dumps({"level": level, "message": f"line {number}", **more}) + "\n"


class Following:
    """A command that goes on; its lines so far."""

    def __init__(self, agent: AgentProcess, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [*YAAT, *arguments, "-c", str(agent.config)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self.errors: list[str] = []
        self._threads = [
            threading.Thread(target=self._read, args=(self.process.stdout, self.lines)),
            threading.Thread(target=self._read, args=(self.process.stderr, self.errors)),
        ]
        for thread in self._threads:
            thread.start()

    def _read(self, stream: object, into: list[str]) -> None:
        for text in stream:  # type: ignore[attr-defined]
            into.append(text)

    def wait_for(self, count: int) -> list[str]:
        wait_until(lambda: len(self.lines) >= count, what=f"{count} lines, has {self.lines} {self.errors}")
        return self.lines

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(60)
        for thread in self._threads:
            thread.join(60)
        return code


def fed(folder: Path, follow: Following, text: str, count: int) -> list[str]:
    """Write the lines again and again (a tap shows what passes after it began) until enough is shown."""

    def enough() -> bool:
        with open(folder / "app.txt", "a") as file:
            file.write(text)
        return len(follow.lines) >= count

    wait_until(enough, what=f"{count} lines: {follow.lines} {follow.errors}")
    return list(follow.lines)


@pytest.mark.parametrize(
    "point", ["app", "processors.json", "filter", "processors.scrub", "queue", "sinks.local", "out"]
)
def test_no_tap_shows_what_the_redaction_takes_out(agent: AgentProcess, folder: Path, point: str) -> None:
    text = (
        line(1, password="hunter22xyz", order="order-4711", user="bobolink")
        + line(2, level="debug", user="bobolink", password="hunter22xyz")
        + '{"level": "info", "message": "line 3", "user": "\\u0071uetzal"}\n'
        + "no json at all: password=hunter22xyz\n"
    )
    follow = Following(agent, "tap", point, "--json")
    shown = fed(folder, follow, text, 40)
    follow.end()
    events = [json.loads(one) for one in shown]
    for canary in CANARIES:
        assert canary not in "".join(shown), next(one for one in shown if canary in one)
    assert any("line 1" in str(one["message"]) for one in events)
    assert not any("quetzal" in str(one) for one in events)
    if point == "app":
        raw = next(one["message"] for one in events if "line 1" in str(one["message"]))
        assert json.loads(raw)["order"] == "[order]", "the line as the source sent it, less what was redacted"
        assert any("not shown" in str(one["message"]) for one in events), "dropped before the redaction"


def test_a_tap_is_filtered_limited_and_says_what_is_wrong(agent: AgentProcess, folder: Path) -> None:
    follow = Following(agent, "tap", "--filter", "level = 'error' AND tags['n'] = '7'", "--limit", "3")
    text = "".join(line(n, level, n=str(n)) for n in range(9) for level in ("info", "error"))
    shown = fed(folder, follow, text, 3)
    assert follow.process.wait(60) == 0
    assert all(one.endswith("ERROR    shop: line 7\n") for one in shown)
    for arguments, says in (
        (("nothing",), "there is no 'nothing' to look at"),
        (("sources.ap",), "did you mean sources.app?"),
        (("--filter", "levl = 1"), "did you mean `level`?"),
        (("--filter", "(SELECT 1) = 1"), "can't be used here"),
    ):
        done = yaat("tap", *arguments, "-c", str(agent.config))
        assert (done.returncode, done.stdout) == (2, "")
        assert says in done.stderr


def test_logs_begin_with_the_last_lines_and_go_on_without_gap_or_repeat(
    agent: AgentProcess, folder: Path
) -> None:
    stop = threading.Event()
    written: list[int] = []

    def write() -> None:
        with open(folder / "app.txt", "a", buffering=1) as file:
            while not stop.wait(0.002):
                file.write(line(len(written)))
                written.append(len(written))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        wait_until(lambda: len(written) > 500, what="some lines")
        follow = Following(agent, "logs", "--json", "-n", "100000", "--rate", "10000")
        begun = len(written)
        follow.wait_for(begun + 500)
    finally:
        stop.set()
        writer.join()
    follow.wait_for(len(written))
    assert follow.end() == 130
    seen = Counter(json.loads(one)["message"] for one in follow.lines)
    assert seen == Counter(f"line {n}" for n in written), follow.errors


def test_logs_choose(agent: AgentProcess, folder: Path) -> None:
    with open(folder / "app.txt", "a") as file:
        for number, level in enumerate(("info", "warning", "error") * 3):
            file.write(line(number, level, service="cart" if number % 2 else "shop"))
    agent.wait_for(9)
    config = str(agent.config)

    def messages(*arguments: str) -> list[str]:
        done = yaat("logs", "--no-follow", "--json", "-c", config, *arguments)
        assert done.returncode == 0, done.stderr
        return [json.loads(one)["message"] for one in done.stdout.splitlines()]

    assert messages() == [f"line {n}" for n in range(9)]
    assert messages("-n", "2") == ["line 7", "line 8"]
    assert messages("--level", "warning") == [f"line {n}" for n in (1, 2, 4, 5, 7, 8)]
    assert messages("--grep", "LINE [34]$") == ["line 3", "line 4"]
    assert messages("--service", "nobody") == []
    assert messages("--since", "1h") == messages()
    assert messages("--since", "2099-01-01") == []
    human = yaat("logs", "--no-follow", "--color", "always", "-n", "1", "-c", config).stdout
    assert "\x1b[31mERROR   \x1b[0m shop: line 8" in human
    assert yaat("logs", "--since", "yesterday", "-c", config).returncode == 2
    agent.terminate()
    assert messages("-n", "1") == ["line 8"], "without an agent too"
    followed = yaat("logs", "-n", "1", "-c", config)
    assert followed.returncode == 3
    assert "line 8" in followed.stdout


def test_rates_and_history_count_what_flows(agent: AgentProcess, folder: Path) -> None:
    def flows() -> bool:
        with open(folder / "app.txt", "a") as file:
            file.write("".join(line(n, level) for n in range(50) for level in ("debug", "info")))
        rates = {one["component"]: one for one in yaat_json("status", "-c", str(agent.config))["rates"]}
        return all(rates[name]["out"] > 0 for name in ("sources.app", "processors.scrub", "sinks.local"))

    wait_until(flows, what="rates")
    document = json.loads(yaat("top", "--once", "--json", "-c", str(agent.config)).stdout)
    rates = {one["component"]: one for one in document["rates"]}
    assert list(rates) == [
        "sources.app",
        "processors.json",
        "processors.filter",
        "processors.scrub",
        "sinks.local",
        "sinks.out",
    ]
    assert rates["processors.filter"]["in_"] > rates["processors.filter"]["out"]
    assert rates["sources.app"]["last_event_seconds"] is not None
    picture = yaat("top", "-c", str(agent.config))
    assert "sources.app" in picture.stdout
    assert "\x1b" not in picture.stdout
    assert picture.stdout.startswith("YAAT ")


def test_the_agents_log_says_more_for_a_time_and_no_secret(folder: Path) -> None:
    (folder / "key").write_text("very-secret-key-0123456789abcdef0123")
    text = CONFIG.format(folder=folder).replace(
        "action: remove}",
        "action: remove}, {name: other, fields: [tags.other], action: hash, key: '${file:key}'}",
    )
    (folder / "yaat.yaml").write_text(text.replace("*.txt", "very-secret-key-0123456789abcdef0123/*.txt"))
    with AgentProcess(folder / "yaat.yaml").start() as agent:
        config = str(agent.config)
        wait_until(lambda: yaat("status", "-c", config).returncode == 0, what="the agent starts")
        follow = Following(agent, "agent-log", "--json")
        assert yaat_json("log-level", "debug", "--for", "1h", "-c", config)["level"] == "debug"
        now = yaat_json("log-level", "debug", "--for", "1s", "-c", config)
        assert (now["usual"], now["until"] is not None) == ("info", True)
        wait_until(
            lambda: any("back to its usual level" in one for one in follow.lines),
            what="it goes back by itself",
        )
        follow.end()
        assert yaat_json("log-level", "usual", "-c", config)["until"] is None
        lines = [json.loads(one) for one in follow.lines]
        assert {"number", "time", "level", "logger", "message"} == set(lines[0])
        assert "very-secret" not in "".join(follow.lines)
        assert yaat("log-level", "debug", "--for", "soon", "-c", config).returncode == 2
        kept = yaat("agent-log", "--no-follow", "-n", "1", "-c", config)
        assert len(kept.stdout.splitlines()) == 1
        assert agent.terminate() == 0
        assert "very-secret" not in agent.log()


def test_a_reader_that_stops_reading_costs_the_agent_nothing(agent: AgentProcess, folder: Path) -> None:
    """A tap whose reader sleeps: the pipeline goes on, and the reader gets the newest when it wakes."""
    follow = subprocess.Popen(
        [*YAAT, "tap", "--json", "--rate", "10000", "-c", str(agent.config)], stdout=subprocess.PIPE
    )
    assert follow.stdout is not None
    try:
        with open(folder / "app.txt", "a", buffering=1) as file:
            wait_until(lambda: bool(file.write(line(0))) and _readable(follow), what="the tap begins")
            for _ in range(30):
                file.write("".join(line(n, text="x" * 500) for n in range(1_000)))
        agent.wait_for(30_000)
    finally:
        follow.kill()
        follow.wait()
        follow.stdout.close()


def _readable(process: subprocess.Popen[bytes]) -> bool:
    import select

    ready, _, _ = select.select([process.stdout], [], [], 0.2)
    return bool(ready)


def test_following_ends_when_the_agent_does(agent: AgentProcess) -> None:
    follow = Following(agent, "tap")
    watch = Following(agent, "top", "--json")
    watch.wait_for(1)
    assert agent.terminate() == 0
    for one in (follow, watch):
        assert one.process.wait(60) in (1, 3)
    assert os.path.exists(agent.config)
