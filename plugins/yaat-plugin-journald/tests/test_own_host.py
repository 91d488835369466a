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
  journal: {{type: journald, since: boot, reader: {reader}, {options}}}
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
    config.write_text(CONFIG.format(reader=reader, options=f"exclude_self: {str(not own).lower()}"))
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
