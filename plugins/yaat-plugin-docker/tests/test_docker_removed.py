"""Containers that are removed as soon as they end."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from support.dockerd import RealEngine, fresh_name, podman_engine
from support.engine import podman

from yaat_core.config.options import Duration
from yaat_core.stats import Stats
from yaat_core.testing import RecordingOutlet, make_context
from yaat_kit.choosing import Choice
from yaat_plugin_docker.config import DockerConfig
from yaat_plugin_docker.frames import NotFrames, Unpacker
from yaat_plugin_docker.held import HeldLog
from yaat_plugin_docker.source import DockerSource

_MADE = (
    b"2026-01-05T10:00:00.100000000+00:00 stdout F one\n"
    b"2026-01-05T11:00:00.900000000+01:00 stderr P be\n"
    b"2026-01-05T10:00:01.000000000+00:00 stderr F gun\n"
    b"2026-01-05T10:00:02.000000000+00:00 stdout F \n"
)


def removed(stats: Stats) -> float:
    return sum(one.value for one in stats.snapshot() if one.name == "yaat_docker_removed_total")


def source(folder: Path, engine: RealEngine, name: str, stats: Stats, poll: float) -> DockerSource:
    choice = Choice(include=(f"{name}*",))
    config = DockerConfig(host=engine.host, containers=choice, poll=Duration(poll), resync=Duration(60))
    return DockerSource(config, make_context(folder, "sources.containers", stats=stats))


@pytest.mark.parametrize("poll", [0.05, 8])
def test_podman_the_last_lines_are_read(tmp_path: Path, poll: float) -> None:
    """`run --rm`: with a long `poll` hardly anything was read before; with a short one each line comes once all the same."""
    stats, outlet, name, lines = Stats(), RecordingOutlet(), fresh_name("rm"), 4_000
    script = (
        f"echo begin; sleep 2; i=0; while [ $i -lt {lines} ]; do i=$((i+1)); echo o $i; echo e $i >&2; done"
    )

    async def run(engine: RealEngine) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(source(tmp_path, engine, name, stats, poll).run, outlet)
            await trio.to_thread.run_sync(
                lambda: podman("run", "--rm", "--name", name, engine.image, "sh", "-c", script)
            )
            with trio.move_on_after(60):
                await outlet.wait_rows(2 * lines + 1)
            nursery.cancel_scope.cancel()

    with podman_engine(tmp_path) as engine:
        trio.run(run, engine)
    written = Counter(["begin", *(f"{one} {number}" for one in "oe" for number in range(1, lines + 1))])
    assert Counter(str(event.message) for event in outlet.events()) == written
    assert removed(stats) == 0
    assert len({event.event_id for event in outlet.events()}) == 2 * lines + 1


def test_podman_one_that_was_never_seen_is_counted(tmp_path: Path) -> None:
    stats, outlet, name = Stats(), RecordingOutlet(), fresh_name("never")

    async def run(engine: RealEngine) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(source(tmp_path, engine, name, stats, 0.05).run, outlet)
            with trio.fail_after(60):
                number = 0
                while not removed(stats):
                    number += 1
                    arguments = ("run", "--rm", "--name", f"{name}-{number}", engine.image, "sh", "-c", ":")
                    await trio.to_thread.run_sync(lambda: podman(*arguments))  # noqa: B023 - awaited at once
            nursery.cancel_scope.cancel()

    with podman_engine(tmp_path) as engine:
        trio.run(run, engine)


@pytest.fixture
def make(tmp_path: Path) -> Callable[[bytes], HeldLog]:
    def made(data: bytes) -> HeldLog:
        path = tmp_path / "ctr.log"
        path.write_bytes(data)
        held = HeldLog.of(str(path), "json-file", os.geteuid())
        assert held is not None
        held.refresh()
        path.unlink()
        assert held.removed
        return held

    return made


def test_the_file_gives_what_the_engine_would_send(make: Callable[[bytes], HeldLog]) -> None:
    frames = Unpacker(terminal=False).feed(b"".join(make(_MADE).pieces(0, terminal=False)))
    assert frames.text.to_pylist() == [b"one", b"be", b"gun", b""]
    assert frames.stream.tolist() == [1, 2, 2, 1]
    assert frames.whole.tolist() == [True, False, True, True]
    seconds = (frames.time - frames.time[0]) / 1e9
    assert seconds.tolist() == [0, 0, 1, 2]
    lines = b"".join(make(_MADE).pieces(0, terminal=True)).split(b"\n")
    assert lines[0] == b"2026-01-05T10:00:00Z one"


def test_what_is_no_such_file_is_refused(make: Callable[[bytes], HeldLog]) -> None:
    for data in (
        b"root:x:0:0:root\n",
        b"2026-01-05T10:00:00Z stdin F x\n",
        b"9999-99-99T99:99:99Z stdout F x\n",
        b"\xff\n",
    ):
        with pytest.raises(NotFrames):
            list(make(_MADE + data).pieces(0, terminal=False))


def test_only_a_file_of_the_engines_user_is_opened(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(_MADE)
    (tmp_path / "link").symlink_to(tmp_path / "log")
    for path, owner in (("log", os.geteuid() + 1), ("link", os.geteuid()), ("", os.geteuid())):
        held = HeldLog(str(tmp_path / path), owner)
        held.refresh()
        assert not held.removed
    assert HeldLog.of("/x", "journald", 0) is None
    assert HeldLog.of("x", "json-file", 0) is None
    assert HeldLog.of("/x", "json-file", None) is None


def test_a_rotated_file_is_opened_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(_MADE)
    held = HeldLog(str(path), os.geteuid())
    held.refresh()
    (tmp_path / "new").write_bytes(_MADE[:49])
    (tmp_path / "new").rename(path)
    assert held.removed
    held.refresh()
    assert not held.removed
    assert len(Unpacker(terminal=False).feed(b"".join(held.pieces(0, terminal=False)))) == 1
    held.close()


@given(
    seconds=st.lists(st.integers(0, 5), max_size=40),
    since=st.integers(0, 6),
    step=st.sampled_from([100, 300]),
)
def test_nothing_since_a_time_is_passed_over(
    seconds: list[int], since: int, step: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("held") / "log"
    path.write_bytes(
        b"".join(
            b"2026-01-05T10:00:0%d.5+00:00 stdout F %d\n" % (second, number)
            for number, second in enumerate(sorted(seconds))
        )
    )
    held = HeldLog(str(path), os.geteuid())
    held.refresh()
    frames = Unpacker(terminal=False).feed(b"".join(held.pieces(0, terminal=False)))
    base = int(frames.time[0]) // 10_000_000_000 * 10_000_000_000 if len(frames) else 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("yaat_plugin_docker.held._STEP", step)
        found = b"".join(held.pieces(base + since * 1_000_000_000, terminal=False))
    later = [
        text
        for text, time in zip(frames.text.to_pylist(), frames.time, strict=True)
        if time >= base + since * 1_000_000_000
    ]
    texts = Unpacker(terminal=False).feed(found).text.to_pylist()
    assert texts[len(texts) - len(later) :] == later
    held.close()
