"""The source over real sockets: every transport, limits, the end of a run."""

from __future__ import annotations

import contextlib
import socket
import stat

import pytest
import trio

from yaat_core.config.options import Duration, Size
from yaat_core.errors import CannotListen
from yaat_core.testing import RecordingOutlet
from yaat_kit.listening import kernel_drops

UDP = "udp://127.0.0.1:0"
TCP = "tcp://127.0.0.1:0"


def connected(address):
    """A blocking client of a listener."""
    kind = socket.SOCK_DGRAM if address.datagrams else socket.SOCK_STREAM
    made = socket.socket(socket.AF_UNIX if address.path else socket.AF_INET, kind)
    made.connect(address.path or (address.host, address.port))
    return made


def framed(address, text: bytes) -> bytes:
    """One packet, or lines."""
    return len(text).to_bytes(4, "little") + text if address.transport == "unixstream" else text + b"\n"


def seen(one, name: str) -> float:
    """The sum of one of the source's own counters."""
    return sum(sample.value for sample in one.stats.snapshot() if sample.name == f"yaat_statsd_{name}")


@pytest.mark.parametrize(
    "listen", [UDP, "udp://[::1]:0", TCP, "unixgram://a.socket", "unixstream://a.socket"]
)
async def test_each_transport(tmp_path, run_source, listen):
    if "::1" in listen and not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6 here")
    async with run_source(listen) as one:
        [address] = one.source.listening
        with socket.socket(
            socket.AF_UNIX if address.path else socket.AF_INET6 if ":" in address.host else socket.AF_INET,
            socket.SOCK_DGRAM if address.datagrams else socket.SOCK_STREAM,
        ) as client:
            client.connect(address.path or (address.host, address.port))
            for _ in range(100):  # in a thread: a Unix datagram socket makes its sender wait
                await trio.to_thread.run_sync(client.sendall, framed(address, b"a:1|c\nb:2|c"))
            await one.until(lambda: one.total("b") == 200)
        assert one.total("a") == 100
        assert seen(one, "received_bytes_total") >= 1100
    assert not list(tmp_path.glob("*.socket"))


async def test_the_open_window_survives_the_end(run_source):
    """What was aggregated and what the sockets still hold, of every transport."""
    listen = [UDP, TCP, "unixgram://d", "unixstream://s"]
    async with run_source(*listen, window=Duration(3600)) as one:
        clients = [connected(address) for address in one.source.listening]
        for address, client in zip(one.source.listening, clients, strict=True):
            client.sendall(framed(address, b"early:1|c"))
        await one.until(lambda: seen(one, "samples_total") == 4)
        for address, client in zip(one.source.listening, clients, strict=True):
            client.sendall(framed(address, b"late:1|c\n_e{1,1}:a|b"))
        assert not one.total("early")
    assert one.total("early") == one.total("late") == 4
    assert sum(event.message == "a\nb" for event in one.outlet.events()) == 4
    for client in clients:
        client.close()


async def test_reading_goes_on_while_sending_waits(run_source):
    outlet = RecordingOutlet(room=0)
    async with run_source(UDP, outlet=outlet, window=Duration(0.05)) as one:
        with connected(one.source.listening[0]) as client:
            client.sendall(b"a:1|c")
            with trio.fail_after(60):
                await outlet.wait_blocked()
            for number in range(1, 1001):
                client.sendall(b"a:1|c")
                if number % 100 == 0:
                    await one.until(lambda wanted=number + 1: seen(one, "samples_total") == wanted)
        outlet.make_room()
        await one.until(lambda: one.total("a") == 1001)


async def test_a_pipeline_that_takes_nothing_at_the_end_is_told(run_source, monkeypatch, caplog):
    monkeypatch.setattr("yaat_plugin_statsd.source._LAST", 0.2)
    async with run_source(UDP, outlet=RecordingOutlet(room=0), window=Duration(3600)) as one:
        with connected(one.source.listening[0]) as client:
            client.sendall(b"a:1|c")
        await one.until(lambda: seen(one, "samples_total") == 1)
    assert seen(one, "shed_events_total") == 1
    assert "are lost" in caplog.text


async def test_events_do_not_wait_for_the_window(run_source):
    async with run_source(UDP, window=Duration(3600)) as one:
        with connected(one.source.listening[0]) as client:
            client.sendall(b"_e{1,1}:a|b\n_sc|up|2\nc:1|c|T1700000000")
        await one.until(lambda: one.outlet.rows == 4)


