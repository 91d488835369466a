"""Single checks on what tests can make: disks, clocks, limits, requirements, configuration files."""

from __future__ import annotations

import importlib.metadata
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from support.small_disks import tmpfs

from yaat_core import config
from yaat_core.checks import agent, clock, configuration, disk, environment, limits, plugins, queue, sockets
from yaat_core.checks.base import Check, Surroundings
from yaat_core.plugins import load_plugins
from yaat_core.stats import Sample, Stats
from yaat_core.workshop import Workshop

WHOLE = """
state_dir: state
health: {listen: "off"}
sources: {app: {type: file, paths: [app.log]}}
processors: [{type: scrub}]
sinks: {local: {type: duckdb, path: events.duckdb}}
"""


@pytest.fixture
def around(tmp_path: Path) -> Callable[..., Surroundings]:
    """Without an agent, on a configuration that is written into a folder."""

    def made(text: str = WHOLE, folder: Path = tmp_path, **facts: Any) -> Surroundings:
        (folder / "yaat.yaml").write_text(text)
        loaded = load_plugins()
        whole = config.load(folder / "yaat.yaml", loaded)
        shop = Workshop(configuration=whole, agent_id=bytes(16), stats=Stats())
        return Surroundings(configuration=whole, plugins=loaded.states, workshop=shop, **facts)

    return made


def by_name(checks: Any) -> dict[str, Check]:
    return {one.name: one for one in checks}


def test_a_file_system_without_room_and_without_inodes(
    around: Callable[..., Surroundings], tmp_path: Path
) -> None:
    with tmpfs(tmp_path / "small", "size=1m,nr_inodes=60") as folder:
        found = by_name(disk.room(around(folder=folder)))
        assert found["disk space"].level == "error"
        assert "for state directory, queue, sinks.local, dead letters" in found["disk space"].what
        assert found["disk space"].advice
        assert found["inodes"].level == "error"
        assert "inode" in found["inodes"].advice


def test_each_file_system_is_told_apart(around: Callable[..., Surroundings], tmp_path: Path) -> None:
    with tmpfs(tmp_path / "other", "size=1m") as folder:
        text = WHOLE.replace("events.duckdb", f"{folder}/events.duckdb")
        found = [one for one in disk.room(around(text)) if one.name == "disk space"]
    assert len(found) == 2
    assert found[1].what.endswith("for sinks.local")
    assert found[1].level == "error"


def test_a_file_from_the_future(around: Callable[..., Surroundings], tmp_path: Path) -> None:
    (tmp_path / "state" / "queue").mkdir(parents=True)
    surroundings = around()
    assert by_name(clock.jumps(surroundings))["clock jumps"].level == "ok"
    late = tmp_path / "state" / "queue" / "0001.log"
    late.write_text("")
    os.utime(late, (time.time() + 7_200,) * 2)
    [found] = clock.jumps(surroundings)
    assert (found.level, str(late) in found.what) == ("warn", True)
    assert "from the future, by 7" in found.what


def test_the_kernel_says_whether_somebody_keeps_the_clock(around: Callable[..., Surroundings]) -> None:
    said = clock._adjtimex()
    [found] = clock.synchronised(around())
    if said is None:
        assert found.level == "skipped"
    else:
        assert found.level == ("warn" if said[0] else "ok")
        assert not said[0] or "time service" in found.advice


def test_open_files_near_their_limit(around: Callable[..., Surroundings]) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert by_name(limits.open_files(around()))["open files"].level in ("ok", "warn")
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, before[1]), before[1]))
    try:
        [found] = limits.open_files(around())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert found.level == "warn"
    assert "LimitNOFILE" in found.advice
    assert " of 256" in found.what


