"""Command lines, files and paths of others are data: bounded, escaped, never run, and no way to other people's files."""

from __future__ import annotations

import grp
import json
import os
import shutil
import stat
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from support.host_root import HostRoot

from yaat_core.cli.main import cli
from yaat_core.config.nodes import plain_value
from yaat_core.config.parsing import parse
from yaat_core.detection import Detection, Detector, Log
from yaat_core.registry import Registry
from yaat_plugin_detect.config import MAX_FILE, MAX_FOUND, MAX_LOGS, Place
from yaat_plugin_detect.detectors import DETECTORS
from yaat_plugin_detect.found import look, within
from yaat_plugin_detect.machine import ThisMachine
from yaat_plugin_detect.sources import Plan, plan
from yaat_plugin_detect.words import apache_directives, nginx_statements, settings
from yaat_plugin_detect.writing import configuration


def planned(machine: ThisMachine, *logs: Log) -> Plan:
    return plan([Detection(service="x", what="x", logs=logs)], machine, Registry())


def paths(made: Plan) -> list[str]:
    return [path for one in made.proposals for path in one.options.get("paths", ())]


def nginx(machine: ThisMachine) -> Detection:
    found = look(machine, DETECTORS)
    assert not found.failures
    (one,) = found.detections
    return one


def test_files_that_include_each_other_are_read_once(root: HostRoot, machine: ThisMachine) -> None:
    root.write("/etc/nginx/nginx.conf", "http { include a.conf; include a.conf; access_log /var/log/a.log; }")
    root.write("/etc/nginx/a.conf", "include nginx.conf; include a.conf; include *.conf;")
    assert [log.path for log in nginx(machine).logs] == ["/var/log/a.log"]


def test_a_great_many_files_and_logs_are_bounded(root: HostRoot, machine: ThisMachine) -> None:
    lines = "".join(f"access_log /var/log/{number}.log;" for number in range(3 * MAX_LOGS))
    root.write("/etc/nginx/nginx.conf", f"http {{ include x/*; {lines} }}")
    for number in range(MAX_FOUND + 20):
        root.write(f"/etc/nginx/x/{number}", "")
    assert len(machine.glob("/etc/nginx/x/*")) == MAX_FOUND
    assert len(paths(plan([nginx(machine)], machine, Registry()))) == MAX_LOGS


def test_neither_fifo_nor_device_nor_huge_file_is_read(root: HostRoot, machine: ThisMachine) -> None:
    root.write("/etc/big", b"x" * (MAX_FILE + 1))
    os.mkfifo(root.local("/etc/fifo"))
    root.local("/etc/zero").symlink_to("/dev/zero")
    root.local("/etc/loop").symlink_to("loop")
    assert [machine.read(f"/etc/{name}") for name in ("big", "fifo", "zero", "loop", "none", "\0")] == [
        None
    ] * 6


@pytest.mark.parametrize(
    "path", ["/etc/shadow", "/proc/self/environ", "/dev/mem", "relative", "/var/log/../../etc/x", "/a\nb.log"]
)
def test_what_is_no_log_is_not_read_and_that_is_told(path: str, machine: ThisMachine) -> None:
    made = planned(machine, Log(path=path))
    assert not made.proposals
    assert "not read by default" in made.troubles[0][0].problem


def test_a_link_to_where_no_log_is_kept_is_not_followed(root: HostRoot, machine: ThisMachine) -> None:
    root.write("/etc/shadow", "root:secret")
    root.local("/var/log/nginx.log").symlink_to(root.local("/etc/shadow"))
    os.mkfifo(root.local("/var/log/fifo.log"))
    made = planned(machine, Log(path="/var/log/nginx.log"), Log(path="/var/log/fifo.log"))
    assert not made.proposals
    assert len(made.troubles[0]) == 2


