"""Who the agent is in the journal: its unit, or its process, so that its own log is not read in a circle."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

MACHINE_ID = Path("/etc/machine-id")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
CGROUP = Path("/proc/self/cgroup")


def boot_id() -> str:
    """The present boot, 32 hex digits."""
    return BOOT_ID.read_text(encoding="ascii").strip().replace("-", "")


@attrs.frozen(kw_only=True)
class Own:
    """``unit`` is set when this process is the unit's main one; everything is bound to this machine."""

    machine: str
    boot: str
    pid: int
    unit: str = ""
    user: bool = False
    """The unit belongs to a user's manager."""

    @classmethod
    def found(cls) -> Own:
        """As the system says."""
        unit, user = _unit(CGROUP.read_text(encoding="utf-8", errors="replace"))
        try:
            machine = MACHINE_ID.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            machine = ""
        return cls(
            machine=machine,
            boot=boot_id(),
            pid=os.getpid(),
            unit=unit if _is_main() else "",
            user=user,
        )

    def maps(self) -> Sequence[Mapping[str, str]]:
        """Fields of entries that this agent wrote; none where the machine has no id."""
        if not self.machine:
            return ()
        here = {"_MACHINE_ID": self.machine}
        process = {**here, "_BOOT_ID": self.boot, "_PID": str(self.pid)}
        if not self.unit:
            return (process,)
        return (process, {**here, "_SYSTEMD_USER_UNIT" if self.user else "_SYSTEMD_UNIT": self.unit})


def _is_main() -> bool:
    """Did systemd start this very process? Other processes of a unit (a shell of a session) don't speak for all of it."""
    if "SYSTEMD_EXEC_PID" in os.environ:  # since systemd 248
        return os.environ["SYSTEMD_EXEC_PID"] == str(os.getpid())
    return "INVOCATION_ID" in os.environ and Path(f"/proc/{os.getppid()}/comm").read_bytes() == b"systemd\n"


def _unit(cgroup: str) -> tuple[str, bool]:
    """The service that the control group is of, and whether it is a user's (cgroup v2, or v1's systemd hierarchy)."""
    for line in cgroup.splitlines():
        _number, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers in ("", "name=systemd"):
            parts = [part for part in path.split("/") if part.endswith(".service")]
            if parts and not parts[-1].startswith("user@"):
                return parts[-1], any(part.startswith("user@") for part in parts[:-1])
    return "", False