def test_requirements_that_are_not_met(
    around: Callable[..., Surroundings], monkeypatch: pytest.MonkeyPatch
) -> None:
    surroundings = around()
    assert [one.level for one in plugins.requirements(surroundings)] == ["ok"]
    real = importlib.metadata.requires
    more = ["attrs>=9999", "no-such-distribution>1", 'never; python_version < "3"', "((("]
    monkeypatch.setattr(
        importlib.metadata, "requires", lambda name: more if name == "yaat-core" else real(name)
    )
    found = [one.what for one in plugins.requirements(surroundings)]
    assert len(found) == 3
    assert "attrs>=9999" in found[0]
    assert "is installed" in found[0]
    assert "it is not installed" in found[1]


def test_plugins_that_failed_are_told(around: Callable[..., Surroundings]) -> None:
    surroundings = around()
    broken = attrs.evolve(surroundings.plugins[0], state="failed", reason="it did not import: no")
    found = by_name(plugins.versions(attrs.evolve(surroundings, plugins=[broken])))
    told = found[f"plugins.{broken.name}"]
    assert told.level == "warn"
    assert "did not import" in told.what
    assert "yaat plugins show" in told.advice


def test_a_configuration_that_everybody_may_write(
    around: Callable[..., Surroundings], tmp_path: Path
) -> None:
    surroundings = around()
    assert not list(configuration.readable(surroundings))
    (tmp_path / "yaat.yaml").chmod(0o666)
    [found] = configuration.readable(surroundings)
    assert found.level == "error"
    assert found.advice == f"chmod o-w {tmp_path}/yaat.yaml"


def test_warnings_of_the_configuration(around: Callable[..., Surroundings]) -> None:
    [found] = configuration.warnings(around(WHOLE.replace("[{type: scrub}]", "[]")))
    assert found.name == "YAAT-W101"
    assert found.advice


@pytest.mark.parametrize("kind", ["tcp", "unixstream"])
def test_who_has_an_address(
    around: Callable[..., Surroundings], tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path may be short only
    family = socket.AF_UNIX if kind == "unixstream" else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as held:
        held.bind(str(tmp_path / "s") if kind == "unixstream" else ("127.0.0.1", 0))
        held.listen()
        place = str(tmp_path / "s") if kind == "unixstream" else f"127.0.0.1:{held.getsockname()[1]}"
        text = f"state_dir: state\nhealth: {{listen: 'off'}}\nsources: {{st: {{type: statsd, listen: ['{kind}://{place}']}}}}\n"
        [found] = sockets.listeners(around(text))
        # this very process has it, which is no agent
        assert found.level == "ok"
        monkeypatch.setattr(os, "getpid", lambda: 1)
        [found] = sockets.listeners(around(text))
        assert found.level == "error"
        assert "is taken by pid" in found.what
        assert found.component == "sources.st"


def test_an_event_loop_that_is_late(around: Callable[..., Surroundings]) -> None:
    def said(late: int) -> Check:
        buckets = ((0.25, 100), (10.0, 100 + late))
        sample = Sample(
            name="yaat_event_loop_delay_seconds",
            type="histogram",
            help="",
            labels={},
            value=1.0,
            count=100 + late,
            buckets=buckets,
        )
        [found] = agent.event_loop(around(samples=[sample]))
        return found

    assert said(0).level == "ok"
    assert said(50).level == "warn"
    assert "50 of 150" in said(50).what


def test_a_queue_near_its_bound(around: Callable[..., Surroundings]) -> None:
    def said(used: float) -> Check:
        text = WHOLE.replace("events.duckdb", "events.duckdb, queue: {max_bytes: 10MiB}")
        sample = Sample(
            name="yaat_sink_queued_bytes",
            type="gauge",
            help="",
            labels={"component": "sinks.local"},
            value=used * 2**20,
        )
        [found] = queue.bounds(around(text, samples=[sample]))
        return found

    assert [said(used).level for used in (1, 9, 10)] == ["ok", "warn", "error"]
    assert "sources wait" in said(9).what


def test_what_this_machine_is() -> None:
    facts = environment.facts()
    assert facts["kernel"] == os.uname().release
    assert facts["python"].startswith("CPython 3.")
    assert str(os.geteuid()) in facts["user"]
