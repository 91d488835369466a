"""Tells the service manager how the agent is: the protocol of sd_notify(3), datagrams of ``NAME=value`` lines.

    READY=1                                it runs (or waits for a sink for longer than a start may take)
    RELOADING=1, MONOTONIC_USEC=...        a reload begins; READY=1 again when it has ended
    STOPPING=1, EXTEND_TIMEOUT_USEC=...    it drains
    WATCHDOG=1                             the event loop is alive, at half of WATCHDOG_USEC
    STATUS=...                             one line for `systemctl status`

Without NOTIFY_SOCKET nothing is sent. The variables are taken out of the environment, so that no child gets them.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, MutableMapping
from typing import Final

import trio

log = logging.getLogger("yaat.notify")

#: Seconds between looks at what is to be told.
LOOK_EVERY: Final = 5.0
#: Seconds that a full socket of the manager is tried again for what must not be missed.
PATIENCE: Final = 5.0
_AGAIN: Final = 0.1
_SOCKET, _WATCHDOG, _WATCHED_PID = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"


class Notifier:
    """The way to the manager; without one, every call does nothing."""

    def __init__(self, address: str = "", watchdog: float = 0.0) -> None:
        self.watchdog = watchdog
        """Seconds within which the manager wants to hear; 0: it does not watch."""
        self._ready = False
        self._said = ""
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = _socket_for(address) if address else None

    @classmethod
    def from_environment(cls, environ: MutableMapping[str, str] | None = None) -> Notifier:
        """What the manager has put into the environment, taken out of it."""
        environ = os.environ if environ is None else environ
        address, watchdog, pid = (environ.pop(name, "") for name in (_SOCKET, _WATCHDOG, _WATCHED_PID))
        ours = not pid or pid == str(os.getpid())
        seconds = int(watchdog) / 1e6 if ours and watchdog.isascii() and watchdog.isdecimal() else 0.0
        return cls(address, seconds)

    @property
    def listens(self) -> bool:
        """Is there a manager?"""
        return self._socket is not None

    async def ready(self) -> None:
        """The agent runs."""
        self._ready = True
        await self._tell("READY=1")

    async def reloading(self, begins: bool) -> None:
        """A reload begins, or has ended."""
        if begins:
            now_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000
            await self._tell(f"RELOADING=1\nMONOTONIC_USEC={now_us}")
        elif self._ready:
            await self._tell("READY=1")

    async def stopping(self, seconds: float) -> None:
        """The agent drains, and needs so long at most."""
        await self._tell(f"STOPPING=1\nEXTEND_TIMEOUT_USEC={int(seconds * 1e6)}")

    async def run(self, status: Callable[[], str]) -> None:
        """The watchdog's beat, and ``status`` when it says something new. In the event loop on purpose: a loop that
        stands still does not beat."""
        if self._socket is None:
            return
        every = min(LOOK_EVERY, self.watchdog / 2) if self.watchdog else LOOK_EVERY
        while True:
            lines = ["WATCHDOG=1"] if self.watchdog else []
            said = " ".join(status().split())
            if said != self._said:
                lines.append(f"STATUS={said}")
            if lines and self._send("\n".join(lines)):
                self._said = said
            await trio.sleep(every)

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def _tell(self, text: str) -> None:
        deadline = trio.current_time() + PATIENCE
        while not self._send(text) and trio.current_time() < deadline:  # noqa: ASYNC110 - a full datagram socket tells nobody
            await trio.sleep(_AGAIN)

    def _send(self, text: str) -> bool:
        """False: the manager's socket is full, try again."""
        if self._socket is None:
            return True
        try:
            self._socket.sendto(text.encode("utf-8", "replace"), self._address)
        except BlockingIOError:
            return False
        except OSError as error:
            log.warning("the service manager can't be told: %s", error)
        return True


def _socket_for(address: str) -> socket.socket | None:
    """A datagram socket for ``/path`` or ``@abstract`` (AF_UNIX); of other kinds none is known here."""
    if address[0] not in "/@":
        log.warning("NOTIFY_SOCKET names no Unix socket, so the service manager is told nothing: %s", address)
        return None
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    made.setblocking(False)
    return made