def test_signs_of_globs_in_a_name_are_escaped(root: HostRoot, machine: ThisMachine) -> None:
    root.write("/var/log/a[1]*.log")
    (path,) = paths(planned(machine, Log(path="/var/log/a[1]*.log")))
    assert path.endswith("/var/log/a[[]1][*].log")


@pytest.mark.skipif(os.geteuid() != 0, reason="files of another user can be made by root only")
def test_a_program_names_its_own_files_only(root: HostRoot, machine: ThisMachine) -> None:
    for name, owner in (("own", 1234), ("roots", 0), ("others", 1235)):
        os.chown(root.write(f"/srv/{name}.log"), owner, owner)
    os.chown(root.local("/srv"), 1234, 1234)
    made = planned(
        machine, *(Log(path=f"/srv/{name}.log", uid=1234) for name in ("own", "roots", "others", "later"))
    )
    assert [Path(path).name for path in paths(made)] == ["own.log", "later.log"]
    assert [finding.problem.partition("'")[2].partition("'")[0] for finding in made.troubles[0]] == [
        "/srv/roots.log",
        "/srv/others.log",
    ]
    os.chown(root.local("/srv"), 0, 0)
    assert not planned(machine, Log(path="/srv/later.log", uid=1234)).proposals
    assert not planned(machine, Log(path="/srv/*.log", pattern=True, uid=1234)).proposals


@pytest.mark.skipif(os.geteuid() != 0, reason="files of another user can be made by root only")
def test_a_configuration_of_a_third_user_is_not_read(root: HostRoot, machine: ThisMachine) -> None:
    os.chown(root.write("/srv/app.ini", "logto = /x.log"), 1235, 1235)
    assert machine.read("/srv/app.ini", uid=1234) is None
    assert machine.read("/srv/app.ini", uid=1235) == "logto = /x.log"


def test_nothing_that_is_found_is_run(root: HostRoot, machine: ThisMachine, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    program = root.write("/usr/sbin/nginx", f"#!/bin/sh\ntouch {mark}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    root.write("/etc/apache2/envvars", f"export APACHE_LOG_DIR=$(touch {mark})\nexport X=`touch {mark}`\n")
    root.write(
        "/etc/apache2/apache2.conf",
        f'CustomLog "|touch {mark}" combined\nErrorLog "${{APACHE_LOG_DIR}}/e.log"\n',
    )
    root.pretend(7, str(program), "-c", f"/etc/$(touch {mark})")
    root.pretend(8, "gunicorn", "--access-logfile", f"/var/log/$(touch {mark}).log", "x")
    assert look(machine, DETECTORS).detections
    assert not mark.exists()


def test_processes_of_containers_are_left_to_the_containers_source(
    root: HostRoot, machine: ThisMachine
) -> None:
    root.pretend(7, "redis-server", cgroup=f"0::/system.slice/docker-{'ab' * 32}.scope\n")
    root.pretend(8, "redis-server")
    assert [one.pid for one in machine.processes] == [8]


def test_a_folder_that_is_no_process_and_one_that_has_ended(root: HostRoot, machine: ThisMachine) -> None:
    root.write("/proc/99/comm", "gone")
    root.write("/proc/uptime", "1 1")
    root.pretend(7, "x", "\udcff\udcfe\x1b[2J")
    assert [one.command for one in machine.processes] == [("x", "\udcff\udcfe\x1b[2J")]


def test_a_detector_that_raises_and_one_that_takes_long_are_told(machine: ThisMachine) -> None:
    def broken(_: object) -> list[Detection]:
        raise RuntimeError("oh")

    good = Detector(name="good", detect=lambda machine: [Detection(service="a", what="a")])
    found = look(machine, [Detector(name="broken", detect=broken), good])
    assert [one.service for one in found.detections] == ["a"]
    assert found.failures == ["the detector broken failed: RuntimeError: oh"]
    late = look(machine, [good], seconds=-1)
    assert not late.detections
    assert "good was not asked" in late.failures[0]


def test_what_hangs_is_left_behind() -> None:
    forever = threading.Event()
    assert within(0.05, forever.wait) is None
    forever.set()
    with pytest.raises(ZeroDivisionError):
        within(60, lambda: 1 // 0)


@given(st.text(max_size=300))
def test_any_text_gives_words_and_no_error(text: str) -> None:
    for _ in nginx_statements(text):
        pass
    for given_words in apache_directives(text):
        assert given_words
    for name, _ in settings(text):
        assert name


TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)


@given(
    st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True), TEXTS | st.lists(TEXTS, max_size=3), max_size=4
    ),
    TEXTS,
)
def test_what_is_written_reads_back_the_same(options: dict[str, Any], comment: str) -> None:
    root: Any = plain_value(parse(configuration([("a", comment, options)]), "x").root)  # type: ignore[arg-type]
    shown = root["sources"]["a"]
    wanted = {name: _escaped(value) for name, value in options.items() if value != []}
    assert {name: value for name, value in (shown or {}).items() if value is not None} == wanted


