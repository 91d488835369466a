"""A real container engine and a real systemd host, through `tools/engine`. Tests skip where they can't start."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

ENGINE = Path(__file__).resolve().parents[2] / "tools" / "engine"
#: Seconds: the first image takes a Debian bootstrap.
LONGEST = 280


@functools.cache
def missing() -> str:
    """Why containers can't run here; empty when they can."""
    try:
        ready = subprocess.run(
            [ENGINE, "ready"], capture_output=True, text=True, timeout=LONGEST, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return f"tools/engine ready took longer than {LONGEST} s"
    if ready.returncode == 0:
        return ""
    lines = ready.stderr.strip().splitlines()
    return lines[-1] if lines else f"tools/engine ready: exit code {ready.returncode}"


def need_engine() -> None:
    """Skip the test where containers can't run."""
    if why := missing():
        pytest.skip(f"no container engine: {why}")


def podman(*arguments: str, check: bool = True, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run podman with the settings of `tools/engine`; both outputs are captured."""
    return subprocess.run(
        [ENGINE, "run", *arguments],
        capture_output=True,
        text=True,
        check=check,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        errors="replace",
    )


def image() -> str:
    """Name of a small image with a shell."""
    return subprocess.run(
        [ENGINE, "image"],
        capture_output=True,
        text=True,
        check=True,
        timeout=LONGEST,
        stdin=subprocess.DEVNULL,
    ).stdout.strip()


def fresh_name(purpose: str) -> str:
    """A container name that no other test has."""
    return f"yaat-{purpose}-{uuid.uuid4().hex[:10]}"


@contextmanager
def docker_api(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The Docker Engine API at ``path``, until the block ends."""
    process = subprocess.Popen(
        [ENGINE, "socket", str(path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not path.exists():
            assert process.poll() is None, "the engine's service ended"
            assert time.monotonic() < deadline, "the engine's socket did not appear"
            time.sleep(0.05)
        yield process
    finally:
        stop(process)
        path.unlink(missing_ok=True)


def stop(process: subprocess.Popen[bytes], *, how: signal.Signals = signal.SIGKILL) -> None:
    """End a process started in a session of its own, with everything that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, how)
    process.wait(60)


@contextmanager
def host(purpose: str, *arguments: str) -> Iterator[str]:
    """A booted Debian host with systemd; gives the container's name for `podman("exec", name, ...)`.

    ``arguments`` are more of `podman run`: mounts.
    """
    need_engine()
    name = fresh_name(purpose)
    try:
        booted = subprocess.run(
            [ENGINE, "host", name, *arguments],
            capture_output=True,
            text=True,
            timeout=LONGEST,
            stdin=subprocess.DEVNULL,
        )
        if booted.returncode:
            pytest.skip(f"no systemd host: {booted.stderr.strip()[-300:]}")
        yield name
    finally:
        podman("rm", "-f", "-t", "0", name, check=False)
