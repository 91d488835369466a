"""Engines that do not answer as they should, and checkpoints of containers that are gone."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from yaat_core.testing import RecordingOutlet, make_context
from yaat_plugin_docker.cursor import Checkpoint, key_of
from yaat_plugin_docker.desk import FORGET, Desk, Tally
from yaat_plugin_docker.source import DockerSource


async def test_checkpoints_of_removed_containers_go_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, here = "0" * 64, "1" * 64
    value = Checkpoint(created=1, time=1, count=1, ordinal=1, at=int(time.time())).encode()
    stored = {key_of(id, number): value for id in (old, here) for number in (1, 2)}
    outlet = RecordingOutlet(stored)
    context = make_context(tmp_path, "sources.containers")
    desk = Desk(outlet, Tally(context), context.log)
    await desk.forget(frozenset({here}))
    assert not outlet.sent
    present = time.time()
    monkeypatch.setattr(time, "time", lambda: present + FORGET + 60)
    await desk.forget(frozenset({here}))
    assert set(outlet.stored()) == {key_of(here, 1), key_of(here, 2)}


MakeSource = Callable[..., DockerSource]


async def test_an_engine_that_is_not_there(make_source: MakeSource, tmp_path: Path) -> None:
    [finding] = await make_source(f"unix://{tmp_path}/docker.sock").check()
    assert "there is no engine's socket" in finding.problem
    assert "podman.socket" in finding.advice


async def test_a_socket_that_is_something_else(make_source: MakeSource, tmp_path: Path) -> None:
    async def babble(stream: trio.SocketStream) -> None:
        await stream.send_all(random.Random(1).randbytes(200))

    listening = trio.socket.socket(trio.socket.AF_UNIX, trio.socket.SOCK_STREAM)
    await listening.bind(str(tmp_path / "docker.sock"))
    listening.listen()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, babble, [trio.SocketListener(listening)])
        [finding] = await make_source(f"unix://{tmp_path}/docker.sock").check()
        nursery.cancel_scope.cancel()
    assert str(tmp_path) in finding.problem


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give it up")
async def test_a_socket_without_permission(make_source: MakeSource) -> None:
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        path = Path(name) / "docker.sock"
        listening = trio.socket.socket(trio.socket.AF_UNIX, trio.socket.SOCK_STREAM)
        await listening.bind(str(path))
        listening.listen()
        path.chmod(0o600)
        source = make_source(f"unix://{path}")
        os.seteuid(65534)
        try:
            if not os.access(name, os.X_OK, effective_ids=True):
                pytest.skip("the folder for temporary files is not open to others")
            [finding] = await source.check()
        finally:
            os.seteuid(0)
            listening.close()
    assert finding.problem == f"no permission for the engine's socket unix://{path}"
    assert "usermod -aG docker" in finding.advice
