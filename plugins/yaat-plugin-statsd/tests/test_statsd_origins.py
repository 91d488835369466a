"""Which container a sender runs in: by its process, over real sockets, and from a real container."""

from __future__ import annotations

import os
import re
import socket
from functools import partial

import pytest
import trio
from support.engine import host, podman

from yaat_kit.containers import container_in
from yaat_plugin_statsd.origins import Origins

ONE, OTHER = "1" * 64, "2" * 64


def test_ids_are_read_from_control_groups():
    for text in (
        f"0::/system.slice/docker-{ONE}.scope\n",
        f"12:cpu:/kubepods/burstable/pod12-ab/{ONE}\n0::/\n",
        f"0::/kubepods.slice/kubepods-pod{OTHER}.slice/cri-containerd-{ONE}.scope",
        f"4:memory:/libpod_parent/libpod-{ONE}/ctr",
    ):
        assert container_in(text) == ONE, text
    assert container_in("0::/user.slice/user-0.slice/session-1.scope\n") == ""
    assert container_in(f"0::/{ONE}0\n") == ""


def test_what_a_line_says_itself_wins(bench):
    box = bench(counters=("count",))
    lines = b"a:1|c\na:1|c|c:ci-own\na:1|c|card:none\na:1|c|e:it-false,cn-n"
    for container in (ONE, OTHER, ONE, ""):
        for _ in range(2):  # the second time they are known by their bytes
            box.reader.read(lines, container.encode())
    found = {}
    for event in box.cut():
        tags = dict(event.tags)
        found[tags.get("container.id"), tags.get("container.name")] = event.metric_value
    assert found == {
        (ONE, None): 4,
        (OTHER, None): 2,
        ("own", None): 8,
        (None, None): 8 + 2,
        (ONE, "n"): 4,
        (OTHER, "n"): 2,
        (None, "n"): 2,
    }
    box.reader.read(b"_sc|up|0\n_e{1,1}:a|b", ONE.encode())
    assert [event.tags["container.id"] for event in box.notes()] == [ONE, ONE]


@pytest.mark.parametrize("transport", ["unixgram", "unixstream"])
async def test_the_kernel_says_who_sends(tmp_path, run_source, monkeypatch, transport):
    group = tmp_path / "proc" / str(os.getpid()) / "cgroup"
    group.parent.mkdir(parents=True)
    group.write_text(f"0::/docker/{ONE}\n")
    monkeypatch.setattr("yaat_plugin_statsd.source.Origins", partial(Origins, tmp_path / "proc"))
    async with run_source(f"{transport}://a.socket", origin_detection=True) as one:
        [address] = one.source.listening
        kind = socket.SOCK_DGRAM if address.datagrams else socket.SOCK_STREAM
        with socket.socket(socket.AF_UNIX, kind) as client:
            client.connect(address.path)
            for _ in range(100):
                await trio.to_thread.run_sync(client.sendall, b"a:1|c\na:2|c|c:ci-own\n")
            await one.until(lambda: one.total("a") == 300)
    sums: dict[str | None, float] = {}
    for event in one.outlet.events():
        container = dict(event.tags).get("container.id")
        sums[container] = sums.get(container, 0) + event.metric_value
    assert sums == {ONE: 100, "own": 200}


async def test_without_it_nothing_is_asked(run_source):
    async with run_source("unixgram://a.socket") as one:
        [address] = one.source.listening
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            client.connect(address.path)
            client.send(b"a:1|c")
            await one.until(lambda: one.total("a"))
    assert [dict(event.tags) for event in one.outlet.events()] == [{"statsd_type": "c"}]


def test_processes_that_can_not_be_seen_are_told(tmp_path):
    origins = Origins(tmp_path)
    assert origins.container(0) == b""
    assert origins.container(4242) == b""
    assert origins.hidden == 1


@pytest.mark.faults
def test_a_real_container_is_named(agent):
    folder = agent.config.parent / "s"
    agent.config.parent.chmod(0o755)
    folder.mkdir()
    with host("statsd", "-v", f"{folder}:/s") as name:
        (container,) = re.findall("[0-9a-f]{64}", podman("inspect", "-f", "{{.Id}}", name).stdout)
        agent.begin(window="1h", origin_detection="true", socket_mode='"0666"')
        for path, kind in (("dgram", "SOCK_DGRAM"), ("stream", "SOCK_STREAM")):
            script = (
                f"import socket, time; s = socket.socket(socket.AF_UNIX, socket.{kind}); s.connect('/s/{path}');"
                f"s.sendall(b'from.{path}:1|c\\nself.{path}:1|c|c:ci-own\\n'); time.sleep(1)"
            )
            podman("exec", name, "python3", "-c", script)
        agent.end()
    rows = agent.query(
        "SELECT metric_name AS name, tags['container.id'] AS id FROM metrics WHERE metric_name NOT LIKE '%rate'"
    )
    assert {row["name"]: row["id"] for row in rows} == {
        "from.dgram": container,
        "from.stream": container,
        "self.dgram": "own",
        "self.stream": "own",
    }