async def test_a_stream_that_closes_without_a_newline(run_source):
    async with run_source(TCP) as one:
        with connected(one.source.listening[0]) as client:
            client.sendall(b"a:1|c\na:2|c")
        await one.until(lambda: one.total("a") == 3)


async def test_lines_over_a_unix_stream(run_source):
    """Clients that know no length prefix, as statsd's from PyPI."""
    async with run_source("unixstream://s") as one:
        with connected(one.source.listening[0]) as client:
            client.sendall(b"a:1|c\na:2|c\n")
        await one.until(lambda: one.total("a") == 3)


async def test_connections_are_limited_and_the_others_served(run_source):
    async with run_source(TCP, max_connections=2) as one:
        clients = [connected(one.source.listening[0]) for _ in range(5)]
        await one.until(lambda: seen(one, "refused_connections_total") == 3)
        clients[0].sendall(b"a:1|c\n")
        clients[1].sendall(b"a:1|c\n")
        await one.until(lambda: one.total("a") == 2)
        clients[0].close()
        with trio.fail_after(60):
            while not one.total("b"):  # there is a place again, as soon as the end of the first was seen
                with connected(one.source.listening[0]) as again, contextlib.suppress(ConnectionError):
                    again.sendall(b"b:1|c\n")
                await trio.sleep(0.05)
        for client in clients:
            client.close()


async def test_a_bad_packet_ends_its_connection_alone(run_source):
    async with run_source("unixstream://s") as one:
        [address] = one.source.listening
        with connected(address) as bad, connected(address) as good:
            bad.sendall((65_537).to_bytes(4, "little") + b"a:1|c")
            await one.until(lambda: seen(one, "rejected_total") == 1)
            good.sendall(framed(address, b"a:1|c"))
            await one.until(lambda: one.total("a") == 1)


async def test_a_large_datagram_over_a_unix_socket(run_source):
    """More than a UDP datagram can hold: cut at the last whole line, and counted."""
    async with run_source("unixgram://d") as one:
        line = b"a:1|c|#" + b"x" * 93 + b"\n"
        with connected(one.source.listening[0]) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**18)
            client.sendall(line * 600)
            client.sendall(line * 700)
        await one.until(lambda: one.total("a") == 600 + 65_537 // len(line))
        assert seen(one, "rejected_total") == 1


async def test_what_the_kernel_drops_is_counted_and_told(run_source):
    async with run_source(UDP, so_rcvbuf=Size(4096)) as one:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            if kernel_drops(probe) is None:
                pytest.skip("this kernel does not tell (SO_MEMINFO)")
        with connected(one.source.listening[0]) as client:
            for _ in range(2000):
                client.send(b"a:1|c" + b" " * 500)
        await one.until(lambda: seen(one, "kernel_drops_total"))
        await one.until(lambda: one.total("a") + seen(one, "kernel_drops_total") == 2000)
        [finding] = [one for one in one.source.problems() if "dropped" in one.problem]
        assert "so_rcvbuf" in finding.advice


async def test_health_says_what_was_not_taken(run_source):
    async with run_source(UDP, max_series=1) as one:
        assert not one.source.problems()
        with connected(one.source.listening[0]) as client:
            client.sendall(b"a:1|c\nb:1|c\nc:x|c\nbad")
            await one.until(lambda: len(one.source.problems()) == 2)
            series, lines = one.source.problems()
            assert "1 series" in series.problem
            assert "no_value 1" in lines.problem
            await one.until(lambda: not one.source.problems())


async def test_a_socket_file_has_the_mode_that_was_asked_for(tmp_path, run_source):
    async with run_source("unixgram://d", socket_mode="0622"):
        assert stat.S_IMODE((tmp_path / "d").stat().st_mode) == 0o622


async def test_a_port_in_use_leaves_nothing_open(tmp_path, run_source):
    async with run_source(UDP) as one:
        with pytest.RaisesGroup(CannotListen):
            async with run_source("unixgram://d", str(one.source.listening[0])):
                pass
    assert not list(tmp_path.glob("d"))


async def test_the_check_says_what_would_not_work(tmp_path, run_source):
    (tmp_path / "file").write_text("x")
    async with run_source(UDP) as one:
        findings = await type(one.source)(
            type(one.source._config)(listen=("unixgram://file", "udp://192.0.2.1:8125", UDP)),
            one.source._context,
        ).check()
    assert ["no socket" in finding.problem for finding in findings] == [True, False]
