"""What the service manager hears, on real datagram sockets."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from yaat_core.notify import Notifier


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest) -> Iterator[tuple[str, socket.socket]]:
    """The manager's end, and how NOTIFY_SOCKET names it."""
    with tempfile.TemporaryDirectory(prefix="yaat-") as folder, _datagrams() as end:
        path = f"{folder}/n"
        name = "@" + path if request.param == "abstract" else path
        end.bind("\0" + path if request.param == "abstract" else path)
        end.settimeout(60)
        yield name, end


def _datagrams() -> socket.socket:
    return socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)


def heard(end: socket.socket) -> dict[str, str]:
    return dict(line.split("=", 1) for line in end.recv(4096).decode().split("\n"))


async def test_ready_reloading_and_stopping(manager: tuple[str, socket.socket]) -> None:
    name, end = manager
    environ = {"NOTIFY_SOCKET": name, "HOME": "/"}
    notifier = Notifier.from_environment(environ)
    assert environ == {"HOME": "/"}
    assert notifier.listens
    await notifier.reloading(False)  # nothing: it was never ready
    await notifier.ready()
    assert heard(end) == {"READY": "1"}
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    await notifier.reloading(True)
    message = heard(end)
    assert message["RELOADING"] == "1"
    assert before <= int(message["MONOTONIC_USEC"]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    await notifier.reloading(False)
    assert heard(end) == {"READY": "1"}
    await notifier.stopping(12.5)
    assert heard(end) == {"STOPPING": "1", "EXTEND_TIMEOUT_USEC": "12500000"}
    notifier.close()


async def test_beats_while_the_event_loop_lives_and_tells_what_is_new(
    manager: tuple[str, socket.socket], autojump_clock: object
) -> None:
    name, end = manager
    given = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}
    notifier = Notifier.from_environment(given)
    assert not given
    status = ["running\nhealthy"]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(notifier.run, lambda: status[0])
        await trio.sleep(1.4)
        assert heard(end) == {"WATCHDOG": "1", "STATUS": "running healthy"}
        await trio.sleep(1.5)
        assert heard(end) == {"WATCHDOG": "1"}
        status[0] = "draining"
        await trio.sleep(1.5)
        assert heard(end) == {"WATCHDOG": "1", "STATUS": "draining"}
        nursery.cancel_scope.cancel()
    notifier.close()


@pytest.mark.parametrize(
    ("given", "watchdog"),
    [
        ({"WATCHDOG_USEC": "3000000"}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, 0.0),
        ({"WATCHDOG_USEC": "soon"}, 0.0),
        ({}, 0.0),
    ],
)
def test_whose_watchdog_it_is(given: dict[str, str], watchdog: float) -> None:
    assert Notifier.from_environment(dict(given)).watchdog == watchdog


async def test_without_a_manager_or_with_one_that_is_gone_nothing_fails(tmp_path: Path) -> None:
    for environ in ({}, {"NOTIFY_SOCKET": "vsock:2:1234"}, {"NOTIFY_SOCKET": str(tmp_path / "gone")}):
        notifier = Notifier.from_environment(environ)
        await notifier.ready()
        await notifier.reloading(True)
        notifier.close()
        notifier.close()


async def test_a_manager_that_does_not_read_holds_nobody_up(
    manager: tuple[str, socket.socket], autojump_clock: object
) -> None:
    name, end = manager
    notifier = Notifier(name)
    for _ in range(1000):
        if not notifier._send("STATUS=x"):
            break
    else:
        pytest.skip("this system's datagram sockets never fill up")
    await notifier.ready()
    for _ in range(5):
        end.recv(100)
    await notifier.ready()
