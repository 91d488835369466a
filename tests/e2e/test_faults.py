"""Full disks and damaged records, with the whole agent."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import plyvel
import pytest
from support.agents import AgentProcess, check_accounting, check_once_each, wait_until, yaat, yaat_json

FILE_TO_DUCKDB = """
version: 1
state_dir: state
sources:
  app: {type: file, paths: ["logs/*.log"], start_at: beginning}
sinks:
  local: {type: duckdb}
health: {listen: "off"}
"""

ONLY_QUEUE = FILE_TO_DUCKDB.replace("local: {type: duckdb}", "stuck: {type: never}")

NEVER = '''
"""A sink that is always busy: what is read stays in the queue."""
from yaat_core import Retry, Sink, configuration, hookimpl


@configuration
class NeverConfig:
    """Never delivers."""


class Never(Sink):
    def __init__(self, config, context):
        pass

    async def deliver(self, batch, position):
        return Retry("always busy")


@hookimpl
def register_components(register):
    register.sink("never", NeverConfig, Never)
'''


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A state directory on a file system of 64 MiB."""
    folder = tmp_path / "state"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "none", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs to be had: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.faults
def test_a_full_disk_then_space_then_a_kill(tmp_path: Path, small_disk: Path) -> None:
    (tmp_path / "logs").mkdir()
    config = tmp_path / "yaat.yaml"
    config.write_text(FILE_TO_DUCKDB)
    ballast = small_disk / "ballast"
    written: list[str] = []
    with AgentProcess(config) as agent, open(tmp_path / "logs" / "a.log", "a") as log:

        def write(count: int) -> None:
            for _ in range(count):
                written.append(f"{len(written)} {os.urandom(60).hex()}")
                log.write(written[-1] + "\n")
            log.flush()

        agent.start()
        write(500)
        agent.wait_for(500)
        free = os.statvfs(small_disk)
        with open(ballast, "wb") as file:
            file.write(b"\0" * (free.f_bavail * free.f_bsize - 2 * 2**20))
        write(20_000)
        wait_until(lambda: "storage_full" in agent.log() or "full" in agent.log(), what=agent.log()[-2000:])
        assert agent.running()
        ballast.unlink()
        write(500)
        wait_until(lambda: agent.try_count() > 5_000, seconds=60, what=agent.log()[-3000:])
        agent.kill()
        agent.start()
        agent.wait_for(len(written))
        assert agent.terminate() == 0
        check_once_each(agent, written)
        check_accounting(agent, len(written))


def test_a_damaged_record_is_counted_and_the_rest_delivered(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "never.py").write_text(NEVER)
    config = tmp_path / "yaat.yaml"
    config.write_text(ONLY_QUEUE)
    environ = {"YAAT_PLUGINS_DIR": str(plugins)}
    lines = [f"line {number}" for number in range(300)]
    with AgentProcess(config, environ) as agent:
        agent.start()
        log = tmp_path / "logs" / "a.log"
        for start in range(0, 300, 100):
            with log.open("a") as file:
                file.write("".join(line + "\n" for line in lines[start : start + 100]))
            seen = start + 100
            wait_until(
                lambda seen=seen: _accepted(config, environ) >= seen,  # type: ignore[misc]
                what=agent.log(),
            )
        assert agent.terminate(seconds=60) == 0
    _damage_one_record(tmp_path / "state" / "queue")
    config.write_text(FILE_TO_DUCKDB.replace("{type: duckdb}", "{type: duckdb, from: oldest}"))
    with AgentProcess(config) as agent:
        agent.start()
        wait_until(lambda: agent.try_count() >= 1, what=agent.log())
        wait_until(
            lambda: yaat_json("diagnose", "-c", str(config))["accounting"]["by_sink"]["local"]["queued"] == 0,
            what=agent.log(),
        )
        account = agent.diagnose()["accounting"]
        assert account["balanced"]
        lost = account["by_sink"]["local"]["lost"]
        assert lost > 0
        assert account["by_sink"]["local"]["delivered"] == 300 - lost
        assert agent.terminate() == 0
    assert list((tmp_path / "state" / "queue").rglob("quarantine*"))
    kept = {row["message"] for row in agent.query("SELECT message FROM events")}
    assert len(kept) == 300 - lost
    assert kept < set(lines)


def _accepted(config: Path, environ: dict[str, str]) -> int:
    done = yaat("diagnose", "-c", str(config), "--json", **environ)
    try:
        return int(json.loads(done.stdout)["accounting"]["accepted"])
    except (ValueError, LookupError, TypeError):
        return -1


def _damage_one_record(queue: Path) -> None:
    """Flip a byte in the middle of the largest value, as a bad disk would."""
    [store] = [path.parent for path in queue.rglob("CURRENT")]
    with plyvel.DB(str(store)) as db:
        key, value = max(db.iterator(), key=lambda pair: len(pair[1]))
        middle = len(value) // 2
        db.put(key, value[:middle] + bytes([value[middle] ^ 0xFF]) + value[middle + 1 :], sync=True)
