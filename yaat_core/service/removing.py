"""What an uninstall does: of the service alone, or of everything. Pure but for looking at sizes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import attrs

from yaat_core.control import lock
from yaat_core.service import unit
from yaat_core.service.facts import Facts
from yaat_core.service.plan import Plan, Stays, Step, weight

_ROOT: Final = "root:root"


@attrs.frozen(kw_only=True)
class Removal:
    """How much is to go. ``config`` and ``state_dir``: where they are, None: there are none."""

    config: Path | None = None
    state_dir: Path | None = None
    everything: bool = False
    """The program too, and configuration and data unless they are kept."""
    keep_data: bool = True


def plan(facts: Facts, removal: Removal) -> Plan:
    """The steps to a machine without the service, or without any of it."""
    purge = removal.everything and not removal.keep_data
    steps = [*_service(facts), *_data(facts, removal, purge=purge), *_user(facts)]
    if removal.everything:
        steps += _program(facts)
    return Plan(action="uninstall", steps=steps, stays=[*_stays(facts, removal, purge=purge)])


def needs_root(facts: Facts) -> bool:
    """Is there anything that only root may remove?"""
    return (facts.unit is not None and facts.unit.ours) or (facts.user is not None and facts.user.ours)


def _service(facts: Facts) -> Iterator[Step]:
    if facts.unit is None or not facts.unit.ours:
        return
    if facts.active:
        yield _run(
            "stop the service: what is on its way is delivered or stays in the queue", "stop", unit.NAME
        )
    yield _run("it does not start at boot any more", "disable", unit.NAME, done=not facts.enabled)
    yield _remove("the unit", unit.UNIT_FILE)
    if unit.DROP_INS.is_dir():
        yield _remove("your changes to the unit", unit.DROP_INS)
    yield _run("systemd reads its units again", "daemon-reload")
    yield Step(
        kind="run",
        what="systemd forgets how the service ended",
        command=("systemctl", "reset-failed", unit.NAME),
        may_fail=True,
    )


def _data(facts: Facts, removal: Removal, *, purge: bool) -> Iterator[Step]:
    """Removed; or given to root, so that no later user with the same number owns it."""
    goes = facts.user is not None and facts.user.ours
    for what, path in _places(removal):
        if purge:
            yield _remove(what, path)
        elif goes:
            yield Step(
                kind="give",
                what=f"{what}: kept, and given to root",
                target=str(path),
                owner=_ROOT,
                command=("chown", "-R", _ROOT, str(path)),
            )


def _places(removal: Removal) -> Iterator[tuple[str, Path]]:
    """What is ours to remove: the state directory, and a folder of configuration of ours."""
    if removal.state_dir is not None and is_state_dir(removal.state_dir):
        yield "the data: queue, database, positions, dead letters", removal.state_dir
    if removal.config is not None and removal.config.exists() and _is_our_folder(removal.config.parent):
        yield "the configuration", removal.config.parent


def is_state_dir(path: Path) -> bool:
    """Did an agent live here? Nothing else is ever removed."""
    return (path / lock.FILE).is_file() and not path.is_symlink()


def _is_our_folder(folder: Path) -> bool:
    return folder == unit.CONFIG_DIR or (folder.name == "yaat" and folder.parent.name == ".config")


def _user(facts: Facts) -> Iterator[Step]:
    if facts.user is not None and facts.user.ours:
        yield Step(
            kind="forget_user",
            what=f"the system user {unit.USER} and its group",
            target=unit.USER,
            command=("userdel", unit.USER),
        )


def _program(facts: Facts) -> Iterator[Step]:
    program = facts.program
    if not program.removable:
        return
    for link in program.links:
        yield _remove("a link to the program", link)
    if program.how == "venv":
        yield _remove("the program", program.prefix)
        return
    yield Step(
        kind="run",
        what="the program",
        target=str(program.prefix),
        command=program.removal().split(),
        bytes=weight(program.prefix),
    )


def _stays(facts: Facts, removal: Removal, *, purge: bool) -> Iterator[Stays]:
    yield from _stays_of_service(facts)
    if not purge:
        for what, path in _places(removal):
            yield Stays(what=what, where=str(path), why="kept", remove=f"rm -r {path}", bytes=weight(path))
    yield from _not_ours(removal)
    if not removal.everything:
        yield Stays(what="the program", where=str(facts.program.path), remove="yaat uninstall")
    elif not facts.program.removable:
        yield Stays(
            what="the program",
            where=str(facts.program.prefix),
            why=_WHY_NOT.get(facts.program.how, "how it was installed is not known"),
            remove=facts.program.removal(),
        )
    if facts.unit is not None and facts.unit.ours:
        yield Stays(
            what="what the service logged",
            where="the journal",
            why="the journal's own limits remove it",
            remove="journalctl --rotate --vacuum-time=1s removes what every service logged",
        )


_WHY_NOT: Final = {
    "distribution": "the distribution's package manager put it there",
    "shared venv": "the environment holds other programs or files, too",
    "source tree": "it runs from a source tree",
}


def _stays_of_service(facts: Facts) -> Iterator[Stays]:
    if facts.unit is not None and not facts.unit.ours:
        yield Stays(
            what="a unit of this name",
            where=str(facts.unit.path),
            why="`yaat service install` did not write it",
            remove=f"systemctl disable --now yaat; rm {facts.unit.path}",
        )
    if facts.unit is not None and facts.unit.ours:
        for path in unit.writable_of(facts.unit.text):
            yield Stays(
                what="a folder that the service could write", where=str(path), why="it may hold other things"
            )
    if facts.user is not None and not facts.user.ours:
        yield Stays(
            what="the user yaat",
            where="/etc/passwd",
            why="`yaat service install` did not make it",
            remove="userdel yaat",
        )


def _not_ours(removal: Removal) -> Iterator[Stays]:
    state, config = removal.state_dir, removal.config
    if state is not None and state.exists() and not is_state_dir(state):
        yield Stays(what="the state directory", where=str(state), why="no agent ever ran in it")
    if removal.everything and config is not None and config.exists() and not _is_our_folder(config.parent):
        yield Stays(
            what="the configuration",
            where=str(config),
            why="it lies in a folder of yours",
            remove=f"rm {config}",
        )


def _remove(what: str, path: Path) -> Step:
    recursive = path.is_dir() and not path.is_symlink()
    command: Sequence[str] = ("rm", "-r", str(path)) if recursive else ("rm", str(path))
    return Step(kind="remove", what=what, target=str(path), command=command, bytes=weight(path))


def _run(what: str, *arguments: str, done: bool = False) -> Step:
    return Step(kind="run", what=what, command=("systemctl", *arguments), done=done)
