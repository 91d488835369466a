"""A booted Debian host with systemd, its journal mounted: the agent reads it from outside, and is killed in between."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.engine import host, podman

pytestmark = pytest.mark.faults

YAAT = Path(sys.executable).with_name("yaat")
CONFIG = """\
version: 1
service_name: host
state_dir: state
health: {{listen: "off"}}
sources:
  journal: {{type: journald, journal_directory: "{journal}", since: beginning, reader: {reader}, {options}}}
sinks:
  local: {{type: duckdb, path: events.duckdb}}
"""


class Host:
    """The container, and where its journal lies."""

    def __init__(self, name: str, journal: Path) -> None:
        self.name, self.journal = name, journal

    def run(self, *command: str) -> str:
        return podman("exec", self.name, *command).stdout

    def shell(self, script: str) -> str:
        return self.run("sh", "-c", script)


@pytest.fixture(scope="module")
def booted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    journal = tmp_path_factory.mktemp("journal")
    journal.chmod(0o755)
    with host("journald", "-v", f"{journal}:/var/log/journal") as name:
        one = Host(name, journal)
        one.run("journalctl", "--flush")
        yield one


class Agent:
    """`yaat run` over the host's journal."""

    def __init__(self, folder: Path, journal: Path, reader: str, options: str = "") -> None:
        self.folder = folder
        self.config = folder / "yaat.yaml"
        self.config.write_text(CONFIG.format(journal=journal, reader=reader, options=options))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        log = (self.folder / "agent.log").open("ab")
        self.process = subprocess.Popen(
            [YAAT, "run", "-c", self.config], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(60)

    def query(self, sql: str) -> Any:
        said = subprocess.run(
            [YAAT, "query", "-c", self.config, "--json", sql], capture_output=True, text=True, timeout=60
        )
        return json.loads(said.stdout) if said.returncode == 0 else []

    def wait_for(self, sql: str, good: Callable[[Any], bool]) -> Any:
        deadline = time.monotonic() + 60
        while not good(found := self.query(sql)):
            assert time.monotonic() < deadline, (found, (self.folder / "agent.log").read_text()[-2000:])
            assert self.process is None or self.process.poll() is None, (
                self.folder / "agent.log"
            ).read_text()
            time.sleep(0.2)
        return found


@pytest.fixture
def agent(tmp_path: Path, booted: Host, reader: str) -> Iterator[Agent]:
    one = Agent(tmp_path, booted.journal, reader)
    yield one
    if one.process is not None and one.process.poll() is None:
        one.stop(signal.SIGKILL)


def test_what_a_real_host_logs_arrives_as_the_schema_says(agent: Agent, booted: Host) -> None:
    mark = f"m{time.time_ns()}"
    agent.start()
    booted.shell(
        f"echo '{mark} cat' | systemd-cat -t shop -p err; logger -t till -p user.debug '{mark} logger'"
    )
    booted.shell(
        f"systemd-run --wait --unit crash-{mark} sh -c 'echo {mark} dying; kill -SEGV $$' || true",
    )
    sql = (
        "SELECT level, message, tags['SYSLOG_IDENTIFIER'] AS who, tags['_SYSTEMD_UNIT'] AS unit, "
        f"tags['_TRANSPORT'] AS way, tags['_HOSTNAME'] AS host FROM events WHERE message LIKE '%{mark}%'"
    )
    rows = agent.wait_for(
        sql,
        lambda found: sum("Failed with result" in row["message"] for row in found) == 1 and len(found) >= 5,
    )
    by_message = {row["message"]: row for row in rows}
    cat, logged, dying = (by_message[f"{mark} {what}"] for what in ("cat", "logger", "dying"))
    assert (cat["level"], cat["who"], cat["way"]) == ("error", "shop", "stdout")
    assert (logged["level"], logged["who"]) == ("debug", "till")
    assert logged["way"] in ("syslog", "journal")
    assert dying["unit"] == f"crash-{mark}.service"
    failed = next(row for row in rows if "Failed with result" in row["message"])
    assert failed["level"] == "warning"
    assert cat["host"] == booted.run("hostname").strip()


def test_kill_9_rotation_and_vacuum_lose_nothing_that_was_read_and_repeat_nothing(
    agent: Agent, booted: Host
) -> None:
    mark = f"k{time.time_ns()}"
    write = "for i in $(seq {a} {b}); do echo {mark} $i; done | systemd-cat -t counter"
    wanted = 0
    for round_ in range(3):
        agent.start()
        a, b = round_ * 1500 + 1, (round_ + 1) * 1500
        booted.shell(write.format(a=a, b=b, mark=mark))
        wanted = b
        sql = f"SELECT count(*) AS n FROM events WHERE message LIKE '{mark} %'"
        agent.wait_for(sql, lambda found, a=a: bool(found) and found[0]["n"] >= a)
        agent.stop(signal.SIGKILL)
        wait_until(lambda: not readers_of(booted.journal))
        booted.run("journalctl", "--rotate")
    agent.start()
    counts = f"SELECT count(*) AS n, count(DISTINCT message) AS d FROM events WHERE message LIKE '{mark} %'"
    agent.wait_for(counts, lambda found: bool(found) and found[0]["d"] == wanted)
    agent.stop()
    booted.run("journalctl", "--rotate", "--vacuum-time=1s")
    booted.shell(f"echo {mark} after | systemd-cat; journalctl --sync")
    agent.start()
    (row,) = agent.wait_for(counts, lambda found: bool(found) and found[0]["d"] == wanted + 1)
    assert row["n"] == wanted + 1


def readers_of(journal: Path) -> list[str]:
    """Programs `journalctl` that read this folder."""
    said = subprocess.run(["ps", "-ww", "-C", "journalctl", "-o", "args="], capture_output=True, text=True)
    return [line for line in said.stdout.splitlines() if str(journal) in line]


def wait_until(good: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not good():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("reader", ["journalctl"], indirect=True)
def test_what_was_vacuumed_before_it_was_read_is_told(agent: Agent, booted: Host) -> None:
    mark = f"v{time.time_ns()}"
    agent.start()
    booted.shell(f"echo {mark} first | systemd-cat")
    sql = f"SELECT message FROM events WHERE message LIKE '{mark} %'"
    agent.wait_for(sql, lambda found: len(found) == 1)
    agent.stop()
    booted.shell(f"for i in $(seq 500); do echo {mark} lost $i; done | systemd-cat; journalctl --sync")
    booted.shell("sleep 2; journalctl --rotate --vacuum-time=1s; sleep 1")
    booted.shell(f"echo {mark} last | systemd-cat; journalctl --sync")
    agent.start()
    agent.wait_for(sql, lambda found: any(row["message"] == f"{mark} last" for row in found))
    said = subprocess.run(
        [YAAT, "diagnose", "-c", agent.config, "--json"], capture_output=True, text=True, timeout=60
    )
    problems = json.loads(said.stdout)["health"]["problems"]
    (told,) = [one for one in problems if one["component"] == "sources.journal"]
    lost = int(told["what"].partition("up to ")[2].split()[0])
    assert 500 <= lost < 2000, told
    assert "removed before they were read" in (agent.folder / "agent.log").read_text()


@pytest.mark.parametrize("reader", ["libsystemd"], indirect=True)
def test_units_are_chosen_on_a_real_host(agent: Agent, booted: Host, reader: str) -> None:
    mark = f"u{time.time_ns()}"
    agent = Agent(agent.folder, booted.journal, reader, f"units: ['{mark}']")
    booted.shell(f"systemd-run --wait --unit {mark} echo {mark} of the unit; echo {mark} other | systemd-cat")
    booted.shell("journalctl --sync")
    done = subprocess.run(
        [YAAT, "run", "--once", "-c", agent.config], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    messages = [row["message"] for row in agent.query("SELECT message FROM events ORDER BY event_id")]
    assert f"{mark} of the unit" in messages
    assert any("Started" in one or "Deactivated" in one for one in messages)
    assert all(mark in one for one in messages)
    assert f"{mark} other" not in messages


SCRIPT = """\
import sys, threading
def fail(): raise ValueError("{mark} no money")
for number in range(3):
    print("{mark} before", number, flush=True)
    worker = threading.Thread(target=fail); worker.start(); worker.join()
    print("{mark} long " + "\\u00fc" * 100_000 + " {mark} end", flush=True)
print("{mark} done", flush=True)
"""


def test_traces_and_long_lines_of_a_real_unit_are_one_event_each(
    tmp_path: Path, booted: Host, reader: str
) -> None:
    """Two units write at the same time: traces of threads, and lines of four times the length at which journald divides."""
    mark = f"t{time.time_ns()}"
    agent = Agent(tmp_path, booted.journal, reader, "multiline: auto")
    (tmp_path / "pay.py").write_text(SCRIPT.format(mark=mark))
    podman("cp", str(tmp_path / "pay.py"), f"{booted.name}:/{mark}.py")
    run = f"systemd-run --wait -E PYTHONUTF8=1 --unit {mark}-$n python3 /{mark}.py"
    booted.shell(f"for n in 1 2; do {run} & done; wait; journalctl --sync")
    done = subprocess.run(
        [YAAT, "run", "--once", "-c", agent.config], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    umlauts = "\u00fc" * 100_000
    columns = "message, stacktrace, tags['_SYSTEMD_UNIT'] AS unit"
    for number in (1, 2):
        rows = agent.query(f"SELECT {columns} FROM events WHERE unit = '{mark}-{number}.service'")
        traces = [row for row in rows if row["stacktrace"]]
        assert len(traces) == 3
        assert all(f"ValueError: {mark} no money" in row["stacktrace"].splitlines()[-1] for row in traces)
        long = [row["message"] for row in rows if row["message"].startswith(f"{mark} long")]
        assert long == [f"{mark} long {umlauts} {mark} end"] * 3
        assert sum(row["message"] == f"{mark} done" for row in rows) == 1
        assert not [row for row in rows if row["message"].startswith("  File")]
