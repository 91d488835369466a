"""Wheels of this tree, and clean environments that see nothing but what was declared."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent.parent


def folders() -> list[Path]:
    """Where the distributions are, the meta-package included."""
    return [ROOT, ROOT / "yaat_core", *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]


def build(into: Path) -> list[Path]:
    """A wheel of every distribution, as `make dist` builds them; returns their paths."""
    for folder in folders():
        command = [
            sys.executable,
            "-m",
            "build",
            "--wheel",
            "--no-isolation",
            "--outdir",
            str(into),
            str(folder),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return sorted(into.glob("*.whl"))


def requirements(
    distribution: importlib.metadata.Distribution, extras: Iterable[str] = ()
) -> Iterator[Requirement]:
    """What it requires here and now, with these extras."""
    for text in distribution.requires or ():
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield requirement


def closure(names: Iterable[str]) -> set[str]:
    """Canonical names of everything that these distributions need, themselves included."""
    found: set[str] = set()
    waiting = [Requirement(name) for name in names]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        key = f"{name}[{','.join(sorted(requirement.extras))}]"
        if key not in found:
            found.add(key)
            waiting += requirements(importlib.metadata.distribution(name), requirement.extras)
    return {key.partition("[")[0] for key in found}


class CleanEnvironment:
    """A virtual environment with some of our wheels, and of the rest only what those declare to need.

    Third-party packages are linked from the environment that runs the tests: no network, and a package
    that nobody declared is not there.
    """

    def __init__(self, place: Path, wheels: Path, names: list[str]) -> None:
        self.bin = place / "bin"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
        pip = [
            sys.executable,
            "-m",
            "pip",
            "--python",
            str(self.bin / "python"),
            "--disable-pip-version-check",
        ]
        command = [*pip, "install", "-q", "--no-index", "--no-deps", "--find-links", str(wheels), *names]
        subprocess.run(command, check=True, capture_output=True, text=True)
        site = Path(
            self.python("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip()
        )
        for name in closure(names):
            if not name.startswith("yaat"):
                link_distribution(name, site)

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run its interpreter, isolated from the environment and the working directory."""
        return self.run(str(self.bin / "python"), "-I", *arguments)

    def yaat(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run its `yaat`."""
        return self.run(str(self.bin / "yaat"), *arguments)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run anything; the exit code is the caller's to look at."""
        clean = {"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": str(self.bin.parent), "LANG": "C.UTF-8"}
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
            cwd=self.bin.parent,
            env=clean,
        )


def link_distribution(name: str, into: Path) -> None:
    """Make an installed distribution visible in another environment of the same Python."""
    here = Path(sysconfig.get_path("purelib"))
    tops = {
        file.parts[0] for file in importlib.metadata.distribution(name).files or () if file.parts[0] != ".."
    }
    for top in tops - {"__pycache__"}:
        if not (into / top).exists():
            (into / top).symlink_to(here / top)
