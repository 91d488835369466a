"""What a person does to the queue and the dead letters, with the agent running and without it: the sums stay right."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner, Result
from support.agents import AgentProcess, wait_until

from yaat_core.cli.main import cli
from yaat_plugin_leveldb.binding import plyvel

CONFIG = """
version: 1
state_dir: state
sources:
  app: {type: file, paths: ["logs/*.log"], start_at: beginning}
sinks:
  picky: {type: picky}
health: {listen: "off"}
"""

PICKY = '''
"""Refuses lines with `bad` for good; takes nothing while the file `shut` is there."""
import os

from yaat_core import Done, Partial, Retry, Sink, configuration, hookimpl


@configuration
class PickyConfig:
    """Where the door is."""


class Picky(Sink):
    def __init__(self, config, context):
        self.shut = context.state_dir.parent / "shut"

    async def deliver(self, batch, position):
        if self.shut.exists():
            return Retry("shut", after=0.2)
        texts = batch.column("message").to_pylist()
        dead = [(row, "it is bad") for row, text in enumerate(texts) if "bad" in text]
        return Partial(dead) if dead else Done()


@hookimpl
def register_components(register):
    register.sink("picky", PickyConfig, Picky)
'''


@attrs.define
class Site:
    """An agent whose sink is shut, and 40 lines in 4 records that wait for it; line 5 is bad."""

    folder: Path
    agent: AgentProcess

    @property
    def config(self) -> str:
        return str(self.agent.config)

    def call(self, *args: str) -> Result:
        """A command, in this process: it talks to the agent in the other one."""
        return CliRunner().invoke(cli, [*args, "-c", self.config], env=dict(self.agent.environ))

    def document(self, *args: str) -> Any:
        done = self.call(*args, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def account(self) -> dict[str, Any]:
        wait_until(lambda: self.document("diagnose")["accounting"] is not None, seconds=60)
        accounting = self.document("diagnose")["accounting"]
        assert accounting["balanced"], accounting
        sink: dict[str, Any] = accounting["by_sink"]["picky"]
        return sink

    def open(self) -> None:
        """The sink takes what waits."""
        (self.folder / "shut").unlink()
        wait_until(lambda: self.account()["queued"] == 0, seconds=60, what=self.agent.log()[-2000:])

    def damage(self) -> None:
        """Flip a byte in the record of lines 11 to 20. The agent is not running."""
        before = os.umask(0o077)
        with plyvel.DB(str(self.folder / "state" / "queue" / "store")) as db:
            key = b"r" + (20).to_bytes(8, "big")
            value = db.get(key)
            middle = len(value) // 2
            db.put(key, value[:middle] + bytes([value[middle] ^ 0xFF]) + value[middle + 1 :], sync=True)
        os.umask(before)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    (tmp_path / "logs").mkdir()
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "picky.py").write_text(PICKY)
    (tmp_path / "shut").touch()
    config = tmp_path / "yaat.yaml"
    config.write_text(CONFIG)
    careless = ("sh", "-c", 'umask 0; exec "$@"', "sh")
    agent = AgentProcess(config, {"YAAT_PLUGINS_DIR": str(tmp_path / "plugins")}, careless)
    made = Site(tmp_path, agent)
    with agent:
        agent.start()
        for start in range(0, 40, 10):
            with open(tmp_path / "logs" / "a.log", "a") as log:
                for number in range(start, start + 10):
                    log.write(f"line {number}{' bad' if number == 5 else ''}\n")
            wait_until(
                lambda start=start: _accepted(made) == start + 10,  # type: ignore[misc]
                seconds=60,
                what=agent.log()[-2000:],
            )
        yield made


def _accepted(site: Site) -> int:
    try:
        return int(site.document("diagnose")["accounting"]["accepted"])
    except (LookupError, TypeError):
        return -1


def _exported(site: Site, *args: str) -> dict[int, str]:
    done = site.call("queue", "export", *args)
    assert done.exit_code in (0, 5), done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["sequence"]: line["event"]["message"] for line in lines}


def test_with_the_agent_running(site: Site) -> None:
    assert site.document("queue", "verify") == {"ok": True, "damage": []}
    everything = _exported(site)
    assert list(everything) == list(range(1, 41))
    assert everything[6] == "line 5 bad"
    assert list(_exported(site, "--from", "8", "--to", "12")) == [8, 9, 10, 11, 12]
    assert site.document("queue", "repair")["ok"]
    site.open()
    account = site.account()
    assert (account["delivered"], account["dead"]) == (39, 1)
    [letter] = site.document("dead", "list")["letters"]
    assert letter["reasons"] == {"it is bad": 1}
    shown = site.document("dead", "show", letter["id"])
    assert shown["events"][0]["event"]["message"] == "line 5 bad"
    assert shown["events"][0]["sequence"] == 6
    purged = site.document("dead", "purge", "picky", "--yes")
    assert purged == {"sink": "sinks.picky", "letters": 1, "events": 1}
    account = site.account()
    assert (account["delivered"], account["dead"], account["dropped"]) == (39, 0, 1)
    assert site.document("dead", "list") == {"letters": [], "events": {}}
    _for_the_owner_alone(site.folder / "state")


def test_purge_drops_what_waits(site: Site) -> None:
    assert (
        site.document("queue", "purge", "picky", "--yes")["events"] >= 30
    )  # but for what is being delivered
    account = site.account()
    assert account["dropped"] >= 30
    assert account["dropped"] + account["queued"] == 40


@pytest.mark.parametrize("running", [True, False], ids=["agent", "no agent"])
def test_repair_says_and_counts_what_is_lost(site: Site, running: bool) -> None:
    site.agent.kill()
    site.damage()
    if running:
        site.agent.start()
        wait_until(lambda: site.document("diagnose")["running"], seconds=60, what=site.agent.log()[-2000:])
    else:
        before = _bytes(site.folder / "state" / "queue")
        verified = site.call("queue", "verify", "--json")
        assert verified.exit_code == 1
        [damage] = json.loads(verified.stdout)["damage"]
        assert (damage["first"], damage["last"]) == (11, 20)
        assert site.call("queue", "list", "--json").exit_code == 0
        assert site.call("queue", "show", "25", "--json").exit_code == 0
        partly = site.call("queue", "export")
        assert partly.exit_code == 5
        assert "10 events between them are not in the queue" in partly.stderr
        assert _bytes(site.folder / "state" / "queue") == before
    before_repair = os.umask(0)
    try:
        done = site.document("queue", "repair")
    finally:
        os.umask(before_repair)
    _for_the_owner_alone(site.folder / "state")
    assert [(one["first"], one["last"]) for one in done["damage"]] == [(11, 20)]
    assert done["lost"] == {"sinks.picky": 10}
    assert site.document("queue", "verify")["ok"]
    account = site.account()
    assert (account["lost"], account["queued"]) == (10, 30)
    assert len(list((site.folder / "state" / "queue" / "quarantine").iterdir())) == 1
    if not running:
        site.agent.start()
        wait_until(lambda: site.document("diagnose")["running"], seconds=60, what=site.agent.log()[-2000:])
    site.open()
    account = site.account()
    assert (account["delivered"], account["dead"], account["lost"]) == (29, 1, 10)


def test_without_an_agent_nothing_that_looks_changes_a_byte(site: Site) -> None:
    site.open()
    assert site.agent.process is not None
    site.agent.process.send_signal(signal.SIGTERM)
    assert site.agent.process.wait(60) == 0
    state = site.folder / "state"
    before = _bytes(state)
    for args in (
        ("queue", "list"),
        ("queue", "verify"),
        ("queue", "export"),
        ("dead", "list"),
        ("diagnose",),
        ("status",),
    ):
        for more in ((), ("--json",)):
            site.call(*args, *more)
    [letter] = site.document("dead", "list")["letters"]
    assert site.document("dead", "show", letter["id"][:6])["events"][0]["reason"] == "it is bad"
    assert _bytes(state) == before
    assert site.document("dead", "purge", "picky", "--yes")["events"] == 1
    account = site.account()
    assert (account["delivered"], account["dead"], account["dropped"]) == (39, 0, 1)


def test_a_state_directory_on_a_file_system_that_is_read_only(site: Site) -> None:
    """Whoever looks at a copy or a broken disk sees what is there."""
    if shutil.which("unshare") is None:
        pytest.skip("unshare (util-linux) is not installed")
    site.agent.kill()
    state = site.folder / "state"
    script = f"mount --bind '{state}' '{state}' && mount -o remount,ro,bind '{state}' && exec \"$@\""
    inside = ("unshare", "-m", "sh", "-c", script, "sh")
    command = [*inside, sys.executable, "-m", "yaat_core.cli", "queue", "export", "-c", site.config]
    environ = {**os.environ, **site.agent.environ}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environ, check=False)
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip(f"no mount namespace to be had: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 40


def _for_the_owner_alone(state: Path) -> None:
    """Whatever the umask was when the agent, or a command, was started."""
    files = [path for path in state.rglob("*") if not path.is_socket()]
    assert len(files) > 5
    assert {oct(path.lstat().st_mode & 0o077) for path in files} == {"0o0"}


def _bytes(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in [folder, *folder.rglob("*")]:
        about = path.lstat()
        found[str(path)] = (about.st_mode, about.st_mtime_ns, path.read_bytes() if path.is_file() else None)
    return found
