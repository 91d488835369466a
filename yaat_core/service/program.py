"""How this program was installed, and so how it is removed; and whether another user can run it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import attrs

HowInstalled = Literal["uv", "pipx", "venv", "shared venv", "distribution", "source tree", "unknown"]

#: Beside what YAAT needs, these may be in an environment that is YAAT's own.
_TOOLS: Final = frozenset({"pip", "setuptools", "wheel"})
#: What `venv`, pip and uv put into the folder of an environment.
_OF_A_VENV: Final = frozenset(
    {"bin", "lib", "lib64", "include", "share", "etc", "pyvenv.cfg", ".gitignore", ".lock", "CACHEDIR.TAG"}
)


@attrs.frozen(kw_only=True)
class Program:
    """The installed program.

    ``prefix`` is the environment that holds it, ``links`` are the names outside of it through which it is found.
    """

    how: HowInstalled
    path: Path
    prefix: Path
    links: tuple[Path, ...] = ()

    @property
    def removable(self) -> bool:
        """Is the environment YAAT's alone, so that it can go as a whole?"""
        return self.how in ("uv", "pipx", "venv")

    def removal(self) -> str:
        """The command that removes it, for a person."""
        if self.how == "uv":
            return "uv tool uninstall yaat"
        if self.how == "pipx":
            return "pipx uninstall yaat"
        if self.how == "venv":
            return f"rm -r {self.prefix}"
        if self.how == "distribution":
            return "apt-get remove yaat, dnf remove yaat, or as it was installed"
        if self.how == "source tree":
            return f"rm -r {self.prefix}, and the source tree"
        names = " ".join(sorted(_ours()))
        return f"{self.prefix / 'bin' / 'python'} -m pip uninstall {names}"


def find() -> Program:
    """The program that runs now."""
    prefix = Path(sys.prefix)
    path = prefix / "bin" / "yaat"
    if not path.exists():
        path = Path(sys.argv[0]).absolute()
    links = tuple(_links(path)) if sys.prefix != sys.base_prefix else ()
    return Program(how=_how(prefix), path=path, prefix=prefix, links=links)


def out_of_reach(program: Path) -> Path | None:
    """The first file or folder that keeps other users from running the program; None: they can.

    Looks at the program, the interpreter behind it, its standard library and the code, through every link.
    """
    code = Path(__file__).resolve()
    interpreter = Path(sys.executable)
    library = Path(os.__file__)
    for path in (program, interpreter, library, code):
        for part in _way(path):
            if not _open_to_all(part):
                return part
    return None


def readable_by(path: Path, uid: int | None, gids: frozenset[int]) -> Path | None:
    """As `out_of_reach`, for a user (None: one that is not made yet) and a file that is only read."""
    for part in _way(path):
        found = part.stat()
        wanted = stat.S_IXOTH if stat.S_ISDIR(found.st_mode) else stat.S_IROTH
        if not (
            found.st_mode & wanted
            or (found.st_gid in gids and found.st_mode & (wanted << 3))
            or (found.st_uid == uid and found.st_mode & (wanted << 6))
        ):
            return part
    return None


def _way(path: Path) -> Iterator[Path]:
    """Every folder on the way to a path and to what it is a link to, outermost first, then the file."""
    for one in dict.fromkeys((path.absolute(), path.resolve())):
        yield from reversed(one.parents)
        yield one


def _open_to_all(part: Path) -> bool:
    mode = part.stat().st_mode
    return bool(mode & (stat.S_IXOTH if stat.S_ISDIR(mode) else stat.S_IROTH))


def _how(prefix: Path) -> HowInstalled:
    if any(_is_editable(name) for name in _ours()):
        return "source tree"
    if (prefix / "uv-receipt.toml").exists():
        return "uv"
    if (prefix / "pipx_metadata.json").exists():
        return "pipx"
    if (prefix / "pyvenv.cfg").exists():
        return "venv" if _is_alone() and _has_nothing_else(prefix) else "shared venv"
    return "distribution" if prefix in (Path("/usr"), Path("/opt/yaat")) else "unknown"


def _is_editable(name: str) -> bool:
    """PEP 610: a tree that is installed by link."""
    text = importlib.metadata.distribution(name).read_text("direct_url.json")
    return bool(text and json.loads(text).get("dir_info", {}).get("editable"))


def _ours() -> list[str]:
    return [name for name in _installed() if name == "yaat" or name.startswith("yaat-")]


def _installed() -> set[str]:
    names = (one.metadata["Name"] for one in importlib.metadata.distributions())
    return {_canonical(name) for name in names if name}


def _is_alone() -> bool:
    """Is everything in this environment YAAT, a plugin of it, or what those need?"""
    installed = _installed()
    known: set[str] = set()
    waiting = list(_ours())
    while waiting:
        name = waiting.pop()
        if name in known or name not in installed:
            continue
        known.add(name)
        needs = importlib.metadata.distribution(name).requires or ()
        waiting += [_name(one) for one in needs]
    return not installed - known - _TOOLS


def _has_nothing_else(prefix: Path) -> bool:
    """No file of somebody's lies in the environment's folder, as in a project that is its own environment."""
    return {path.name for path in prefix.iterdir()} <= _OF_A_VENV


def _name(requirement: str) -> str:
    """The distribution that a requirement (PEP 508) begins with."""
    return _canonical(re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0])


def _canonical(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _links(program: Path) -> Iterator[Path]:
    """Links on PATH, and where programs of all users are, that lead to this program."""
    folders = [*os.environ.get("PATH", "").split(os.pathsep), "/usr/local/bin", "/usr/bin"]
    for folder in dict.fromkeys(filter(None, folders)):
        link = Path(folder) / program.name
        if link.is_symlink() and link.resolve() == program.resolve() and link != program:
            yield link
