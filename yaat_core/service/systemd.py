"""Talking to systemd: through `systemctl` and `journalctl`, as a person would."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from yaat_core.errors import YaatError

#: Made by systemd when it is the machine's first process (sd_booted(3)).
_BOOTED: Final = Path("/run/systemd/system")
#: Seconds: a start waits until the agent is ready, a stop until it has delivered.
_LONGEST: Final = 900.0


class NoSystemd(YaatError):
    """There is no systemd to give the service to."""

    code = "YAAT-E901"


def why_not() -> str:
    """Why services can't be managed here; empty when they can."""
    if shutil.which("systemctl") is None:
        return "systemctl is not installed"
    if not _BOOTED.is_dir():
        return "this machine was not booted by systemd (a container, WSL without systemd, or another init)"
    return ""


def need_systemd() -> None:
    """Refuse where there is none.

    Raises:
        NoSystemd: with what to do instead.
    """
    if why := why_not():
        raise NoSystemd(
            "there is no systemd here that could run the service",
            cause=why,
            fix="run the agent by what starts programs here: `yaat run -c /etc/yaat/yaat.yaml`; in a container it is the command",
        )


def version() -> int:
    """Its version, 0 when it can't be told."""
    said = call("--version", check=False).stdout
    found = re.match(r"systemd (\d+)", said)
    return int(found[1]) if found else 0


def show(unit: str, *properties: str) -> Mapping[str, str]:
    """Properties of a unit; for one that does not exist systemd answers, too."""
    said = call("show", unit, f"--property={','.join(properties)}", check=False).stdout
    return dict(line.split("=", 1) for line in said.splitlines() if "=" in line)


def call(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run `systemctl`.

    Raises:
        subprocess.CalledProcessError: with ``check``, when it fails.
    """
    return run(("systemctl", "--no-pager", *arguments), check=check)


def journal(unit: str, lines: int = 15) -> Sequence[str]:
    """The last lines that the unit logged."""
    if shutil.which("journalctl") is None:
        return ()
    command = ("journalctl", "--no-pager", "-q", "-u", unit, "-n", str(lines), "-o", "cat")
    return run(command, check=False).stdout.splitlines()


def run(command: Sequence[str], *, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with nothing on stdin and messages in plain English."""
    return subprocess.run(
        command,
        check=check,
        capture_output=True,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        timeout=_LONGEST,
        env={**os.environ, "LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0"},
    )
