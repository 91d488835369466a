"""Where the engine is."""

from __future__ import annotations

import ipaddress
import os
from typing import Final
from urllib.parse import urlsplit

import attrs

DEFAULT: Final = "unix:///var/run/docker.sock"


@attrs.frozen
class Address:
    """A Unix socket (``path``), or ``host`` and ``port`` of plain HTTP on this machine."""

    path: str | None = None
    authority: str = "docker"

    def __str__(self) -> str:
        return f"unix://{self.path}" if self.path is not None else f"tcp://{self.authority}"


def parse(text: str) -> Address:
    """An address as in DOCKER_HOST, or a path.

    Raises:
        ValueError: what can't be used; says what can.
    """
    if text.startswith("/"):
        return Address(path=text)
    scheme, _, rest = text.partition("://")
    if scheme == "unix" and rest.startswith("/"):
        return Address(path=rest)
    if scheme in ("tcp", "http"):
        return _tcp(text)
    if scheme in ("https", "ssh", "npipe", "fd"):
        raise ValueError(
            f"{scheme}:// is not supported, got {text!r}: use a socket (unix:///var/run/docker.sock), or bring a "
            "distant one here with `ssh -L /run/yaat/docker.sock:/var/run/docker.sock HOST`"
        )
    raise ValueError(f"must be like unix:///var/run/docker.sock or tcp://127.0.0.1:2375, got {text!r}")


def _tcp(text: str) -> Address:
    parts = urlsplit(text)
    try:
        port = parts.port or 2375
    except ValueError:
        raise ValueError(f"{text!r} has no usable port: write tcp://127.0.0.1:2375") from None
    name = parts.hostname or ""
    if not _is_here(name):
        raise ValueError(
            f"{text!r} is not on this machine, and plain TCP gives whoever reaches it the rights of root: "
            "use the socket (unix:///var/run/docker.sock), or tcp://127.0.0.1:2375"
        )
    return Address(authority=f"[{name}]:{port}" if ":" in name else f"{name}:{port}")


def _is_here(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def find(configured: str | None) -> Address:
    """The option, else DOCKER_HOST, else Docker's usual socket.

    Raises:
        ValueError: DOCKER_HOST names what can't be used.
    """
    if configured is not None:
        return parse(configured)
    try:
        return parse(os.environ.get("DOCKER_HOST") or DEFAULT)
    except ValueError as error:
        raise ValueError(f"DOCKER_HOST: {error}") from None
