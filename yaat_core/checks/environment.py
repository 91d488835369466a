"""Where this runs: system, kernel, Python, container, systemd, user and groups."""

from __future__ import annotations

import grp
import os
import platform
import pwd
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from yaat_core.checks.base import Check, Looking, Surroundings

#: Groups whose members may read what services log.
_READERS: Final = ("adm", "systemd-journal", "docker")


def system(around: Surroundings) -> Iterator[Check]:
    """Facts about the machine; nothing here is wrong by itself."""
    told = facts()
    yield Check(
        name="system", level="ok", what=f"{told['system']}, kernel {told['kernel']}, {told['machine']}"
    )
    yield Check(name="python", level="ok", what=f"{told['python']} at {told['executable']}")
    where = f"in a container ({told['container']})" if told["container"] else "on no container that shows"
    yield Check(name="container", level="ok", what=where)
    yield Check(name="systemd", level="ok", what=told["systemd"])


def user(around: Surroundings) -> Iterator[Check]:
    """Whose rights count here."""
    told = facts()
    missing = [name for name in _READERS[:2] if _exists(name)]
    names = told["groups"].split(", ")
    hint = ""
    if os.geteuid() != 0 and missing and not set(missing) & set(names):
        hint = f"; not in {' or '.join(missing)}, whose members may read most logs"
    whose = "" if around.status else " (this command; a service may have other rights)"
    yield Check(name="user", level="ok", what=f"{told['user']}, groups {told['groups']}{hint}{whose}")


def facts() -> Mapping[str, str]:
    """The same as named texts, for the support bundle."""
    return {
        "system": _system(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "executable": sys.executable,
        "container": container(),
        "systemd": _systemd(),
        "user": _user(os.geteuid()),
        "groups": ", ".join(_group(number) for number in sorted({os.getegid(), *os.getgroups()})),
        "locale": os.environ.get("LC_ALL") or os.environ.get("LANG") or "not set",
        "processors": str(os.cpu_count() or 0),
    }


def container() -> str:
    """Which kind of container this is; empty: none, or none that shows."""
    named = os.environ.get("container", "")  # noqa: SIM112 - as systemd and podman write it
    if named:
        return named
    if Path("/run/.containerenv").exists():
        return "podman"
    if Path("/.dockerenv").exists():
        return "docker"
    if os.environ.get("KUBERNETES_SERVICE_HOST"):
        return "kubernetes"
    try:
        return Path("/run/systemd/container").read_text().strip()
    except OSError:
        return ""


def has_systemd() -> bool:
    """Whether systemd is the init system here (sd_booted(3))."""
    return Path("/run/systemd/system").is_dir()


def unit() -> str:
    """The systemd service that this process belongs to; empty when it is none's."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return ""
    for line in lines:
        last = line.rpartition("/")[2]
        if last.endswith(".service") and not last.startswith("user@"):
            return last
    return ""


def _systemd() -> str:
    if not has_systemd():
        return "not the init system here"
    return f"this process is part of {unit()}" if unit() else "runs; this process is no service of it"


def _system() -> str:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return platform.system()
    return release.get("PRETTY_NAME", release.get("NAME", platform.system()))


def _user(number: int) -> str:
    try:
        return f"{pwd.getpwuid(number).pw_name} ({number})"
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _exists(group: str) -> bool:
    try:
        grp.getgrnam(group)
    except KeyError:
        return False
    return True


LOOKINGS: Final = (
    Looking(name="system", group="environment", look=system),
    Looking(name="user", group="environment", look=user),
)
