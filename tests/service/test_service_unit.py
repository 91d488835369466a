"""The text of the unit: what it says for which wish, whose it is, and what systemd thinks of it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import attrs
import pytest

from yaat_core.errors import UsageError
from yaat_core.service import unit
from yaat_core.service.unit import Unit

ROOT = Path(__file__).resolve().parents[2]
PLAIN = Unit(
    program=Path("/opt/yaat/bin/yaat"),
    config=Path("/etc/yaat/yaat.yaml"),
    groups=("adm", "systemd-journal"),
    grace=10.0,
    systemd=252,
)


def directives(made: Unit) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in unit.text(made).splitlines():
        if line and line[0] not in "#[":
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def test_the_example_is_what_is_generated() -> None:
    assert (ROOT / "examples" / "yaat.service").read_text(encoding="utf-8") == unit.text(PLAIN)


def test_a_plain_unit_has_no_rights_but_the_groups() -> None:
    told = directives(PLAIN)
    assert told["User"] == told["Group"] == ["yaat"]
    assert told["SupplementaryGroups"] == ["adm systemd-journal"]
    assert told["CapabilityBoundingSet"] == [""]
    assert "AmbientCapabilities" not in told
    assert told["NoNewPrivileges"] == ["yes"]
    assert told["ProtectSystem"] == ["strict"]
    assert told["UMask"] == ["0077"]
    assert told["LimitCORE"] == ["0"]
    assert "ReadWritePaths" not in told


def test_all_logs_only_when_asked() -> None:
    told = directives(attrs.evolve(PLAIN, read_all_logs=True))
    assert told["CapabilityBoundingSet"] == told["AmbientCapabilities"] == ["CAP_DAC_READ_SEARCH"]


@pytest.mark.parametrize(
    ("systemd", "kind", "reload", "steps"),
    [
        (247, "notify", True, False),
        (252, "notify", True, False),
        (253, "notify-reload", False, False),
        (257, "notify-reload", False, True),
    ],
)
def test_lines_that_a_systemd_does_not_know_are_left_out(
    systemd: int, kind: str, reload: bool, steps: bool
) -> None:
    told = directives(attrs.evolve(PLAIN, systemd=systemd))
    assert told["Type"] == [kind]
    assert ("ExecReload" in told) == reload
    assert ("RestartSteps" in told) == steps


def test_systemd_waits_longer_than_the_agent_delivers() -> None:
    text = unit.text(attrs.evolve(PLAIN, grace=300.0))
    patience = unit.patience_of(text)
    assert patience == unit.patience(300.0)
    assert patience > 300.0 + 10


def test_another_state_directory_and_folders_may_be_written() -> None:
    made = attrs.evolve(PLAIN, state_dir=Path("/data/yaat"), writable=[Path("/data/my db")])
    told = directives(made)
    assert "StateDirectory" not in told
    assert told["ReadWritePaths"] == ['/data/yaat "/data/my db"']
    assert unit.writable_of(unit.text(made)) == [Path("/data/yaat"), Path("/data/my db")]


def test_the_folder_of_a_configuration_elsewhere_is_left_alone() -> None:
    assert "ConfigurationDirectory" not in directives(attrs.evolve(PLAIN, config=Path("/srv/yaat.yaml")))


@pytest.mark.parametrize("name", ["yaat", "my yaat"])
def test_what_the_text_names_is_read_back(name: str) -> None:
    made = attrs.evolve(PLAIN, program=Path(f"/opt/{name}/bin/yaat"), config=Path(f"/srv/{name}.yaml"))
    text = unit.text(made)
    assert unit.program_of(text) == made.program
    assert unit.config_of(text) == made.config


@pytest.mark.parametrize("path", ["/a%b", "/a$b", '/a"b', "/a\nExecStartPre=x", "a/b", "/a\\b"])
def test_paths_that_would_mean_something_are_refused(path: str) -> None:
    with pytest.raises(UsageError, match="a unit can't name the path"):
        unit.check_path(Path(path))


def test_ours_edited_and_foreign() -> None:
    text = unit.text(PLAIN)
    assert unit.is_ours(text)
    assert not unit.is_edited(text)
    assert unit.is_edited(text.replace("WatchdogSec=60s", "WatchdogSec=5s"))
    assert unit.is_edited(text + "# mine\n")
    assert not unit.is_ours("[Service]\nExecStart=/usr/bin/yaat run\n")


@pytest.mark.parametrize("all_logs", [False, True])
def test_systemd_finds_nothing_to_complain_of(all_logs: bool, tmp_path: Path) -> None:
    """With the version of this machine, and a program that is there."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed (Debian: systemd)")
    said = subprocess.run([analyze, "--version"], capture_output=True, text=True, check=True).stdout
    version = int(re.findall(r"systemd (\d+)", said)[0])
    path = tmp_path / "yaat.service"
    made = attrs.evolve(PLAIN, program=Path("/bin/true"), read_all_logs=all_logs, systemd=version)
    path.write_text(unit.text(made))
    done = subprocess.run(
        [analyze, "verify", "--man=no", str(path)], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    about = [line for line in (done.stdout + done.stderr).splitlines() if "yaat.service" in line]
    assert not about
