"""What goes into a bundle, and where each part of it comes from."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import stat
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import trio

from yaat_core import __version__
from yaat_core.checks import environment
from yaat_core.diagnosis import Diagnosis
from yaat_core.errors import YaatError
from yaat_core.flare.model import Flare, FlareFile, LeftOut
from yaat_core.flare.redacting import NotScanned, Redactor
from yaat_core.hookspecs import API_VERSION
from yaat_core.own_log import LogLine
from yaat_core.plugins import PluginState

#: Bytes of a log that go in, from its end; lines of the journal; seconds that systemd may take to answer.
_TAIL: Final = 256 * 2**10
_LINES: Final = 1_000
_PATIENCE: Final = 10.0
#: Records of the queue and dead letters that are listed.
LISTED: Final = 1_000
#: Names that the service may have when this process is not part of it.
_UNITS: Final = ("yaat.service", "yaat-agent.service")


class NothingThere(Exception):
    """There is nothing to put in; the message says why."""


@attrs.frozen(kw_only=True)
class Piece:
    """One file: ``make`` gives a text (lines) or a JSON-ready value. ``own``: names and numbers of yaat's own alone."""

    name: str
    why: str
    make: Callable[[], Awaitable[Any]]
    own: bool = False


async def gather(pieces: Sequence[Piece], redactor: Redactor) -> Flare:
    """Make each piece and redact it. What can't be made, or can't be scanned, is left out and named."""
    files: list[FlareFile] = []
    left_out: list[LeftOut] = []
    for piece in pieces:
        try:
            files.append(await _redacted(piece, redactor))
        except (NothingThere, NotScanned) as error:
            left_out.append(LeftOut(name=piece.name, why=str(error)))
        except (YaatError, OSError) as error:
            why, counts = _told(error, redactor)
            left_out.append(LeftOut(name=piece.name, why=why if not counts else "it can't be had"))
    return Flare(files=tuple(files), left_out=tuple(left_out), scanned=redactor.scans)


def facts(plugins: Sequence[PluginState]) -> Iterator[Piece]:
    """What is known without any configuration."""
    yield Piece(
        name="environment.json", why="the system, Python, the user, versions", make=_environment, own=True
    )
    yield Piece(
        name="plugins.json", why="plugins and why one failed", make=_given([_plugin(one) for one in plugins])
    )


def judged(diagnosis: Diagnosis, shown: Mapping[str, Any]) -> Iterator[Piece]:
    """The checks, and the effective configuration."""
    yield Piece(
        name="diagnose.json", why="every check and the accounting", make=_given(attrs.asdict(diagnosis))
    )
    yield Piece(name="configuration.json", why="the effective configuration", make=_given(shown))


def logs(*, own: Sequence[LogLine] | None = None) -> Iterator[Piece]:
    """What was logged, and how the service is set up. ``own``: what the agent remembers, when this process is one."""
    if own is not None:
        text = "\n".join(f"{one.time} {one.level:<8} {one.logger}: {one.message}" for one in own)
        yield Piece(name="agent.log", why="the last lines of the agent's own log", make=_given(text))
        yield Piece(name="stderr.log", why="the end of the file that its output goes to", make=_own_log)
    yield Piece(name="unit.txt", why="the systemd unit", make=_unit)
    yield Piece(name="journal.txt", why="the end of the unit's journal", make=_journal)


def given(name: str, why: str, value: Any, *, own: bool = False) -> Piece:
    """A piece that is there already."""
    return Piece(name=name, why=why, make=_given(value), own=own)


async def _redacted(piece: Piece, redactor: Redactor) -> FlareFile:
    value = await piece.make()

    def work() -> tuple[str, Mapping[str, int]]:
        if isinstance(value, str):
            return redactor.text(value)
        return redactor.own(value) if piece.own else redactor.document(value)

    text, counts = await trio.to_thread.run_sync(work)
    return FlareFile(
        name=piece.name, why=piece.why, bytes=len(text.encode("utf-8", "replace")), redacted=counts, text=text
    )


def _told(error: YaatError | OSError, redactor: Redactor) -> tuple[str, Mapping[str, int]]:
    text = error.what if isinstance(error, YaatError) else str(error.strerror or type(error).__name__)
    try:
        return redactor.text(text)
    except NotScanned:
        return "it can't be had", {}


def _given(value: Any) -> Callable[[], Awaitable[Any]]:
    async def make() -> Any:
        return value

    return make


def _plugin(one: PluginState) -> Mapping[str, Any]:
    return {
        "name": one.name,
        "distribution": one.distribution,
        "version": one.version,
        "state": one.state,
        "reason": one.reason,
        "traceback": one.traceback.splitlines(),
        "hooks": list(one.hooks),
        "components": {kind: sorted(types) for kind, types in one.components.items()},
    }


async def _environment() -> Any:
    installed = {dist.name: dist.version for dist in importlib.metadata.distributions() if dist.name}
    return {
        "yaat": __version__,
        "plugin_api": API_VERSION,
        **environment.facts(),
        "variables": sorted(name for name in os.environ if name.startswith("YAAT_")),
        "distributions": dict(sorted(installed.items(), key=lambda one: one[0].lower())),
    }


async def _own_log() -> str:
    """The end of the file that standard error goes to."""
    place = Path(os.readlink("/proc/self/fd/2"))
    status = os.fstat(2)
    if not stat.S_ISREG(status.st_mode):
        raise NothingThere("it goes to no file; see journal.txt, or where the agent was started")
    return await trio.to_thread.run_sync(_tail, place)


def _tail(path: Path) -> str:
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL))
        data = file.read(_TAIL)
    if size > _TAIL:
        data = data.partition(b"\n")[2]  # not from the middle of a line, where half of a secret could stand
    return data.decode("utf-8", "replace")


async def _unit() -> str:
    name = await _unit_name()
    return await _output("systemctl", "cat", "--no-pager", name)


async def _journal() -> str:
    name = await _unit_name()
    return await _output(
        "journalctl", "--no-pager", "--output=short-iso", f"--lines={_LINES}", f"--unit={name}"
    )


async def _unit_name() -> str:
    if not environment.has_systemd() or not shutil.which("systemctl"):
        raise NothingThere("systemd does not run here")
    own = environment.unit()
    for name in (own,) if own else _UNITS:
        if await _output("systemctl", "cat", "--no-pager", name, fails=False):
            return name
    raise NothingThere("no unit of yaat is installed")


async def _output(*command: str, fails: bool = True) -> str:
    """What a program prints.

    Raises:
        NothingThere: it failed, or took too long.
    """
    if not shutil.which(command[0]):
        raise NothingThere(f"{command[0]} is not installed")
    with trio.move_on_after(_PATIENCE):
        done = await trio.run_process(command, capture_stdout=True, capture_stderr=True, check=False)
        if done.returncode == 0 or not fails:
            return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""
        raise NothingThere(f"{command[0]} failed: this user may lack the right, or the unit is not there")
    raise NothingThere(f"{command[0]} did not end within {_PATIENCE:.0f} s")