def _escaped(value: Any) -> Any:
    return [_escaped(one) for one in value] if isinstance(value, list) else value.replace("${", "$${")


@pytest.fixture
def hidden() -> Iterator[HostRoot]:
    """A machine whose files another user looks at: the logs belong to a group, their folder to nobody else."""
    folder = Path(tempfile.mkdtemp(prefix="yaat-detect-"))
    folder.chmod(0o755)
    root = HostRoot.make(folder)
    for place in (root.path, root.local("/var"), root.local("/var/log"), root.local("/etc")):
        place.chmod(0o755)
    try:
        yield root
    finally:
        os.seteuid(os.getuid())
        shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can look as another user")
def test_what_is_missing_is_told_with_the_group_that_has_it(hidden: HostRoot) -> None:
    machine = ThisMachine(Place.of(hidden.environ))
    log = hidden.write("/var/log/app/a.log")
    os.chown(log.parent, 0, 4)
    log.parent.chmod(0o750)
    os.seteuid(65534)
    (finding,) = planned(machine, Log(path="/var/log/app/a.log")).troubles[0]
    assert "may not read" in finding.problem
    assert f"usermod -aG {grp.getgrgid(4).gr_name} " in finding.advice
    os.seteuid(0)
    log.parent.chmod(0o700)
    os.seteuid(65534)
    (finding,) = planned(machine, Log(path="/var/log/app/a.log")).troubles[0]
    assert "setfacl -m u:" in finding.advice
    assert str(log.parent) in finding.advice


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can look as another user")
def test_a_configuration_that_may_not_be_read_is_told_by_validate(hidden: HostRoot) -> None:
    config = hidden.path.parent / "yaat.yaml"
    config.write_text("state_dir: state\n")
    config.chmod(0o644)
    hidden.write("/etc/nginx/nginx.conf").chmod(0o600)
    hidden.local("/etc/nginx").chmod(0o755)
    asked = ["validate", "--offline", "--json", "-c", str(config)]
    CliRunner().invoke(cli, asked, env=hidden.environ)  # what Python loads late may be for root alone
    os.seteuid(65534)
    done = CliRunner().invoke(cli, asked, env=hidden.environ)
    assert done.exit_code == 0, done.output
    (warning,) = json.loads(done.stdout)["warnings"]
    assert "can't read '/etc/nginx/nginx.conf': its logs are guessed" in warning["what"]
    assert "setfacl -m u:nobody:r" in warning["fix"]


def test_a_detection_may_name_what_it_likes_and_names_stay_apart(machine: ThisMachine) -> None:
    one = Detection(service="a", what="a", logs=[Log(path="/var/log/a.log", name="../x")])
    two = attrs.evolve(one, logs=[Log(path="/var/log/b.log"), Log(path="/var/log/a.log")])
    assert [made.name for made in plan([one, two], machine, Registry()).proposals] == ["a", "a-2"]
