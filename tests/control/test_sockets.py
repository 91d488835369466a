from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from yaat_core.control import sockets
from yaat_core.control.sockets import SocketPathTooLong, bind
from yaat_core.errors import StoreUnavailable


@pytest.fixture
def folder(state_dir: Path) -> Path:
    state_dir.mkdir()
    return state_dir


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o177])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.parametrize("mode", [0o600, 0o660])
def test_the_mode_is_exact_under_any_umask(folder: Path, umask: int, mode: int) -> None:
    with bind(folder / "s", mode):
        assert stat.S_IMODE((folder / "s").lstat().st_mode) == mode


def test_the_mode_is_never_wider(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file as it is between bind and chmod: chmod does nothing here."""
    monkeypatch.setattr(os, "chmod", lambda *_: None)
    before = os.umask(0)
    try:
        with bind(folder / "s", 0o600):
            assert stat.S_IMODE((folder / "s").lstat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_a_leftover_socket_is_replaced(folder: Path) -> None:
    bind(folder / "s", 0o600).close()
    with bind(folder / "s", 0o600) as made:
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1


def test_nothing_else_is_replaced(folder: Path) -> None:
    (folder / "s").write_text("precious")
    with pytest.raises(StoreUnavailable, match="can't be made") as caught:
        bind(folder / "s", 0o600)
    assert caught.value.where == str(folder / "s")
    assert (folder / "s").read_text() == "precious"


def test_a_path_of_107_bytes_is_bound_and_one_of_108_refused_with_advice(folder: Path) -> None:
    longest = folder / ("s" * (sockets.MAX_PATH - len(os.fsencode(folder)) - 1))
    bind(longest, 0o600).close()
    with pytest.raises(SocketPathTooLong, match="108 bytes") as caught:
        bind(longest.with_name(longest.name + "s"), 0o600)
    assert "shorter path" in caught.value.fix
    assert caught.value.exit_code == 2
