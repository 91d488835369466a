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
cp -r --no-preserve=mode /brought/site/. {prefix}/lib/python{version}/site-packages/
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
        return json.loads(self.run(YAAT, *arguments, "--json").stdout)

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
            time.sleep(0.3)
        return found

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


def _brought(folder: Path) -> None:
    """Wheels of this tree, and what they need of other distributions."""
    build(folder / "wheels")
    here = Path(sysconfig.get_path("purelib"))
    for name in closure(["yaat"]):
        if not name.startswith("yaat"):
            _copy(name, here, folder / "site")
    _copy("pip", here, folder / "pip")


def _copy(name: str, here: Path, into: Path) -> None:
    files = importlib.metadata.distribution(name).files or ()
    tops = {file.parts[0] for file in files if file.parts[0] not in ("..", "__pycache__")}
    into.mkdir(exist_ok=True)
    subprocess.run(["cp", "-r", *(str(here / top) for top in sorted(tops)), str(into)], check=True)


@contextmanager
def machine(folder: Path) -> Iterator[Machine]:
    """A host with the program installed; ``folder`` is where it is brought from."""
    folder.chmod(0o755)
    base = Path(sys.base_prefix)
    mounts = [] if base == Path("/usr") else ["-v", f"{base}:{base}:ro"]
    with host("service", "-v", f"{folder}:/brought:ro", *mounts) as name:
        one = Machine(name)
        python = _python(one, base)
        _brought(folder)
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        one.shell(_INSTALL.format(python=python, prefix=PREFIX, version=version))
        yield one


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
