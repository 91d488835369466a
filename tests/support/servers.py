"""Real servers for tests: started in folders of their own, on loopback, as a user without rights, and stopped for certain.

A test is skipped with the reason when the program is not installed. Ports are chosen by the kernel; where a server can't be
handed its socket, another port is tried when somebody else was quicker.
"""

from __future__ import annotations

import http.client
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from support.agents import wait_until

PATIENCE = 60.0
_ATTEMPTS = 5
_PLACES = "/usr/sbin:/usr/local/sbin:/usr/local/bin:/usr/bin:/bin"


def program(name: str, *places: str) -> str:
    """Where a program is, looked for in ``places`` (globs of folders) as well; skips the test when it is not installed."""
    folders = [
        str(found) for place in places for found in sorted(Path("/").glob(place.lstrip("/")), reverse=True)
    ]
    found = shutil.which(name) or shutil.which(name, path=":".join([*folders, _PLACES]))
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def _nobody() -> dict[str, Any]:
    """How a process gives its rights away, when there are any to give."""
    if os.getuid() != 0:
        return {}
    user = pwd.getpwnam("nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@contextmanager
def server_folder(name: str) -> Iterator[Path]:
    """A new folder that belongs to the user without rights."""
    folder = Path(tempfile.mkdtemp(prefix=f"yaat-{name}-"))
    rights = _nobody()
    try:
        if rights:
            os.chown(folder, rights["user"], rights["group"])
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(command: Sequence[str], folder: Path, *, text: str = "") -> str:
    """Run a command of that user to its end; its output. Fails with what it said."""
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, cwd=folder, timeout=PATIENCE, check=False,
        env=_environment(folder), **_nobody(),
    )  # fmt: skip
    assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"
    return done.stdout


@contextmanager
def server(
    command: Sequence[str], folder: Path, *, output: str = "output", environ: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (), stop: signal.Signals = signal.SIGTERM, as_nobody: bool = True,
) -> Iterator[subprocess.Popen[bytes]]:  # fmt: skip
    """A process of that user; what it prints goes to the file ``output``. Stopped, with all of its children, afterwards.

    ``as_nobody`` False: of the user who runs the tests, for programs in places that others can't read.
    """
    with open(folder / output, "ab") as out:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=folder, pass_fds=pass_fds,
            env=_environment(folder) | dict(environ or {}), start_new_session=True,
            **(_nobody() if as_nobody else {}),
        )  # fmt: skip
    try:
        yield process
        process.send_signal(stop)
        process.wait(PATIENCE)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def on_some_port(start: Callable[[int], Any], *, ready: Callable[[int], bool] | None = None) -> Iterator[int]:
    """A server that is told its port: ``start(port)`` gives a context with the process. Tried again when the port was taken."""
    for attempt in range(1, _ATTEMPTS + 1):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with start(port) as process:
            wait_until(
                lambda process=process, port=port: process.poll() is not None or (ready or answers)(port),  # type: ignore[misc]
                seconds=PATIENCE,
                what="the server listens",
            )
            if process.poll() is None:
                yield port
                return
        assert attempt < _ATTEMPTS, "the server ended again and again"


def answers(port: int) -> bool:
    """Does somebody listen?"""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ask(port: int, target: str, *, method: str = "GET", headers: Mapping[str, str] | None = None) -> int:
    """One request; its status."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, target, headers=dict(headers or {}))
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def say(port: int, data: bytes) -> bytes:
    """Bytes that need be no request, and what comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as raw:
        raw.sendall(data)
        with suppress(OSError):
            return raw.recv(4096)
    return b""


def lines_of(file: Path, enough: Callable[[list[str]], bool]) -> list[str]:
    """The lines of a log, once they are enough."""

    def read() -> list[str]:
        return file.read_text(encoding="utf-8").splitlines() if file.exists() else []

    wait_until(lambda: enough(read()), seconds=PATIENCE, what=f"enough lines in {file.name}")
    return read()


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(folder), "TZ": "UTC", "LC_ALL": "C"}
