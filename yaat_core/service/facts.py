"""What is on this machine that a plan depends on. Looks, and changes nothing."""

from __future__ import annotations

import grp
import os
import pwd
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from yaat_core.service import program, systemd, unit
from yaat_core.service.program import Program

#: The comment (GECOS) of a user that `yaat service install` made: only such a one is removed again.
MADE_BY_US = "YAAT agent, made by yaat service install"


@attrs.frozen(kw_only=True)
class SystemUser:
    """The user `yaat`, where there is one."""

    uid: int
    gid: int
    ours: bool
    """Made by `yaat service install`."""


@attrs.frozen(kw_only=True)
class UnitFile:
    """A unit `yaat.service` that is there."""

    path: Path
    text: str

    @property
    def ours(self) -> bool:
        """Written by `yaat service install`, where that writes."""
        return self.path == unit.UNIT_FILE and unit.is_ours(self.text)


@attrs.frozen(kw_only=True)
class Facts:
    """The machine as it is now."""

    root: bool
    hostname: str
    why_no_systemd: str = ""
    systemd: int = 0
    groups: Mapping[str, int] = attrs.field(factory=dict)
    """Every group by name."""
    user: SystemUser | None = None
    unit: UnitFile | None = None
    enabled: bool = False
    active: bool = False
    drop_ins: Sequence[Path] = ()
    program: Program


def look() -> Facts:
    """Everything, now."""
    why = systemd.why_not()
    now = {} if why else systemd.show(unit.NAME, "FragmentPath", "UnitFileState", "ActiveState")
    return Facts(
        root=os.geteuid() == 0,
        hostname=socket.gethostname(),
        why_no_systemd=why,
        systemd=0 if why else systemd.version(),
        groups={one.gr_name: one.gr_gid for one in grp.getgrall()},
        user=_user(),
        unit=_unit_file(now.get("FragmentPath", "")),
        enabled=now.get("UnitFileState") == "enabled",
        active=now.get("ActiveState") in ("active", "activating", "reloading", "deactivating"),
        drop_ins=tuple(sorted(unit.DROP_INS.glob("*.conf"))),
        program=program.find(),
    )


def _user() -> SystemUser | None:
    try:
        found = pwd.getpwnam(unit.USER)
    except KeyError:
        return None
    return SystemUser(uid=found.pw_uid, gid=found.pw_gid, ours=found.pw_gecos == MADE_BY_US)


def _unit_file(known: str) -> UnitFile | None:
    path = Path(known) if known else unit.UNIT_FILE
    try:
        return UnitFile(path=path, text=path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
