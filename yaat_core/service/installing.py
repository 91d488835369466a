"""What an install does. Pure but for looking at the configuration's and the program's files."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import attrs

from yaat_core.errors import UsageError, YaatError
from yaat_core.service import unit
from yaat_core.service.facts import MADE_BY_US, Facts
from yaat_core.service.plan import Plan, Stays, Step
from yaat_core.service.program import out_of_reach, readable_by

#: The configuration of a machine that has none: found logs, secrets scrubbed, the local database.
STARTER: Final = """\
# The configuration of the YAAT service. Nothing else is needed: what runs on this machine is found (`yaat detect`), its logs are
# read, secrets are taken out, and events go into the local database. docs/configuration.md has every key.
version: 1
state_dir: /var/lib/yaat
"""
CONFIG: Final = unit.CONFIG_DIR / "yaat.yaml"
#: Beside it: a backend's key, as `yaat setup` writes it.
KEY_FILE: Final = "api_key"
_NO_LOGIN: Final = "/usr/sbin/nologin"


class NotRoot(YaatError):
    """Only root may change the machine's services."""

    code = "YAAT-E902"
    exit_code = 4


class ForeignUnit(YaatError):
    """A unit of this name is there that is not ours, or was edited."""

    code = "YAAT-E903"


class OutOfReach(YaatError):
    """The service's user could not run the program or read the configuration."""

    code = "YAAT-E904"
    exit_code = 2


@attrs.frozen(kw_only=True)
class Wish:
    """What the person asked for, and what their configuration says."""

    config: Path = CONFIG
    """Absolute. May be missing only at its usual place, where a first one is written."""
    state_dir: Path = unit.STATE_DIR
    grace: float = 10.0
    read_all_logs: bool = False
    docker: bool = False
    writable: Sequence[Path] = ()
    replace: bool = False
    """Overwrite a unit that is not ours, or was edited."""
    start: bool = True


def plan(facts: Facts, wish: Wish) -> Plan:
    """The steps from here to a running service.

    Raises:
        ForeignUnit: `replace` was not asked for.
        OutOfReach: the service's user could not run the program, or read the configuration.
        UsageError: a group is missing, or a path can't stand in a unit.
    """
    made = _unit(facts, wish)
    _check_unit_file(facts, wish)
    _check_reach(facts, wish)
    steps = [
        *_user(facts),
        *_config(facts, wish),
        *_state(facts, wish),
        *_service(facts, wish, unit.text(made)),
    ]
    return Plan(action="install", steps=steps, stays=_stays(facts), notes=[*_notes(facts, wish)])


def _unit(facts: Facts, wish: Wish) -> unit.Unit:
    if wish.docker and unit.DOCKER not in facts.groups:
        raise UsageError(
            f"there is no group `{unit.DOCKER}` on this machine",
            fix="install the engine first, or leave --docker out; a rootless engine's socket belongs to its user",
        )
    for path in (facts.program.path, wish.config, wish.state_dir, *wish.writable):
        unit.check_path(path)
    wanted = (*unit.LOG_GROUPS, *((unit.DOCKER,) if wish.docker else ()))
    return unit.Unit(
        program=facts.program.path,
        config=wish.config,
        state_dir=wish.state_dir,
        groups=[name for name in wanted if name in facts.groups],
        read_all_logs=wish.read_all_logs,
        writable=wish.writable,
        grace=wish.grace,
        systemd=facts.systemd,
    )


def _check_unit_file(facts: Facts, wish: Wish) -> None:
    there = facts.unit
    if there is None or wish.replace:
        return
    if not there.ours:
        raise ForeignUnit(
            f"there is a unit {unit.NAME} already that `yaat service install` did not write",
            where=str(there.path),
            fix="keep it (`systemctl enable --now yaat`), remove it, or overwrite it with --replace",
        )
    if unit.is_edited(there.text):
        raise ForeignUnit(
            f"the unit {unit.NAME} was edited by hand since it was installed",
            where=str(there.path),
            effect="an install would undo that",
            fix="move the changes into `systemctl edit yaat`, which every install keeps, then use --replace",
        )


def _check_reach(facts: Facts, wish: Wish) -> None:
    shut = out_of_reach(facts.program.path)
    if shut is not None:
        raise OutOfReach(
            f"the user {unit.USER} could not run {facts.program.path}",
            where=str(shut),
            cause="that folder or file is closed to other users",
            fix="install YAAT where every user gets at it: `python3 -m venv /opt/yaat && /opt/yaat/bin/pip install yaat` "
            "under umask 022, or `pipx install --global yaat`",
        )
    if wish.config.exists() and not _ours_to_open(wish.config):
        gids = frozenset({facts.user.gid}) if facts.user else frozenset[int]()
        shut = readable_by(wish.config, facts.user.uid if facts.user else None, gids)
        if shut is not None:
            raise OutOfReach(
                f"the user {unit.USER} could not read {wish.config}",
                where=str(shut),
                fix=f"put it where the service looks: install -D -m 0640 {wish.config} {CONFIG}; "
                "relative paths in it count from its folder",
            )


def _ours_to_open(config: Path) -> bool:
    """Does the install give it to the service's group?"""
    return config.parent == unit.CONFIG_DIR


