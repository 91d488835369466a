"""The agent as a unit of a booted host: it reads that host's journal, in its default place, without what it logs itself."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.engine import host, podman
from support.journals import need_journals, write_journal

import yaat_core

pytestmark = pytest.mark.faults

TREE = Path(yaat_core.__file__).resolve().parents[1]
YAAT = Path(sys.executable).with_name("yaat")
CONFIG = """\
version: 1
service_name: host
state_dir: state
health: {{listen: "off"}}
sources:
  journal: {{type: journald, reader: {reader}, {options}}}
sinks:
  local: {{type: duckdb, path: events.duckdb}}
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shared")
    folder.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def booted(shared: Path) -> Iterator[str]:
    """The agent's Python and tree are seen there under the same paths."""
    seen = {path for path in (sys.base_prefix, sys.prefix, str(TREE)) if path != "/usr"}
    mounts = [part for path in sorted(seen) for part in ("-v", f"{path}:{path}:ro")]
    with host("journald-own", *mounts, "-v", f"{shared}:{shared}") as name:
        tried = podman("exec", name, str(sys.executable), "-c", "import yaat_core.agent, duckdb", check=False)
        if tried.returncode:
            pytest.skip(f"this Python does not run there: {tried.stderr.strip()[-200:]}")
        yield name


def ask(name: str, config: Path, sql: str) -> list[dict[str, Any]]:
    said = podman("exec", name, str(YAAT), "query", "-c", str(config), "--json", sql, check=False)
    return list(json.loads(said.stdout)) if said.returncode == 0 else []


@pytest.mark.parametrize("reader", ["libsystemd"], indirect=True)
@pytest.mark.parametrize("own", [False, True], ids=["without its own", "with its own"])
def test_its_own_unit_is_left_out(booted: str, shared: Path, reader: str, own: bool) -> None:
    folder = shared / f"{reader}-{own}"
    folder.mkdir()
    config = folder / "yaat.yaml"
    config.write_text(
        CONFIG.format(reader=reader, options=f"since: boot, exclude_self: {str(not own).lower()}")
    )
    unit = f"yaat-{reader}-{own}".lower()
    command = f"echo the unit speaks; exec {YAAT} run -c {config}"
    podman("exec", booted, "systemd-run", "--unit", unit, "sh", "-c", command)
    try:
        podman("exec", booted, "sh", "-c", f"echo mark of {unit} | systemd-cat -t till")
        sql = (
            f"SELECT count(*) FILTER (message = 'mark of {unit}') AS marks, "
            f"count(*) FILTER (tags['_SYSTEMD_UNIT'] = '{unit}.service') AS own FROM events"
        )
        deadline = time.monotonic() + 60
        while (
            not (found := ask(booted, config, sql)) or not found[0]["marks"] or (own and not found[0]["own"])
        ):
            assert time.monotonic() < deadline, (found, logged(booted, unit))
            time.sleep(0.3)
        assert logged(booted, unit), "the agent logged nothing: this shows nothing"
        (row,) = ask(booted, config, sql)
        assert row["marks"] == 1
        assert bool(row["own"]) == own
    finally:
        podman("exec", booted, "systemctl", "stop", unit, check=False)


def logged(name: str, unit: str) -> str:
    """What the journal holds of the agent itself."""
    said: subprocess.CompletedProcess[str] = podman(
        "exec", name, "journalctl", "-o", "cat", f"_SYSTEMD_UNIT={unit}.service", check=False
    )
    return said.stdout.strip()


@pytest.fixture(scope="module")
def places(booted: str, shared: Path) -> str:
    """A namespace, a user's journal, a user's manager's unit, and another machine's journal; gives the mark of all messages."""
    need_journals()
    mark = f"p{time.time_ns()}"
    now = str(time.time_ns() // 1000)
    entry = {
        "__REALTIME_TIMESTAMP": now,
        "_BOOT_ID": "e" * 32,
        "_MACHINE_ID": "d" * 32,
        "MESSAGE": f"{mark} remote",
    }
    write_journal(shared / "remote-web2.journal", [entry])
    script = f"""
        mkdir -p /var/log/journal/remote && journalctl --flush
        cp {shared}/remote-web2.journal /var/log/journal/remote/
        id joe || useradd -m joe
        systemd-run --wait -p LogNamespace=web echo {mark} namespace
        echo {mark} system | systemd-cat
        runuser -u joe -- sh -c 'echo {mark} joe | systemd-cat'
        journalctl --sync
        until journalctl --namespace=web -o cat | grep {mark}; do sleep 0.1; done
    """
    podman("exec", booted, "sh", "-ec", script)
    return mark


WANTED = {
    "journal: all": {"system", "joe"},
    "journal: system": {"system"},
    "namespace: web": {"namespace"},
    "namespace: +web": {"namespace", "system", "joe"},
    "namespace: '*'": {"namespace", "system", "joe"},
    "merge: true": {"system", "joe", "remote"},
    "journal_directory: /var/log/journal/remote": {"remote"},
    "journal_directory: /var/log/journal/MACHINE.web": {"namespace"},
    "journal: user": {"joe"},
}
#: The agent as another user, who may read (its Python may lie where only root gets at), but writes nothing of root's.
AS_JOE = "setpriv --reuid joe --regid joe --clear-groups --inh-caps +dac_read_search --ambient-caps +dac_read_search"


def test_namespaces_users_and_other_machines(booted: str, places: str, reader: str) -> None:
    """One source for each of `WANTED`, in one agent."""
    config = (
        "version: 1\nstate_dir: state\nhealth: {listen: 'off'}\nsinks: {local: {type: duckdb}}\nsources:\n"
        + "".join(
            f"  s{number}: {{type: journald, since: beginning, reader: {reader}, tags: {{which: s{number}}}, {options}}}\n"
            for number, options in enumerate(WANTED)
        )
    )
    script = f"""
        cd $(mktemp -d) && chown joe .
        echo "$CONFIG" | sed "s/MACHINE/$(cat /etc/machine-id)/" > yaat.yaml
        {AS_JOE} {YAAT} run --once -c yaat.yaml >&2
        {YAAT} query -c yaat.yaml --json "SELECT message, tags['which'] AS which FROM events WHERE message LIKE '{places}%'"
    """
    said = podman("exec", "-e", f"CONFIG={config}", booted, "sh", "-ec", script, check=False)
    assert said.returncode == 0, said.stderr
    rows = json.loads(said.stdout)
    for number, (options, wanted) in enumerate(WANTED.items()):
        found = [row["message"].removeprefix(f"{places} ") for row in rows if row["which"] == f"s{number}"]
        assert sorted(found) == sorted(wanted), options
