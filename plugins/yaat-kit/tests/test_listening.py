"""Addresses, socket files and what the kernel says, with real sockets."""

from __future__ import annotations

import os
import socket
import stat

import pytest

from yaat_core.errors import CannotListen
from yaat_kit.listening import Address, findings, kernel_drops, listen, receive_buffer


@pytest.mark.parametrize(
    "written",
    [
        "udp://127.0.0.1:8125",
        "tcp://[::1]:0",
        "udp://localhost:8125",
        "unixgram:///run/x.socket",
        "unixstream://x",
    ],
)
def test_addresses_are_written_as_they_are_read(written):
    assert str(Address.parse(written)) == written


@pytest.mark.parametrize(
    "wrong",
    ["", "8125", "127.0.0.1:8125", "udp://", "udp://127.0.0.1", "udp://:8125", "udp://h:65536", "udp://h:-1", "udp://h:٣",
     "unixgram://", "unix:///x", "unixgram:///a\0b", "http://h:1"],
)  # fmt: skip
def test_what_is_no_address_says_how_to_write_one(wrong):
    with pytest.raises(ValueError, match=r"write|like"):
        Address.parse(wrong)


def test_a_relative_socket_file_lies_in_the_folder(tmp_path):
    assert Address.parse("unixgram://x.socket").beside(tmp_path).path == str(tmp_path / "x.socket")
    assert Address.parse("udp://h:1").beside(tmp_path) == Address.parse("udp://h:1")


@pytest.mark.parametrize("transport", ["unixgram", "unixstream"])
def test_a_socket_file_has_its_mode_and_goes_with_the_listener(tmp_path, transport):
    path = tmp_path / "s"
    old = os.umask(0o077)
    try:
        listener = listen(Address.parse(f"{transport}://{path}"), mode=0o666)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666
    listener.close()
    listener.close()
    assert not path.exists()


def test_a_stale_socket_file_is_replaced(tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as left:
        left.bind(str(path))
    assert path.is_socket()
    listen(Address.parse(f"unixgram://{path}")).close()
    assert not path.exists()


@pytest.mark.parametrize("transport", ["unixgram", "unixstream"])
@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_live_one_is_refused_and_not_disturbed(tmp_path, transport, kind):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX, kind) as other, socket.socket(socket.AF_UNIX, kind) as client:
        other.bind(str(path))
        if kind == socket.SOCK_STREAM:
            other.listen()
        with pytest.raises(CannotListen) as refused:
            listen(Address.parse(f"{transport}://{path}"))
        assert "in use" in str(refused.value)
        assert "another program" in refused.value.fix
        client.connect(str(path))


def test_something_else_of_that_name_is_refused_and_kept(tmp_path):
    path = tmp_path / "s"
    path.write_text("precious")
    with pytest.raises(CannotListen) as refused:
        listen(Address.parse(f"unixgram://{path}"))
    assert "no socket" in str(refused.value)
    assert path.read_text() == "precious"


def test_a_path_that_is_too_long_says_the_limit(tmp_path):
    with pytest.raises(CannotListen) as refused:
        listen(Address.parse(f"unixgram://{tmp_path}/{'x' * 200}"))
    assert "107" in str(refused.value)
    assert "shorter" in refused.value.fix


def test_a_folder_that_is_not_there(tmp_path):
    address = Address.parse(f"unixgram://{tmp_path}/none/s")
    with pytest.raises(CannotListen) as refused:
        listen(address)
    assert "install -d" in refused.value.fix
    [finding] = findings(address)
    assert finding.level == "error"
    assert "is not there" in finding.problem


def test_a_file_that_was_replaced_meanwhile_stays(tmp_path):
    path = tmp_path / "s"
    first = listen(Address.parse(f"unixgram://{path}"))
    path.unlink()
    second = listen(Address.parse(f"unixgram://{path}"))
    first.close()
    assert path.is_socket()
    second.close()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_port_in_use(transport):
    first = listen(Address.parse(f"{transport}://127.0.0.1:0"))
    assert first.address.port
    with pytest.raises(CannotListen) as refused:
        listen(first.address)
    assert "ss -lnp" in refused.value.fix
    [finding] = findings(first.address)
    assert finding.level == "warn"
    assert "this agent" in finding.advice
    first.close()
    assert not findings(first.address)


def test_an_address_of_another_machine():
    [finding] = findings(Address.parse("udp://192.0.2.1:8125"))
    assert finding.level == "error"
    assert "no address of this machine" in finding.advice


def test_the_check_leaves_nothing(tmp_path):
    assert not findings(Address.parse(f"unixgram://{tmp_path}/s"))
    assert not list(tmp_path.iterdir())


def test_what_the_kernel_drops_is_told():
    listener = listen(Address.parse("udp://127.0.0.1:0"), buffer=4096)
    assert receive_buffer(listener.socket) >= 2048
    if kernel_drops(listener.socket) is None:
        pytest.skip("this kernel does not tell (SO_MEMINFO)")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(500):
            sender.sendto(b"x" * 500, ("127.0.0.1", listener.address.port))
    kept = 0
    try:
        while listener.socket.recv(1000):
            kept += 1
    except BlockingIOError:
        pass
    assert kernel_drops(listener.socket) == 500 - kept > 0
    listener.close()