def _user(facts: Facts) -> Iterator[Step]:
    # A group of that name may be there already.
    group = ("--gid", unit.USER) if unit.USER in facts.groups else ("--user-group",)
    command = (
        *("useradd", "--system", *group, "--no-create-home", "--home-dir", str(unit.STATE_DIR)),
        *("--shell", _NO_LOGIN, "--comment", MADE_BY_US, unit.USER),
    )
    what = f"the system user {unit.USER}, without a password and a login"
    yield Step(kind="user", what=what, target=unit.USER, command=command, done=facts.user is not None)


def _config(facts: Facts, wish: Wish) -> Iterator[Step]:
    if not _ours_to_open(wish.config):
        return
    owner = f"root:{unit.USER}"
    folder = unit.CONFIG_DIR
    yield Step(
        kind="folder",
        what=f"the folder of the configuration, for root and the group {unit.USER}",
        target=str(folder),
        mode=0o750,
        owner=owner,
        done=_is(folder, 0o750, 0, facts.user.gid if facts.user else None),
    )
    if wish.config.exists():
        yield Step(
            kind="give",
            what=f"let the group {unit.USER} read the configuration",
            target=str(wish.config),
            mode=0o640,
            owner=owner,
            command=("chown", owner, str(wish.config)),
            done=_is(wish.config, 0o640, 0, facts.user.gid if facts.user else None),
        )
        key = wish.config.parent / KEY_FILE
        if key.is_file() and not key.is_symlink():
            yield Step(
                kind="give",
                what=f"let the group {unit.USER} read the backend's key",
                target=str(key),
                mode=0o640,
                owner=owner,
                command=("chown", owner, str(key)),
                done=_is(key, 0o640, 0, facts.user.gid if facts.user else None),
            )
        return
    yield Step(
        kind="write",
        what="a first configuration: what is found on this machine, into the local database",
        target=str(wish.config),
        text=STARTER,
        mode=0o640,
        owner=owner,
    )


def _state(facts: Facts, wish: Wish) -> Iterator[Step]:
    """systemd makes the usual state directory, and gives it to the user; another one is made here."""
    owner = f"{unit.USER}:{unit.USER}"
    uid = facts.user.uid if facts.user else None
    if wish.state_dir != unit.STATE_DIR:
        yield Step(
            kind="folder",
            what="the state directory, for the service alone",
            target=str(wish.state_dir),
            mode=0o750,
            owner=owner,
            done=_is(wish.state_dir, 0o750, uid, facts.user.gid) if facts.user else False,
        )
    yield from give_back(wish.state_dir, uid)


def give_back(state_dir: Path, uid: int | None) -> Iterator[Step]:
    """What somebody else owns in the state directory, as after a command of root, becomes the service's again.

    The usual one whose user is made anew is given to it by systemd.
    """
    if (uid is None and state_dir == unit.STATE_DIR) or not strangers(state_dir, uid):
        return
    owner = f"{unit.USER}:{unit.USER}"
    yield Step(
        kind="give",
        what="what another user owns in the state directory",
        target=str(state_dir),
        owner=owner,
        command=("chown", "-R", owner, str(state_dir)),
    )


def strangers(folder: Path, uid: int | None) -> int:
    """How many files and folders in it another user owns; what can't be looked at does not count."""
    found = 0
    for place, _, names in os.walk(folder):
        with contextlib.suppress(OSError):
            found += sum(
                os.lstat(path).st_uid != uid for path in (place, *(f"{place}/{name}" for name in names))
            )
    return found


def _service(facts: Facts, wish: Wish, text: str) -> Iterator[Step]:
    same = facts.unit is not None and facts.unit.path == unit.UNIT_FILE and facts.unit.text == text
    written = Step(
        kind="write",
        what="the unit" if facts.unit is None or same else "the unit, anew",
        target=str(unit.UNIT_FILE),
        text=text,
        mode=0o644,
        owner="root:root",
        done=same,
    )
    yield written
    yield _run("systemd reads its units again", "daemon-reload", done=same)
    yield _run("start it at every boot", "enable", unit.NAME, done=facts.enabled)
    if not wish.start:
        return
    if facts.active and not same:
        yield _run(
            "start it anew, since its unit is another one, and wait until it is ready", "restart", unit.NAME
        )
    else:
        yield _run("start it now, and wait until it is ready", "start", unit.NAME, done=facts.active)


def _run(what: str, *arguments: str, done: bool = False) -> Step:
    return Step(kind="run", what=what, command=("systemctl", *arguments), done=done)


def _is(path: Path, mode: int, uid: int | None, gid: int | None) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    return (found.st_mode & 0o7777, found.st_uid, found.st_gid) == (mode, uid, gid)


def _stays(facts: Facts) -> Sequence[Stays]:
    return [
        Stays(
            what="your changes to the unit",
            where=str(path),
            why="made by `systemctl edit`, they go on to hold",
        )
        for path in facts.drop_ins
    ]


def _notes(facts: Facts, wish: Wish) -> Iterator[str]:
    missing = [name for name in unit.LOG_GROUPS if name not in facts.groups]
    if missing and not wish.read_all_logs:
        yield (
            f"this machine has no group {' or '.join(missing)}: logs that are not readable for all need access lists "
            "(docs/permissions.md) or --read-all-logs"
        )
    if wish.read_all_logs:
        yield "--read-all-logs lets the service read every file of this machine, whatever its mode"
    if wish.docker:
        yield "who is in the group docker has the rights of root through the engine"
    owner = facts.program.path.stat().st_uid if facts.program.path.exists() else 0
    if owner:
        yield f"{facts.program.path} belongs to user {owner}, who can change what the service does"
