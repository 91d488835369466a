"""Reload of a running agent, seen from outside: a changed file, SIGHUP, `yaat reload`; under load, and killed in the middle."""

from __future__ import annotations

import json
import os
import pty
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import attrs
import pytest
from support.agents import AgentProcess, check_accounting, check_once_each, wait_until, yaat, yaat_json

from yaat_core.actions.agent import STATUS
from yaat_core.actions.base import Nothing
from yaat_core.actions.reloading import RELOAD
from yaat_core.control.client import Client
from yaat_core.errors import YaatError
from yaat_core.faults import VARIABLE
from yaat_core.status import ConfigurationState, Status

SOURCE = "  {name}: {{type: file, paths: ['logs/{name}/*.log*'], start_at: beginning, format: json}}\n"
TEXT = """\
version: 1
state_dir: state
health: {listen: "off"}
"""


def text(names: str = "ab", *, more: str = "", rules: str = "secrets", sinks: str = "") -> str:
    sources = "".join(SOURCE.format(name=name) for name in names)
    return (
        f"{TEXT}{more}sources:\n{sources}processors:\n  - {{type: scrub, detectors: [{rules}]}}\n"
        f"sinks:\n  local: {{type: duckdb}}\n{sinks}"
    )


#: Lines, so that a slow machine has no more to do than a quick one.
MOST = 20_000


