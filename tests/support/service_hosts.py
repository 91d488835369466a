"""A booted systemd host with YAAT installed from wheels into /opt/yaat, as an administrator would; no network."""

from __future__ import annotations

import importlib.metadata
import json
import shlex
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from support.engine import host, podman
from support.wheels import build, closure

T = TypeVar("T")
PREFIX = "/opt/yaat"
YAAT = f"{PREFIX}/bin/yaat"
#: Seconds that anything may take.
PATIENCE = 90

_INSTALL = """
umask 022
{python} -m venv --without-pip {prefix}
cd /site && cp -r --no-preserve=mode {needed} {prefix}/lib/python{version}/site-packages/
export PYTHONPATH=/brought/pip PYTHONDONTWRITEBYTECODE=1
{prefix}/bin/python -m pip install -q --no-index --no-deps --no-compile /brought/wheels/*.whl
ln -s {prefix}/bin/yaat /usr/local/bin/yaat
"""


class Machine:
    """One host; commands run as root unless a user is named."""

    def __init__(self, name: str) -> None:
        self.name = name

    def run(self, *command: str, check: bool = True, user: str = "root") -> subprocess.CompletedProcess[str]:
        done = podman("exec", "--user", user, self.name, *command, check=False, timeout=300)
        assert not check or done.returncode == 0, (command, done.stdout[-3000:], done.stderr[-3000:])
        return done

    def shell(self, script: str, *, check: bool = True) -> str:
        return self.run("sh", "-ec", script, check=check).stdout

    def json(self, *arguments: str) -> Any:
        """What `yaat ... --json` prints."""
        done = self.run(YAAT, *arguments, "--json", check=False)
        assert done.returncode == 0, (arguments, done.stdout[-3000:], done.stderr[-3000:], self.log())
        return json.loads(done.stdout)

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Rows; none while the agent can't answer."""
        done = self.run(YAAT, "query", "--json", sql, check=False)
        return list(json.loads(done.stdout)) if done.returncode == 0 else []

    def put(self, path: str, text: str) -> None:
        self.shell(f"mkdir -p $(dirname {path}); printf %s {shlex.quote(text)} > {path}")

    def property(self, name: str, unit: str = "yaat") -> str:
        return self.run("systemctl", "show", unit, "--value", "-p", name).stdout.strip()

    def wait(self, what: Callable[[], T], good: Callable[[T], object] = bool) -> T:
        """Until it is so; fails with the last value and the service's log."""
        deadline = time.monotonic() + PATIENCE
        while not good(found := what()):
            assert time.monotonic() < deadline, (found, self.log())
            time.sleep(0.5)
        return found

    def hostname(self) -> str:
        return self.run("hostname").stdout.strip()

    def log(self) -> str:
        return self.run("journalctl", "-u", "yaat", "-n", "40", "-o", "cat", "--no-pager", check=False).stdout

    def reboot(self, *, power_cut: bool = False) -> None:
        """Down and up again: as `systemctl reboot` does, or with no chance for anybody to write a byte."""
        if power_cut:
            podman("kill", "-s", "KILL", self.name)
        else:
            self.run("systemctl", "reboot", check=False)
        deadline = time.monotonic() + PATIENCE
        while podman("inspect", "-f", "{{.State.Running}}", self.name).stdout.strip() == "true":
            assert time.monotonic() < deadline, "the host does not go down"
            time.sleep(0.3)
        podman("start", self.name)
        self.wait(
            lambda: podman("exec", self.name, "systemctl", "is-system-running", check=False).stdout.strip(),
            lambda state: state in ("running", "degraded"),
        )


SITE = Path(sysconfig.get_path("purelib"))


def _tops(name: str) -> set[str]:
    """The files and folders of a distribution in site-packages."""
    files = importlib.metadata.distribution(name).files or ()
    return {file.parts[0] for file in files if file.parts[0] not in ("..", "__pycache__")}


@contextmanager
def machine(folder: Path) -> Iterator[Machine]:
    """A host that can install the program; ``folder`` is where that is brought from."""
    folder.chmod(0o755)
    base = Path(sys.base_prefix)
    mounts = [] if base == Path("/usr") else ["-v", f"{base}:{base}:ro"]
    with host("service", "-v", f"{folder}:/brought:ro", "-v", f"{SITE}:/site:ro", *mounts) as name:
        build(folder / "wheels")
        (folder / "pip").mkdir()
        subprocess.run(
            ["cp", "-r", *(str(SITE / top) for top in _tops("pip")), str(folder / "pip")], check=True
        )
        yield Machine(name)


def install_program(one: Machine) -> None:
    """Into an environment of its own: wheels of this tree, and copies of what they need."""
    theirs = sorted(name for name in closure(["yaat"]) if not name.startswith("yaat"))
    needed = " ".join(shlex.quote(top) for name in theirs for top in sorted(_tops(name)))
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    python = _python(one, Path(sys.base_prefix))
    one.shell(_INSTALL.format(python=python, prefix=PREFIX, version=version, needed=needed))


def _python(one: Machine, base: Path) -> str:
    """The host's own Python where it is of this version, else the one that runs the tests."""
    wanted = f"{sys.version_info.major}.{sys.version_info.minor}"
    own = one.run("/usr/bin/python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])", check=False)
    if own.stdout.strip() == wanted:
        return "/usr/bin/python3"
    mounted = str(base / "bin" / f"python{wanted}")
    if one.run(mounted, "-c", "import ssl, ctypes", check=False).returncode:
        pytest.skip(f"the host has no Python {wanted}, and this one does not run there")
    return mounted
