"""Plans for machines as they may be: nothing is done here."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest

from yaat_core.cli.door import Door
from yaat_core.cli.plans import show
from yaat_core.errors import UsageError
from yaat_core.service import installing, removing, unit
from yaat_core.service.facts import Facts, SystemUser, UnitFile
from yaat_core.service.installing import ForeignUnit, OutOfReach, Wish
from yaat_core.service.plan import Plan
from yaat_core.service.program import Program, readable_by
from yaat_core.service.removing import Removal


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Program:
    """A program that every user can run, wherever the tests run from."""
    monkeypatch.setattr(installing, "out_of_reach", lambda _: None)
    return Program(how="venv", path=Path("/opt/yaat/bin/yaat"), prefix=Path("/opt/yaat"))


@pytest.fixture
def bare(program: Program) -> Facts:
    """A machine where nothing of ours is."""
    return Facts(
        root=True, hostname="box", systemd=252, groups={"adm": 4, "systemd-journal": 101}, program=program
    )


@pytest.fixture
def wish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wish:
    """A configuration in the usual folder, which is one of the test's own."""
    monkeypatch.setattr(unit, "CONFIG_DIR", tmp_path / "etc")
    return Wish(config=tmp_path / "etc" / "yaat.yaml")


def installed(bare: Facts, wish: Wish) -> Facts:
    """The same machine after an install."""
    text = next(step.text for step in installing.plan(bare, wish).steps if step.target == str(unit.UNIT_FILE))
    return attrs.evolve(
        bare,
        user=SystemUser(uid=990, gid=990, ours=True),
        unit=UnitFile(path=unit.UNIT_FILE, text=text or ""),
        enabled=True,
        active=True,
    )


def told(plan: Plan, capsys: pytest.CaptureFixture[str]) -> str:
    show(Door(), plan, texts=True)
    return capsys.readouterr().out


def doing(plan: Plan) -> list[tuple[str, str]]:
    return [(step.kind, step.target or " ".join(step.command)) for step in plan.changes]


def test_a_bare_machine_gets_everything_in_order(bare: Facts, wish: Wish) -> None:
    plan = installing.plan(bare, wish)
    assert doing(plan) == [
        ("user", "yaat"),
        ("folder", str(wish.config.parent)),
        ("write", str(wish.config)),
        ("write", "/etc/systemd/system/yaat.service"),
        ("run", "systemctl daemon-reload"),
        ("run", "systemctl enable yaat.service"),
        ("run", "systemctl start yaat.service"),
    ]
    (user,) = (step for step in plan.steps if step.kind == "user")
    assert user.command[0] == "useradd"
    assert {"--system", "/usr/sbin/nologin"} <= set(user.command)


def test_an_install_once_more_changes_the_unit_only_where_it_differs(bare: Facts, wish: Wish) -> None:
    now = installed(bare, wish)
    same = installing.plan(now, wish)
    assert not [
        step for step in same.changes if step.kind in ("user", "run") or "yaat.service" in step.target
    ]
    other = installing.plan(now, attrs.evolve(wish, read_all_logs=True))
    assert [step.command for step in other.changes if step.kind == "run"] == [
        ("systemctl", "daemon-reload"),
        ("systemctl", "restart", "yaat.service"),
    ]
    assert any("every file of this machine" in note for note in other.notes)


def test_no_start_leaves_it_stopped(bare: Facts, wish: Wish) -> None:
    plan = installing.plan(bare, attrs.evolve(wish, start=False))
    assert not [step for step in plan.steps if "start" in step.command]


def test_groups_that_the_machine_lacks_are_left_out_and_told(bare: Facts, wish: Wish) -> None:
    plan = installing.plan(attrs.evolve(bare, groups={"systemd-journal": 7}), wish)
    (text,) = (step.text or "" for step in plan.steps if step.target == str(unit.UNIT_FILE))
    assert "SupplementaryGroups=systemd-journal\n" in text
    assert any("no group adm" in note for note in plan.notes)


