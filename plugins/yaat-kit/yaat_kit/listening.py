"""Sockets on which senders are waited for: addresses as users write them, socket files, buffers, what the kernel dropped.

An address is ``udp://127.0.0.1:8125``, ``tcp://[::1]:8125``, ``unixgram:///run/yaat/dsd.socket`` (datagrams) or
``unixstream:///run/yaat/dsd.stream``. `listen` makes its socket, non-blocking and
close-on-exec; `Listener.close` takes the socket file away again.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, get_args

import attrs

from yaat_core.components import Finding
from yaat_core.errors import CannotListen

Transport = Literal["udp", "tcp", "unixgram", "unixstream"]

#: ``sun_path`` has 108 bytes, the last one is zero (unix(7)).
MAX_PATH: Final = 107
#: ``SO_MEMINFO`` (linux/sock_diag.h, asm-generic/socket.h): nine 32-bit words, the last one counts drops.
_SO_MEMINFO: Final = 55
_MEMINFO: Final = struct.Struct("9I")
_SO_RCVBUFFORCE: Final = 33
_BACKLOG: Final = 128


@attrs.frozen
class Address:
    """Where to listen: host and port, or the path of a socket file."""

    transport: Transport
    host: str = ""
    port: int = 0
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read the written form.

        Raises:
            ValueError: not an address; says how to write one.
        """
        scheme, mark, rest = text.partition("://")
        if not mark or scheme not in get_args(Transport):
            raise ValueError(
                f"must be an address like udp://127.0.0.1:8125, tcp://127.0.0.1:8125, "
                f"unixgram:///run/yaat/dsd.socket or unixstream:///run/yaat/dsd.stream, got {text!r}"
            )
        transport: Transport = scheme  # type: ignore[assignment]
        if transport in ("unixgram", "unixstream"):
            if not rest or "\0" in rest:
                raise ValueError(f"names no socket file: write {scheme}:///run/yaat/dsd.socket, got {text!r}")
            return cls(transport, path=rest)
        host, colon, port = rest.rpartition(":")
        host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
        number = int(port) if port.isascii() and port.isdecimal() else -1
        if not host or not colon or not 0 <= number <= 65535:
            raise ValueError(
                f"needs host and port: write {scheme}://127.0.0.1:8125 or {scheme}://[::1]:8125, got {text!r}"
            )
        return cls(transport, host, number)

    def beside(self, folder: Path) -> Address:
        """The same with a socket file's relative path taken from ``folder``."""
        return attrs.evolve(self, path=os.fspath(folder / self.path)) if self.path else self

    @property
    def datagrams(self) -> bool:
        """Whether messages come whole, each for itself."""
        return self.transport in ("udp", "unixgram")

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.transport}://{self.path or f'{host}:{self.port}'}"


@attrs.frozen(eq=False)
class Listener:
    """A bound socket, where it is bound (port 0 became the one that the kernel chose), and its socket file's identity."""

    address: Address
    socket: socket.socket
    file: tuple[int, int] | None = None

    def close(self) -> None:
        """Close, and remove the socket file unless somebody has replaced it. Safe twice."""
        if self.file and self.socket.fileno() >= 0 and _identity(self.address.path) == self.file:
            os.unlink(self.address.path)
        self.socket.close()


def listen(address: Address, *, mode: int = 0o660, buffer: int | None = None) -> Listener:
    """Bind (and listen, for streams): non-blocking, with ``buffer`` bytes to receive into, as far as the system allows.

    A socket file that nobody serves is replaced; one that is served, and anything that is no socket, is left alone.

    Raises:
        CannotListen: says why, and what to do.
    """
    try:
        made = _unix(address, mode) if address.path else _internet(address)
    except OSError as error:
        raise CannotListen(
            f"can't listen on {address}: {error.strerror or error}", fix=_advice(address, error)
        ) from error
    if buffer is not None:
        _widen(made, buffer)
    if not address.datagrams:
        made.listen(_BACKLOG)
    made.setblocking(False)
    if address.path:
        return Listener(address, made, _identity(address.path))
    return Listener(attrs.evolve(address, port=made.getsockname()[1]), made)


def receive_buffer(made: socket.socket) -> int:
    """Bytes of the kernel's receive buffer, as the kernel counts them (socket(7): twice what was asked for)."""
    return made.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)


def kernel_drops(made: socket.socket) -> int | None:
    """Datagrams that the kernel threw away since the socket was made, modulo 2**32.

    None where it does not say (before Linux 4.12).
    """
    try:
        words = _MEMINFO.unpack(made.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size))
    except (OSError, struct.error):
        return None
    return int(words[8])


