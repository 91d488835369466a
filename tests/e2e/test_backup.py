"""Backup, restore and moving of a state directory, as `docs/state-directory.md` describes them."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import attrs
import pytest
from support.agents import AgentProcess, check_accounting, check_once_each, wait_until, yaat

CONFIG = """
version: 1
state_dir: state
sources:
  app: {type: file, paths: ["LOGS/*.log"], start_at: beginning}
sinks:
  local: {type: duckdb}
health: {listen: "off"}
"""


@attrs.define
class Site:
    """A folder with a configuration and a log that grows."""

    folder: Path
    lines: list[str] = attrs.field(factory=list)
    agent: AgentProcess = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        (self.folder / "logs").mkdir()
        self.configured(self.folder)

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def configured(self, home: Path) -> None:
        """The configuration lies in ``home``, and the state directory with it."""
        config = home / "yaat.yaml"
        config.write_text(CONFIG.replace("LOGS", str(self.folder / "logs")))
        self.agent = AgentProcess(config)

    def write(self, count: int) -> None:
        with open(self.folder / "logs" / "a.log", "a") as log:
            for _ in range(count):
                self.lines.append(f"{len(self.lines)} {os.urandom(20).hex()}")
                log.write(self.lines[-1] + "\n")

    def run(self) -> None:
        """Read and deliver all there is."""
        done = yaat("run", "--once", "-c", str(self.agent.config), timeout=120)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """500 lines are delivered, and the state directory at that time is kept as ``backup``; then 500 more."""
    made = Site(tmp_path)
    made.write(500)
    made.run()
    shutil.copytree(made.state, tmp_path / "backup", ignore=shutil.ignore_patterns("*.sock"))
    made.write(500)
    made.run()
    return made


def restored(site: Site, *names: str) -> None:
    """These of the backup take the place of what is there; without names, everything."""
    if not names:
        shutil.rmtree(site.state)
        shutil.copytree(site.folder / "backup", site.state)
    for name in names:
        target = site.state / name
        for old in site.state.glob(f"{name}*"):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        source = site.folder / "backup" / name
        shutil.copytree(source, target) if source.is_dir() else shutil.copy2(source, target)


def test_a_whole_backup_goes_on_where_it_was(site: Site) -> None:
    """What was written after the backup is read again from the files, into the database as it was then."""
    restored(site)
    site.write(100)
    site.run()
    check_once_each(site.agent, site.lines)
    check_accounting(site.agent, len(site.lines))


@pytest.mark.faults
def test_an_old_queue_with_a_newer_database(site: Site) -> None:
    restored(site, "queue")
    site.write(100)
    site.run()
    check_once_each(site.agent, site.lines)
    check_accounting(site.agent, len(site.lines))


@pytest.mark.faults
def test_an_old_database_with_a_newer_queue(site: Site) -> None:
    """What the queue still has is delivered again; the rest is counted as lost, and never hidden."""
    restored(site, "events.duckdb")
    site.write(100)
    site.run()
    rows = [row["line"] for row in site.agent.query("SELECT message AS line FROM events")]
    account = site.agent.diagnose()["accounting"]
    assert account["balanced"]
    sink = account["by_sink"]["local"]
    assert len(rows) == len(set(rows))
    assert set(site.lines[:500] + site.lines[1000:]) <= set(rows) <= set(site.lines)
    assert (sink["delivered"], sink["lost"]) == (len(rows), len(site.lines) - len(rows))


@pytest.mark.faults
def test_a_queue_that_is_gone(site: Site) -> None:
    shutil.rmtree(site.state / "queue")
    site.write(100)
    site.run()
    check_once_each(site.agent, site.lines)


def test_a_moved_state_directory(site: Site, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    shutil.move(site.state, other / "state")
    site.configured(other)
    site.write(100)
    site.run()
    assert not site.state.exists()
    check_once_each(site.agent, site.lines)
    check_accounting(site.agent, len(site.lines))


@pytest.mark.faults
def test_modes_that_a_copy_widened_are_mended(site: Site) -> None:
    for path in [site.state, *site.state.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    site.write(10)
    site.run()
    assert (site.state / "queue").stat().st_mode & 0o077 == 0
    check_once_each(site.agent, site.lines)


@pytest.mark.faults
def test_a_snapshot_of_a_running_agent_is_as_good_as_a_kill(site: Site, tmp_path: Path) -> None:
    """A snapshot takes all files at one moment; here the agent stands still meanwhile."""
    with site.agent as agent:
        agent.start()
        site.write(3000)
        wait_until(lambda: agent.try_count() > 1000, seconds=60, what="some of the lines")
        assert agent.process is not None
        os.kill(agent.process.pid, signal.SIGSTOP)
        shutil.copytree(site.state, tmp_path / "snapshot", ignore=shutil.ignore_patterns("*.sock"))
        agent.kill()
    shutil.rmtree(site.state)
    shutil.copytree(tmp_path / "snapshot", site.state)
    site.write(100)
    site.run()
    check_once_each(site.agent, site.lines)
    check_accounting(site.agent, len(site.lines))
