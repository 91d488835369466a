"""Container engines as tests use them: podman's service, and Docker's own daemon where it is installed and can run."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import attrs
import pytest

from support.engine import docker_api, fresh_name, image, need_engine, podman, stop

#: Seconds for a daemon to begin on a loaded machine.
PATIENCE = 90
_TOOLS = ("sh", "echo", "sleep", "date", "cat", "seq", "printf", "head", "tail", "tr", "kill")


@attrs.define(eq=False)
class RealEngine:
    """An engine whose API listens at ``socket``. What it ran is removed at the end."""

    socket: Path
    image: str
    docker: bool
    names: list[str] = attrs.field(factory=list)

    @property
    def host(self) -> str:
        return f"unix://{self.socket}"

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """As `docker` or `podman` understands it."""
        if not self.docker:
            return podman(*arguments, check=check)
        return subprocess.run(
            ["docker", "-H", self.host, *arguments],
            capture_output=True,
            text=True,
            check=check,
            timeout=120,
            stdin=subprocess.DEVNULL,
            errors="replace",
        )

    def run(self, name: str, script: str, *options: str) -> str:
        """Start a container that runs a shell script; returns its name."""
        self.names.append(name)
        self.command(
            "run", "-d", "--network", "none", "--name", name, *options, self.image, "sh", "-c", script
        )
        return name

    def remove(self, name: str) -> None:
        self.command("rm", "-f", *([] if self.docker else ["-t", "0"]), name, check=False)

    def wait_end(self, name: str) -> None:
        self.command("wait", name)

    def close(self) -> None:
        for name in self.names:
            self.remove(name)


@contextmanager
def podman_engine(folder: Path) -> Iterator[RealEngine]:
    """podman's service."""
    need_engine()
    with docker_api(folder / "podman.sock"):
        engine = RealEngine(folder / "podman.sock", image(), docker=False)
        try:
            yield engine
        finally:
            engine.close()


@contextmanager
def docker_engine(folder: Path) -> Iterator[RealEngine]:
    """A Docker daemon of its own in ``folder``; skips where there is none or it can't start."""
    need_docker()
    with ExitStack() as stack:
        started = DockerDaemon(folder)
        stack.callback(started.close)
        started.start()
        engine = RealEngine(started.socket, "yaat-small:latest", docker=True)
        _import_image(engine)
        stack.callback(engine.close)
        yield engine


def need_docker() -> None:
    """Skip the test where Docker's daemon is not installed."""
    missing = [name for name in ("dockerd", "docker", "containerd", "busybox") if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"no Docker daemon: {', '.join(missing) or 'not root'}")


@attrs.define(eq=False)
class DockerDaemon:
    """`dockerd` without network, below ``folder``."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return self.folder / "docker.sock"

    def start(self) -> None:
        arguments = {
            "data-root": self.folder / "data",
            "exec-root": self.folder / "exec",
            "host": f"unix://{self.socket}",
            "pidfile": self.folder / "pid",
            "iptables": "false",
            "ip6tables": "false",
            "ip-forward": "false",
            "ip-masq": "false",
            "bridge": "none",
            "storage-driver": "vfs",
            "exec-opt": "native.cgroupdriver=cgroupfs",
        }
        with open(self.folder / "dockerd.log", "ab") as log:
            self.process = subprocess.Popen(
                ["dockerd", *(f"--{name}={value}" for name, value in arguments.items())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                said = (self.folder / "dockerd.log").read_text(errors="replace").strip().splitlines()
                pytest.skip(f"the Docker daemon does not start here: {said[-1][:300] if said else ''}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        if not self.socket.exists():
            return False
        asked = ["docker", "-H", f"unix://{self.socket}", "version"]
        return (
            subprocess.run(asked, capture_output=True, stdin=subprocess.DEVNULL, timeout=60).returncode == 0
        )

    def close(self) -> None:
        """End it with everything that it started."""
        if self.process is None:
            return
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(60)
        stop(self.process)
        for line in Path("/proc/self/mounts").read_text().splitlines()[::-1]:
            place = line.split(" ")[1]
            if place.startswith(f"{self.folder}/"):
                subprocess.run(["umount", "-l", place], check=False, stdin=subprocess.DEVNULL)


def _import_image(engine: RealEngine) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for folder in ("bin", "tmp", "proc", "dev", "sys", "etc"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        archive.add(str(shutil.which("busybox")), "bin/busybox")
        for tool in _TOOLS:
            entry = tarfile.TarInfo(f"bin/{tool}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(entry)
    subprocess.run(
        ["docker", "-H", engine.host, "import", "-", engine.image],
        input=packed.getvalue(),
        capture_output=True,
        check=True,
        timeout=120,
    )


__all__ = ["RealEngine", "docker_engine", "fresh_name", "need_docker", "podman_engine"]