def findings(address: Address) -> Sequence[Finding]:
    """Could it be listened on? Nothing stays. What is in use may be the agent itself, so it is a warning."""
    try:
        if address.path:
            _check_file(address)
            return _folder_findings(address)
        _internet(address).close()
    except CannotListen as error:
        return [Finding(problem=str(error), advice=error.fix)]
    except OSError as error:
        problem = f"can't listen on {address}: {error.strerror or error}"
        used = error.errno == errno.EADDRINUSE
        advice = ("fine when it is this agent that runs already; else: " if used else "") + _advice(
            address, error
        )
        return [Finding(problem=problem, advice=advice, level="warn" if used else "error")]
    return ()


# --- internet -----------------------------------------------------------------------------------


def _internet(address: Address) -> socket.socket:
    kind = socket.SOCK_DGRAM if address.transport == "udp" else socket.SOCK_STREAM
    found = socket.getaddrinfo(address.host, address.port, type=kind, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, place = found[0]
    made = socket.socket(family, kind, protocol)
    try:
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM:
            # Only what lingers in TIME_WAIT; for datagrams it would let two programs share the port.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(place)
    except BaseException:
        made.close()
        raise
    return made


# --- socket files -------------------------------------------------------------------------------


def _unix(address: Address, mode: int) -> socket.socket:
    _check_file(address)
    made = socket.socket(socket.AF_UNIX, _kind(address))
    try:
        if os.path.lexists(address.path):
            os.unlink(address.path)
        # On Linux the file gets the mode of the descriptor, less the umask; chmod then gives back what that took.
        os.fchmod(made.fileno(), mode)
        made.bind(address.path)
        os.chmod(address.path, mode)
    except BaseException:
        made.close()
        raise
    return made


def _kind(address: Address) -> socket.SocketKind:
    return socket.SOCK_DGRAM if address.datagrams else socket.SOCK_STREAM


def _check_file(address: Address) -> None:
    """Refuse a path that no socket can have, a file that is none, and a socket that is served."""
    length = len(os.fsencode(address.path))
    if length > MAX_PATH:
        raise CannotListen(
            f"the path of the socket file has {length} bytes, the system allows {MAX_PATH}",
            where=address.path,
            fix="choose a shorter one, e.g. /run/yaat/dsd.socket",
        )
    try:
        kind = os.lstat(address.path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(kind):
        raise CannotListen(
            f"can't listen on {address}: something that is no socket has this name",
            where=address.path,
            fix="move it away, or choose another path",
        )
    if _served(address):
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _served(address: Address) -> bool:
    """Whether another program answers on the socket file; one of the other kind (stream, datagram) does, too."""
    with socket.socket(socket.AF_UNIX, _kind(address)) as probe:
        probe.setblocking(False)
        try:
            probe.connect(address.path)
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError as error:
            return error.errno in (errno.EPROTOTYPE, errno.EAGAIN, errno.EACCES, errno.EPERM)
    return True


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _folder_findings(address: Address) -> Sequence[Finding]:
    folder = os.path.dirname(address.path) or "."
    if not os.path.isdir(folder):
        problem = f"can't listen on {address}: the folder {folder!r} is not there"
    elif not os.access(folder, os.W_OK | os.X_OK):
        problem = f"can't listen on {address}: the folder {folder!r} can't be written"
    else:
        return ()
    return [Finding(problem=problem, advice=_folder_advice(folder))]


def _folder_advice(folder: str) -> str:
    return f"make the folder for the agent's user: install -d -o USER {folder!r} (under systemd: RuntimeDirectory=)"


def _advice(address: Address, error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "write an address of this machine, e.g. 127.0.0.1 or 0.0.0.0 for all"
    if error.errno == errno.EADDRINUSE:
        look = "ss -lxp" if address.path else "ss -lnp"
        mark = address.path or f":{address.port}"
        return (
            f"another program has it (`{look} | grep {mark}` shows which): end it, or choose another address"
        )
    if address.path:
        return _folder_advice(os.path.dirname(address.path) or ".")
    if error.errno == errno.EACCES:
        return "ports below 1024 need CAP_NET_BIND_SERVICE: choose a higher one"
    if error.errno == errno.EADDRNOTAVAIL:
        return "it is no address of this machine: write 127.0.0.1, or 0.0.0.0 for all"
    return "choose another address"


def _widen(made: socket.socket, size: int) -> None:
    """Past ``net.core.rmem_max`` where the agent may, else up to it."""
    try:
        made.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, size)
    except OSError:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