def test_docker_only_where_there_is_its_group(bare: Facts, wish: Wish) -> None:
    wish = attrs.evolve(wish, docker=True)
    with pytest.raises(UsageError, match="no group `docker`"):
        installing.plan(bare, wish)
    plan = installing.plan(attrs.evolve(bare, groups={**bare.groups, "docker": 998}), wish)
    assert any("SupplementaryGroups=adm systemd-journal docker" in (step.text or "") for step in plan.steps)
    assert any("rights of root" in note for note in plan.notes)


@pytest.mark.parametrize(
    ("path", "change", "why"),
    [
        ("/lib/systemd/system/yaat.service", lambda text: text, "did not write"),
        (str(unit.UNIT_FILE), lambda text: "[Service]\nExecStart=/x\n", "did not write"),
        (str(unit.UNIT_FILE), lambda text: text + "Nice=5\n", "edited by hand"),
    ],
    ids=["of a package", "somebody's", "edited"],
)
def test_a_unit_that_is_not_as_we_wrote_it_is_not_overwritten(
    bare: Facts, wish: Wish, path: str, change: Any, why: str
) -> None:
    there = installed(bare, wish).unit
    assert there is not None
    now = attrs.evolve(bare, unit=UnitFile(path=Path(path), text=change(there.text)))
    with pytest.raises(ForeignUnit, match=why):
        installing.plan(now, wish)
    plan = installing.plan(now, attrs.evolve(wish, replace=True))
    assert ("write", str(unit.UNIT_FILE)) in doing(plan)


def test_a_program_in_a_closed_folder_is_refused(
    bare: Facts, wish: Wish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installing, "out_of_reach", lambda _: Path("/home/joe"))
    with pytest.raises(OutOfReach) as refused:
        installing.plan(bare, wish)
    assert refused.value.where == "/home/joe"
    assert "python3 -m venv /opt/yaat" in refused.value.fix


def test_what_a_user_can_read_is_judged_along_the_way(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o755)
    folder.chmod(0o750)
    file = folder / "yaat.yaml"
    file.write_text("")
    file.chmod(0o640)
    gid = folder.stat().st_gid
    uid = folder.stat().st_uid
    below = [
        part
        for part in (readable_by(file, 12345, frozenset({gid})), readable_by(file, uid, frozenset()))
        if part
    ]
    assert all(part not in (folder, file) for part in below)
    stranger = readable_by(file, 12345, frozenset({gid + 1}))
    assert stranger is not None
    assert stranger == folder or stranger in folder.parents


def test_another_state_directory_is_made_and_given(bare: Facts, wish: Wish, tmp_path: Path) -> None:
    state = tmp_path / "data"
    plan = installing.plan(bare, attrs.evolve(wish, state_dir=state))
    assert ("folder", str(state)) in doing(plan)
    state.mkdir()
    again = installing.plan(bare, attrs.evolve(wish, state_dir=state))
    assert ("give", str(state)) in doing(again)


def test_a_configuration_that_is_there_is_kept(bare: Facts, wish: Wish) -> None:
    wish.config.parent.mkdir()
    wish.config.write_text("version: 1\n")
    plan = installing.plan(bare, wish)
    assert ("give", str(wish.config)) in doing(plan)
    assert not [step for step in plan.steps if step.kind == "write" and step.target == str(wish.config)]


def lived_in(folder: Path) -> Path:
    folder.mkdir()
    (folder / "lock").write_text("")
    (folder / "events.duckdb").write_bytes(b"x" * 1000)
    return folder


def test_the_service_goes_and_the_data_is_given_to_root(bare: Facts, wish: Wish, tmp_path: Path) -> None:
    state = lived_in(tmp_path / "state")
    plan = removing.plan(installed(bare, wish), Removal(config=wish.config, state_dir=state))
    assert doing(plan) == [
        ("run", "systemctl stop yaat.service"),
        ("run", "systemctl disable yaat.service"),
        ("remove", "/etc/systemd/system/yaat.service"),
        ("run", "systemctl daemon-reload"),
        ("run", "systemctl reset-failed yaat.service"),
        ("give", str(state)),
        ("forget_user", "yaat"),
    ]
    assert {(one.where, one.bytes) for one in plan.stays if one.bytes} == {(str(state), 1000)}
    assert [one.remove for one in plan.stays if one.what == "the program"] == ["yaat uninstall"]


