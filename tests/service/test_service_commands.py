"""The commands where there is no systemd, and where nothing may happen."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from yaat_core.cli.main import cli
from yaat_core.service import configured, facts, removing, systemd
from yaat_core.service.plan import Plan, Step
from yaat_core.service.removal import removal
from yaat_core.service.steps import StepFailed, carry_out


def yaat(*arguments: str) -> Result:
    """In this process, with stdin at its end."""
    return CliRunner().invoke(cli, list(arguments), input="", prog_name="yaat")


needs_none = pytest.mark.skipif(
    not systemd.why_not(), reason="this machine runs systemd: the host tests do this"
)


@needs_none
@pytest.mark.parametrize("verb", ["install", "start", "stop", "status", "uninstall"])
def test_without_systemd_it_says_what_to_do_instead(verb: str) -> None:
    done = yaat("service", verb, "--json")
    assert done.exit_code == 1
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "YAAT-E901"
    assert "yaat run -c /etc/yaat/yaat.yaml" in error["fix"]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory in which an agent once ran, and the configuration that names it."""
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "lock").write_text("")
    (tmp_path / "yaat.yaml").write_text("version: 1\nstate_dir: state\n")
    return folder


def test_an_uninstall_that_is_not_confirmed_does_nothing(state: Path) -> None:
    config = str(state.parent / "yaat.yaml")
    asked = yaat("uninstall", "-c", config)
    assert asked.exit_code == 2
    assert "--keep-data or --purge-data" in asked.stderr
    unconfirmed = yaat("uninstall", "-c", config, "--purge-data")
    assert unconfirmed.exit_code == 2
    assert f"--confirm {socket.gethostname()}" in unconfirmed.stderr
    wrong = yaat("uninstall", "-c", config, "--purge-data", "--confirm", "another-host")
    assert wrong.exit_code == 2
    assert "nothing was done" in wrong.stderr
    assert (state / "lock").exists()


def test_a_dry_run_lists_what_would_go_and_changes_nothing(state: Path) -> None:
    config = str(state.parent / "yaat.yaml")
    done = yaat("uninstall", "-c", config, "--purge-data", "--dry-run", "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["dry_run"], document["changed"]) == (True, False)
    assert [step["target"] for step in document["plan"]["steps"] if step["kind"] == "remove"] == [str(state)]
    assert config in [one["where"] for one in document["plan"]["stays"]]
    assert (state / "lock").exists()


def test_an_agent_that_is_no_service_is_not_stopped(state: Path) -> None:
    from yaat_core.control.lock import StateLock

    with StateLock(state):
        done = yaat("uninstall", "-c", str(state.parent / "yaat.yaml"), "--purge-data", "--confirm", "x")
    assert done.exit_code == 1
    assert f"kill {os.getpid()}" in done.stderr


def test_a_purge_removes_the_data_and_leaves_the_neighbours(state: Path) -> None:
    (state.parent / "thesis.tex").write_text("")
    now = facts.look()
    wanted = removal(now, state.parent / "yaat.yaml", everything=True, keep_data=False)
    plan = removing.plan(now, wanted)
    own = Plan(action="uninstall", steps=[step for step in plan.steps if step.target == str(state)])
    carry_out(own, lambda *_: None)
    assert sorted(path.name for path in state.parent.iterdir()) == ["thesis.tex", "yaat.yaml"]


def test_a_step_that_fails_ends_it_and_says_which(tmp_path: Path) -> None:
    done: list[str] = []
    steps = [
        Step(kind="run", what="may fail", command=("sh", "-c", "echo no >&2; exit 1"), may_fail=True),
        Step(kind="write", what="a file", target=str(tmp_path / "new" / "file"), text="hello\n"),
        Step(kind="run", what="the third", command=("sh", "-c", "echo out of luck >&2; exit 3")),
        Step(kind="remove", what="never", target=str(tmp_path / "new" / "file")),
    ]
    with pytest.raises(StepFailed, match="the third") as failed:
        carry_out(Plan(action="install", steps=steps), lambda step, why: done.append(why or step.what))
    assert failed.value.cause == "out of luck"
    assert done == ["may fail", "no", "a file", "the third"]
    assert (tmp_path / "new" / "file").read_text() == "hello\n"
    assert list((tmp_path / "new").iterdir()) == [tmp_path / "new" / "file"]


def test_a_command_that_is_not_there_is_a_step_that_failed(tmp_path: Path) -> None:
    plan = Plan(
        action="install",
        steps=[Step(kind="user", what="a user", target="x", command=("no-such-useradd", "x"))],
    )
    with pytest.raises(StepFailed, match="could not do this: a user"):
        carry_out(plan, lambda *_: None)


def test_a_variable_that_only_you_have_is_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "yaat.yaml"
    config.write_text("version: 1\nstate_dir: /data/x\nshutdown_grace: 33s\nenvironment: ${env:ONLY_YOURS}\n")
    missing = configured.read(config)
    assert (missing.state_dir, len(missing.notes)) == (Path("/data/x"), 1)
    assert "ONLY_YOURS" in missing.notes[0]
    monkeypatch.setenv("ONLY_YOURS", "prod")
    yours = configured.read(config)
    assert (yours.grace, len(yours.notes)) == (33.0, 1)
    config.write_text("version: 1\n")
    assert configured.read(config).state_dir == Path("/var/lib/yaat")
