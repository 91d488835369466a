"""The service on a booted systemd host: installed from wheels, under load, rebooted, hung, reloaded and removed again.

Judged from outside: lines that a unit of the host wrote against rows of the database, files, users and units before and after.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from support.service_hosts import PREFIX, YAAT, Machine, install_program, machine

pytestmark = pytest.mark.faults

CONFIG = """\
version: 1
service_name: box
state_dir: /var/lib/yaat
sources:
  app: {type: file, paths: [/var/log/shop/*.log], start_at: beginning}
sinks:
  local: {type: duckdb, path: events.duckdb}
"""
#: Numbered lines into a log for the group adm alone, and on where it ended; a torn last line is a line of its own.
WRITER = """\
import os, time
path = "/var/log/shop/app.log"
text = open(path).read() if os.path.exists(path) else ""
number, run = text.count("\\n") + 1, time.time_ns()
with open(path, "a") as log:
    os.chmod(path, 0o640)
    os.chown(path, 0, {adm})
    if text and not text.endswith("\\n"):
        log.write("\\n")
    while True:
        for number in range(number, number + 20):
            log.write(f"line {{number}} of run {{run}}\\n")
            log.flush()
        number += 1
        time.sleep(0.02)
"""
LOAD = """\
[Service]
ExecStart=/usr/bin/python3 /usr/local/lib/writer.py
Restart=always
[Install]
WantedBy=multi-user.target
"""


@pytest.fixture(scope="module")
def booted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with machine(tmp_path_factory.mktemp("brought")) as one:
        yield one


@pytest.fixture
def box(booted: Machine) -> Machine:
    """The host with the program, and nothing that a test before left."""
    if booted.run("test", "-e", PREFIX, check=False).returncode == 0:
        booted.run(YAAT, "service", "uninstall", "--yes")
    else:
        install_program(booted)
    booted.shell("systemctl disable --now load 2>/dev/null || true")
    booted.shell(
        "rm -rf /var/lib/yaat /etc/yaat /var/log/shop /var/log/late.log /etc/systemd/system/load.service"
    )
    return booted


def configured(box: Machine) -> None:
    box.put("/etc/yaat/yaat.yaml", CONFIG)


def loaded(box: Machine) -> None:
    """A unit that writes from now on, and at every boot."""
    adm = box.shell("getent group adm | cut -d: -f3").strip()
    box.put("/usr/local/lib/writer.py", WRITER.format(adm=adm))
    box.put("/etc/systemd/system/load.service", LOAD)
    box.shell("mkdir -p /var/log/shop; systemctl daemon-reload; systemctl enable --now load")


def stored(box: Machine) -> int:
    rows = box.query("SELECT count(*) AS n FROM logs")
    return int(rows[0]["n"]) if rows else 0


def lines_and_rows(box: Machine) -> tuple[list[str], list[str]]:
    lines = box.shell("cat /var/log/shop/app.log").splitlines()
    rows = box.run(YAAT, "query", "--json", "--limit", "10000000", "SELECT message FROM logs").stdout
    return lines, [row["message"] for row in json.loads(rows)]


def test_rebooted_under_load_every_line_is_stored_once(box: Machine) -> None:
    configured(box)
    loaded(box)
    box.run(YAAT, "service", "install", "--yes")
    for power_cut in (False, True):
        before = stored(box)
        box.wait(lambda: stored(box), lambda now, before=before: now > before + 500)
        box.reboot(power_cut=power_cut)
        assert box.wait(lambda: box.property("ActiveState"), lambda state: state == "active")
    box.shell("systemctl stop load")
    wanted = len(box.shell("cat /var/log/shop/app.log").splitlines())
    box.wait(lambda: stored(box), lambda now: now >= wanted)
    lines, rows = lines_and_rows(box)
    assert len(lines) > 1500
    assert len({line.rpartition(" ")[2] for line in lines}) == 3, "it wrote once for each boot"
    assert sorted(rows) == sorted(lines)
    account = box.json("status", "--fail-on", "never")["accounting"]
    assert account["balanced"]
    assert account["by_sink"]["local"]["lost"] == 0


def test_reloaded_hung_and_looked_at(box: Machine) -> None:
    configured(box)
    loaded(box)
    box.put("/etc/systemd/system/yaat.service.d/quick.conf", "[Service]\nWatchdogSec=3s\nRestartSec=1s\n")
    first = box.json("service", "install", "--yes")
    assert first["changed"]
    again = box.json("service", "install", "--yes")
    assert not again["changed"], again
    box.wait(lambda: stored(box))
    _security(box)
    _reload(box)
    _diagnosis(box)
    _watchdog(box)
    _groups(box)
    _switches(box)
    _foreign(box)


def _security(box: Machine) -> None:
    said = box.run("systemd-analyze", "verify", "--man=no", "/etc/systemd/system/yaat.service")
    assert not said.stdout + said.stderr
    told = box.run("systemd-analyze", "security", "yaat").stdout
    level = float(told.rpartition("exposure level for yaat.service: ")[2].split()[0])
    assert level <= 2.0, told
    pid = box.property("MainPID")
    status = dict(
        line.split(":\t", 1) for line in box.shell(f"cat /proc/{pid}/status").splitlines() if ":\t" in line
    )
    assert status["Uid"].split() == [box.shell("id -u yaat").strip()] * 4
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


def _reload(box: Machine) -> None:
    pid = box.property("MainPID")
    box.put(
        "/etc/yaat/yaat.yaml",
        CONFIG.replace(
            "sources:\n", "sources:\n  late: {type: file, paths: [/var/log/late.log], start_at: beginning}\n"
        ),
    )
    box.shell("echo hello from late > /var/log/late.log")
    box.run("systemctl", "reload", "yaat")
    late = "SELECT count(*) AS n FROM logs WHERE message = 'hello from late'"
    box.wait(lambda: box.query(late), lambda rows: bool(rows) and rows[0]["n"] == 1)
    assert box.property("MainPID") == pid
    box.put("/etc/yaat/yaat.yaml", CONFIG.replace("type: file", "type: fiel"))
    assert box.run("systemctl", "reload", "yaat", check=False).returncode != 0
    assert box.property("ActiveState") == "active"
    assert box.property("MainPID") == pid
    box.put("/etc/yaat/yaat.yaml", CONFIG)
    box.run("systemctl", "reload", "yaat")


def _diagnosis(box: Machine) -> None:
    """The agent looks with the rights of its unit, and its bundle has the unit and its journal."""
    done = box.run(YAAT, "diagnose", "--fail-on", "never", "--json", check=False)
    assert done.returncode == 0, (done.stderr, box.log())
    checks = {one["name"]: one for one in json.loads(done.stdout)["checks"]}
    assert "part of yaat.service" in checks["systemd"]["what"]
    assert checks["user"]["what"].startswith("yaat (")
    assert checks["sources.app"]["level"] == "ok"
    made = box.json("flare", "--yes", "-o", "/var/tmp/yaat-flare.tar.gz")
    box.shell("rm /var/tmp/yaat-flare.tar.gz")
    assert {"unit.txt", "journal.txt", "agent.log"} <= {one["name"] for one in made["files"]}, made[
        "left_out"
    ]


def _watchdog(box: Machine) -> None:
    pid, restarts = box.property("MainPID"), int(box.property("NRestarts"))
    box.shell(f"kill -STOP {pid}")
    box.wait(
        lambda: (box.property("MainPID"), box.property("ActiveState")),
        lambda now: now[0] not in ("0", pid) and now[1] == "active",
    )
    assert int(box.property("NRestarts")) > restarts
    assert "most recent call first" in box.shell("journalctl -u yaat -o cat --no-pager"), "where it stood"
    before = stored(box)
    box.wait(lambda: stored(box), lambda now: now > before)


def _groups(box: Machine) -> None:
    """Who is in the group may look and nothing more; others may not even look, and are told how."""
    box.run("useradd", "-M", "joe")
    outside = box.run(YAAT, "service", "status", check=False, user="joe")
    assert outside.returncode == 4
    assert "usermod -aG yaat" in outside.stdout + outside.stderr
    box.run("usermod", "-aG", "yaat", "joe")
    assert box.run(YAAT, "status", "--fail-on", "never", user="joe").stdout
    assert box.run("cat", "/var/lib/yaat/events.duckdb", check=False, user="joe").returncode != 0
    assert box.run(YAAT, "service", "uninstall", "--yes", check=False, user="joe").returncode == 4
    box.run("userdel", "joe")


def _switches(box: Machine) -> None:
    assert box.json("service", "stop") == {"unit": "yaat.service", "active": False, "changed": True}
    stopped = box.run(YAAT, "service", "status", "--json", check=False)
    assert stopped.returncode == 3
    assert json.loads(stopped.stdout)["unit"]["active"] == "inactive"
    assert box.json("service", "start")["changed"]
    assert not box.json("service", "start")["changed"]
    status = box.json("service", "status", "--fail-on", "never")
    assert (status["unit"]["active"], status["unit"]["enabled"]) == ("active", True)
    assert status["agent"]["pid"] == status["unit"]["pid"]


def _foreign(box: Machine) -> None:
    """A unit that was edited is not overwritten; a configuration that is wrong does not start, and says so at once."""
    box.shell("echo Nice=5 >> /etc/systemd/system/yaat.service")
    refused = box.run(YAAT, "service", "install", "--yes", check=False)
    assert refused.returncode == 1
    assert "YAAT-E903" in refused.stderr
    box.run(YAAT, "service", "install", "--yes", "--replace")
    assert "Nice=5" not in box.shell("cat /etc/systemd/system/yaat.service")
    box.put("/etc/yaat/yaat.yaml", CONFIG.replace("type: file", "type: fiel"))
    assert box.run(YAAT, "service", "install", "--yes", check=False).returncode == 2
    box.run("systemctl", "stop", "yaat")
    failed = box.run(YAAT, "service", "start", check=False)
    assert failed.returncode == 1
    assert "YAAT-E103" in failed.stderr
    assert int(box.property("NRestarts")) == 0


#: Everything on the host's disk but what passwd's tools and the journal write beside.
EVERYTHING = r"""
find / -xdev \( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /brought \
    -o -path /var/log/journal \) -prune -o -print |
    grep -vE '^/etc/((passwd|group|shadow|gshadow|subuid|subgid)-|.pwd.lock)$|^/var/lib/systemd/' |
    grep -vE '^/var/log/(wtmp|btmp|lastlog)$' | sort
"""


def looks(box: Machine) -> dict[str, Any]:
    return {
        "files": box.shell(EVERYTHING).splitlines(),
        "users": box.shell("sort /etc/passwd").splitlines(),
        "groups": box.shell("sort /etc/group").splitlines(),
        "units": box.shell("systemctl list-unit-files --no-legend | sort").splitlines(),
        "run": box.shell("ls -d /run/yaat* /run/systemd/units/*yaat* 2>/dev/null || true").splitlines(),
        "without an owner": box.shell("find / -xdev \\( -nouser -o -nogroup \\) -print").splitlines(),
    }


def test_uninstalled_with_nothing_left(box: Machine) -> None:
    program = box.shell(f"find {PREFIX} /usr/local/bin/yaat | sort").splitlines()
    before = looks(box)
    configured(box)
    box.run(YAAT, "service", "install", "--yes")
    box.shell("mkdir -p /var/log/shop; echo first > /var/log/shop/a.log")
    box.wait(lambda: stored(box), lambda now: now == 1)
    _kept_and_taken_up_again(box)
    box.shell("rm -r /var/log/shop")
    refused = box.run(YAAT, "uninstall", "--purge-data", check=False)
    assert refused.returncode == 2
    assert box.property("ActiveState") == "active"
    gone = box.json("uninstall", "--purge-data", "--confirm", box.hostname())
    assert gone["changed"]
    after = looks(box)
    before["files"] = sorted(set(before["files"]) - set(program) - {PREFIX})
    after["files"] = [path for path in after["files"] if "__pycache__" not in path]
    before["files"] = [path for path in before["files"] if "__pycache__" not in path]
    assert after == before


def _kept_and_taken_up_again(box: Machine) -> None:
    """The service goes, its data stays with root, and the next install goes on: the first line is not read again."""
    box.run(YAAT, "service", "uninstall", "--yes")
    assert box.run("id", "yaat", check=False).returncode != 0
    assert not box.shell("find /var/lib/yaat /etc/yaat ! -user root -print").strip()
    assert stored(box) == 1
    box.run(YAAT, "service", "install", "--yes")
    box.shell("echo second >> /var/log/shop/a.log")
    box.wait(lambda: stored(box), lambda now: now >= 2)
    time.sleep(1)
    rows = box.query("SELECT message FROM logs ORDER BY message")
    assert [row["message"] for row in rows] == ["first", "second"]