def test_everything_goes_with_the_data(bare: Facts, wish: Wish, tmp_path: Path) -> None:
    state = lived_in(tmp_path / "state")
    wish.config.parent.mkdir()
    wish.config.write_text("version: 1\n")
    removal = Removal(config=wish.config, state_dir=state, everything=True, keep_data=False)
    plan = removing.plan(installed(bare, wish), removal)
    gone = [target for kind, target in doing(plan) if kind == "remove"]
    assert gone == [str(unit.UNIT_FILE), str(state), str(wish.config.parent), "/opt/yaat"]
    assert [one.where for one in plan.stays] == ["the journal"]


def test_what_is_not_ours_stays(bare: Facts, tmp_path: Path) -> None:
    """A package's unit, somebody's user, a folder in which no agent ran, a configuration of their own, a shared venv."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.tex").write_text("")
    config = home / "yaat.yaml"
    config.write_text("")
    now = attrs.evolve(
        bare,
        unit=UnitFile(path=Path("/lib/systemd/system/yaat.service"), text="[Service]\n"),
        user=SystemUser(uid=5, gid=5, ours=False),
        program=Program(how="shared venv", path=Path("/srv/venv/bin/yaat"), prefix=Path("/srv/venv")),
    )
    removal = Removal(config=config, state_dir=home, everything=True, keep_data=False)
    plan = removing.plan(now, removal)
    assert not plan.steps
    assert {one.where for one in plan.stays} == {
        "/lib/systemd/system/yaat.service",
        "/etc/passwd",
        str(home),
        str(config),
        "/srv/venv",
    }
    (advice,) = (one.remove for one in plan.stays if one.where == "/srv/venv")
    assert "/srv/venv/bin/python -m pip uninstall" in advice
    assert "yaat-core" in advice


@pytest.mark.parametrize(
    ("how", "command"), [("uv", "uv tool uninstall yaat"), ("pipx", "pipx uninstall yaat")]
)
def test_tools_are_removed_by_what_installed_them(bare: Facts, how: Any, command: str) -> None:
    program = Program(how=how, path=Path("/x/bin/yaat"), prefix=Path("/x"))
    plan = removing.plan(attrs.evolve(bare, program=program), Removal(everything=True))
    assert [" ".join(step.command) for step in plan.steps] == [command]


def test_a_plan_is_shown_whole_and_is_json(
    bare: Facts, wish: Wish, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = installing.plan(bare, wish)
    document = json.loads(json.dumps(plan.to_json()))
    assert document["action"] == "install"
    assert [step["kind"] for step in document["steps"]] == [step.kind for step in plan.steps]
    (written,) = (step for step in document["steps"] if step["target"] == str(unit.UNIT_FILE))
    assert written["mode"] == "0644"
    text = told(plan, capsys)
    for step in plan.steps:
        assert step.what in text
        assert (step.target or " ".join(step.command)) in text
    assert "ProtectSystem=strict" in text


def test_this_program_knows_where_it_is() -> None:
    from yaat_core.service import program

    found = program.find()
    assert found.path == Path(sys.prefix) / "bin" / "yaat"
    assert found.how == "source tree"
    assert not found.removable


def test_what_another_user_left_in_the_state_directory_is_given_back(
    bare: Facts, wish: Wish, tmp_path: Path
) -> None:
    state = lived_in(tmp_path / "state")
    owner = state.stat().st_uid
    for uid, wanted in ((owner, []), (owner + 1, [("give", str(state))])):
        now = attrs.evolve(bare, user=SystemUser(uid=uid, gid=1, ours=True))
        plan = installing.plan(now, attrs.evolve(wish, state_dir=state))
        assert [step for step in doing(plan) if step[0] == "give"] == wanted
    assert installing.strangers(state, owner + 1) == 3