class Load(threading.Thread):
    """Writes numbered lines into a file for each of three sources, until it is told to stop."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.folder, self.told = folder, threading.Event()
        self.written: list[str] = []
        for name in "abc":
            (folder / "logs" / name).mkdir(parents=True)

    def run(self) -> None:
        number = 0
        files = {name: open(self.folder / "logs" / name / "x.log", "ab", buffering=0) for name in "abc"}
        while not self.told.is_set() and len(self.written) < MOST:
            for name, file in files.items():
                lines = [f"{name} {number + place} {'x' * 60}" for place in range(20)]
                file.write(b"".join(json.dumps({"message": line}).encode() + b"\n" for line in lines))
                self.written += lines
            number += 20
            time.sleep(0.04)
        for file in files.values():
            file.close()

    def stop(self) -> None:
        self.told.set()
        self.join()


def variants(chance: random.Random) -> str:
    """Some configuration; one source is always there."""
    names = "a" + "".join(name for name in "bc" if chance.random() < 0.6)
    rules = chance.choice(["secrets", "secrets, email", "email"])
    more = f"tags: {{turn: '{chance.randrange(1000)}'}}\n"
    sinks = "  second: {type: duckdb, path: second.duckdb}\n" if chance.random() < 0.4 else ""
    return text(names, more=more, rules=rules, sinks=sinks)


def reload(folder: Path) -> None:
    """By the API; an agent that dies meanwhile, or has not started yet, is the business of the test."""
    try:
        with Client(folder / "state") as agent:
            agent.call(RELOAD, Nothing())
    except YaatError:
        time.sleep(0.05)


def replace(config: Path, new: str) -> None:
    """As an editor does it."""
    fresh = config.with_suffix(".new")
    fresh.write_text(new)
    os.replace(fresh, config)


def campaign(folder: Path, *, kills: int, reloads: int, seed: int, faults: tuple[str, ...] = ("",)) -> None:
    config, chance, load = folder / "yaat.yaml", random.Random(seed), Load(folder)
    config.write_text(text("abc"))
    load.start()
    for number in range(kills):
        fault = faults[number % len(faults)]
        with AgentProcess(config, {VARIABLE: fault} if fault else {}).start() as agent:
            wait_until(lambda: (folder / "state" / "control.sock").exists() or not agent.running())
            for _ in range(reloads):
                replace(config, variants(chance))
                if chance.random() < 0.3 and agent.process is not None and agent.running():
                    agent.process.send_signal(signal.SIGHUP)
                reload(folder)
            if fault:
                wait_until(lambda: _dead(agent, config, chance, folder), what=f"{fault} is not reached")
            time.sleep(chance.random() * 0.3)
    load.stop()
    replace(config, text("abc"))
    with AgentProcess(config).start() as agent:
        agent.wait_for(len(load.written))
        assert agent.terminate() == 0
        check_once_each(agent, load.written)
        check_accounting(agent, len(load.written))


def _dead(agent: AgentProcess, config: Path, chance: random.Random, folder: Path) -> bool:
    if agent.running():
        replace(config, variants(chance))
        reload(folder)
    return not agent.running()


def test_reloads_under_load_killed_in_the_middle(tmp_path: Path) -> None:
    campaign(tmp_path, kills=2, reloads=4, seed=5)


@pytest.mark.faults
def test_many_reloads_under_load_killed_at_random(tmp_path: Path) -> None:
    campaign(tmp_path, kills=6, reloads=8, seed=1)


@pytest.mark.faults
def test_killed_at_the_steps_of_a_reload(tmp_path: Path) -> None:
    points = ("reload.sinks", "reload.sources.stopped", "reload.processors")
    campaign(tmp_path, kills=3, reloads=0, seed=3, faults=tuple(f"{point}:kill@2" for point in points))


@attrs.define(eq=False)
class Site:
    """A running agent on a configuration that the tests change."""

    folder: Path
    agent: AgentProcess

    @property
    def config(self) -> Path:
        return self.agent.config

    def status(self) -> Status:
        with Client(self.folder / "state") as agent:
            return agent.call(STATUS, Nothing())


def start(folder: Path, first: str) -> Site:
    (folder / "logs" / "a").mkdir(parents=True)
    config = folder / "yaat.yaml"
    config.write_text(first)
    agent = AgentProcess(config).start()
    site = Site(folder, agent)
    wait_until(lambda: (folder / "state" / "read.sock").exists(), what="it does not start")
    wait_until(lambda: site.status().state == "running", what="it does not start")
    return site


def hash_of(site: Site) -> str:
    return loaded(site).hash


def loaded(site: Site) -> ConfigurationState:
    state = site.status().configuration
    assert state is not None
    return state


def test_a_changed_file_an_included_one_and_sighup(tmp_path: Path) -> None:
    more = tmp_path / "more"
    more.mkdir()
    first = text("a", more="include: ['more/*.yaml']\n")
    site = start(tmp_path, first)
    with site.agent:
        before = hash_of(site)
        (more / "tags.yaml").write_text("tags: {team: one}\n")
        wait_until(lambda: hash_of(site) != before, what=site.agent.log())
        before = hash_of(site)
        replace(more / "tags.yaml", "tags: {team: two}\n")
        wait_until(lambda: hash_of(site) != before, what=site.agent.log())
        before = hash_of(site)
        replace(site.config, first + "reload: {watch: false}\n")
        wait_until(lambda: hash_of(site) != before, what=site.agent.log())
        before = hash_of(site)
        site.config.write_text(first + "reload: {watch: false}\nservice_name: later\n")
        time.sleep(3)
        assert hash_of(site) == before, "it looked at the file although it was told not to"
        assert site.agent.process is not None
        site.agent.process.send_signal(signal.SIGHUP)
        wait_until(lambda: hash_of(site) != before, what=site.agent.log())
        events = yaat_json("events", "-c", str(site.config))["happenings"]
        reloads = [one["what"] for one in events if one["kind"] == "reload"]
        assert len(reloads) == 4, reloads
        assert "SIGHUP" in reloads[-1]
        assert "service_name changed" in reloads[-1]
        assert site.agent.terminate() == 0


def test_a_file_that_is_not_valid_is_refused_everywhere(tmp_path: Path) -> None:
    site = start(tmp_path, text("a"))
    with site.agent:
        good = hash_of(site)
        site.config.write_text(text("a").replace("paths", "pths") + "sevice_name: x\n")
        wait_until(lambda: bool(loaded(site).problems), what=site.agent.log())
        refused = yaat("reload", "-c", str(site.config))
        assert refused.returncode == 2, refused.stderr
        assert "pths" in refused.stderr
        assert "sevice_name" in refused.stderr
        assert "yaat.yaml:5" in refused.stderr
        status = site.status()
        assert loaded(site).hash == good
        assert {"pths", "sevice_name"} <= {
            word for one in loaded(site).problems for word in one.what.split("`")
        }
        (problem,) = status.health.problems
        assert problem.component == "configuration"
        assert "yaat.yaml:" in problem.what
        assert "not reloaded" in site.agent.log()
        site.config.write_text("state_dir: state\nsources: [")
        assert yaat("status", "-c", str(site.config), "--fail-on", "never").returncode == 0
        replace(site.config, text("a"))
        wait_until(lambda: not site.status().health.problems, what=site.agent.log())
        assert site.agent.terminate() == 0


def test_without_an_agent(tmp_path: Path) -> None:
    config = tmp_path / "yaat.yaml"
    config.write_text(text("a"))
    for command in ("reload", "events"):
        done = yaat(command, "-c", str(config))
        assert done.returncode == 3, done.stderr
    config.write_text("nonsense: 1\n")
    assert yaat("reload", "-c", str(config)).returncode == 2


def test_the_service_manager_hears_of_it(tmp_path: Path) -> None:
    heard: list[dict[str, str]] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        name = f"yaat-test-{os.getpid()}-{tmp_path.name}"
        end.bind(f"\0{name}")
        end.settimeout(60)

        def until(key: str) -> dict[str, str]:
            while not heard or key not in heard[-1]:
                heard.append(dict(line.split("=", 1) for line in end.recv(4096).decode().split("\n")))
            return heard[-1]

        (tmp_path / "logs" / "a").mkdir(parents=True)
        config = tmp_path / "yaat.yaml"
        config.write_text(text("a"))
        with AgentProcess(config, {"NOTIFY_SOCKET": f"@{name}", "WATCHDOG_USEC": "2000000"}).start() as agent:
            until("READY")
            until("WATCHDOG")
            assert agent.process is not None
            agent.process.send_signal(signal.SIGHUP)
            assert int(until("RELOADING")["MONOTONIC_USEC"]) > 0
            until("READY")
            assert agent.terminate() == 0
            until("STOPPING")


#: Makes standard input the terminal that controls the process, and becomes `yaat`.
ON_TERMINAL = (
    "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.executable, sys.argv[1:])"
)


@pytest.mark.parametrize("nohup", [False, True])
def test_the_end_of_its_terminal_ends_an_agent_unless_it_was_told_otherwise(
    tmp_path: Path, nohup: bool
) -> None:
    (tmp_path / "logs" / "a").mkdir(parents=True)
    config = tmp_path / "yaat.yaml"
    config.write_text(text("a"))
    leader, follower = pty.openpty()
    python = (
        f"import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); {ON_TERMINAL}"
        if nohup
        else ON_TERMINAL
    )
    command = [sys.executable, "-c", python, sys.executable, "-m", "yaat_core.cli", "run", "-c", str(config)]
    with open(tmp_path / "agent.log", "wb") as log:
        process = subprocess.Popen(command, stdin=follower, stdout=log, stderr=log)
    os.close(follower)
    site = Site(tmp_path, AgentProcess(config, process=process))
    with site.agent:
        wait_until(lambda: (tmp_path / "state" / "read.sock").exists(), what=site.agent.log())
        wait_until(lambda: site.status().state == "running", what=site.agent.log())
        os.close(leader)
        if nohup:
            wait_until(lambda: "configuration reloaded (SIGHUP)" in site.agent.log(), what=site.agent.log())
            assert site.agent.terminate() == 0
        else:
            assert process.wait(60) == 0, site.agent.log()
