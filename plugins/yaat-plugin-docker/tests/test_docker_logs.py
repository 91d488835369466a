"""What containers of real engines write, read to its end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import trio
from support.dockerd import RealEngine, fresh_name, podman_engine
from support.engine import docker_api, stop

from yaat_core.config.options import Duration, Size
from yaat_core.event import Event
from yaat_core.testing import RecordingOutlet
from yaat_kit.choosing import Choice
from yaat_plugin_docker.source import DockerSource

MakeSource = Callable[..., DockerSource]
LONG = 40_000


def only(name: str) -> dict[str, Any]:
    return {"containers": Choice(include=(f"{name}*",)), "poll": Duration(0.05), "resync": Duration(1)}


def read_once(make_source: MakeSource, engine: RealEngine, name: str, **options: Any) -> list[Event]:
    """Everything that is there now."""
    outlet = RecordingOutlet()

    async def run() -> None:
        with trio.fail_after(60):
            await make_source(engine.host, once=True, **{**only(name), **options}).run(outlet)

    trio.run(run)
    return outlet.events()


async def wait_rows(outlet: RecordingOutlet, rows: int) -> None:
    with trio.fail_after(60):
        await outlet.wait_rows(rows)


def ended(engine: RealEngine, purpose: str, script: str, *options: str) -> str:
    name = engine.run(fresh_name(purpose), script, *options)
    engine.wait_end(name)
    return name


def test_streams_long_lines_and_bytes(engine: RealEngine, make_source: MakeSource) -> None:
    script = (
        rf"echo out; echo err >&2; head -c {LONG} /dev/zero | tr '\0' x; echo; printf '\377bad\n';"
        r" printf 'crlf\r\n'; echo; printf unfinished"
    )
    events = read_once(make_source, engine, ended(engine, "streams", script))
    by_stream = {
        stream: [event for event in events if event.tags.get("log.iostream") is None and event.level == level]
        for stream, level in (("stdout", None), ("stderr", "error"))
    }
    assert [event.message for event in by_stream["stderr"]] == ["err"]
    assert [event.message for event in by_stream["stdout"]] == [
        "out",
        "x" * LONG,
        "\ufffdbad",
        "crlf",
        "",
        "unfinished",
    ]
    assert all("log.truncated" not in event.tags for event in events)


def test_a_terminal_has_one_stream_and_long_lines_are_whole(
    engine: RealEngine, make_source: MakeSource
) -> None:
    size = LONG if engine.docker else 100  # podman divides where a read of the terminal happens to end
    script = rf"echo out; echo err >&2; echo $(head -c {size} /dev/zero | tr '\0' x); printf unfinished"
    events = read_once(make_source, engine, ended(engine, "terminal", script, "-t"))
    assert [event.message for event in events] == ["out", "err", "x" * size, "unfinished"]


def test_a_line_over_the_limit_is_cut_and_marked(engine: RealEngine, make_source: MakeSource) -> None:
    script = rf"head -c {LONG} /dev/zero | tr '\0' x; echo; echo next"
    name = ended(engine, "cut", script)
    first, second = read_once(make_source, engine, name, max_line_bytes=Size(10_000))
    assert (first.message, first.tags["log.truncated"]) == ("x" * 10_000, "true")
    assert (second.message, dict(second.tags)) == ("next", {})


def test_what_labels_ask_for(engine: RealEngine, make_source: MakeSource) -> None:
    rules = [
        {"type": "exclude_at_match", "name": "health", "pattern": "GET /health"},
        {
            "type": "mask_sequences",
            "name": "key",
            "pattern": r"key=(\w)\w+",
            "replace_placeholder": "key=$1...",
        },
    ]
    asked = [{"source": "python", "service": "dog", "tags": ["team:shop"], "log_processing_rules": rules}]
    trace = r"echo 'Traceback (most recent call last):'; echo '  File \"a.py\", line 1, in f'; echo 'ValueError: no'"
    name = ended(
        engine,
        "labels",
        f"echo 'GET /health'; echo 'key=abcdef'; {trace}; echo after",
        *("--label", f"com.datadoghq.ad.logs={json.dumps(asked)}"),
        *("--label", "com.datadoghq.tags.env=staging"),
        *("--label", "com.datadoghq.tags.version=7"),
        *("--label", "yaat.logs.service=cart"),
        *("--label", "yaat.logs.multiline=python"),
        *("--label", "yaat.logs.format=logfmt"),
        *("--label", "secret=never"),
        *("-e", "APP=shop", "-e", "TOKEN=never"),
    )
    outlet = RecordingOutlet()

    async def run() -> None:
        options = {**only(name), "env_tags": ("APP",), "label_tags": ("com.datadoghq.tags.*",)}
        await make_source(engine.host, once=True, **options).run(outlet)

    trio.run(run)
    events = outlet.events()
    masked, after = events
    assert masked.message == "key=a..."
    assert str(masked.stacktrace).endswith("ValueError: no")
    assert after.message == "after"
    [labels] = {one.batch.labels.stream: one.batch.labels for one in outlet.sent if len(one.batch)}.values()
    assert (labels.service_name, labels.environment, labels.format) == ("cart", "staging", "logfmt")
    tags = dict(labels.tags)
    assert tags["team"] == "shop"
    assert tags["source"] == "python"
    assert tags["version"] == "7"
    assert tags["container.env.APP"] == "shop"
    assert tags["container.label.com.datadoghq.tags.env"] == "staging"
    assert tags["container.name"] == name
    assert tags["container.image.name"].endswith("yaat-small")
    assert tags["container.image.tags"] == "latest"
    assert tags["log.iostream"] == "stdout"
    assert "never" not in str(tags)


def test_what_is_left_out(engine: RealEngine, make_source: MakeSource) -> None:
    purpose = fresh_name("choice")
    for suffix, options in {
        "a": (),
        "b": ("--label", "yaat.logs.exclude=true"),
        "c": ("--label", "com.docker.compose.project=other"),
        "d-test": (),
    }.items():
        engine.wait_end(engine.run(f"{purpose}-{suffix}", f"echo {suffix}", *options))
    events = read_once(
        make_source,
        engine,
        purpose,
        containers=Choice(include=(f"{purpose}*",), exclude=("*-test",)),
        labels=Choice(exclude=("com.docker.compose.project=*",)),
    )
    assert [event.message for event in events] == ["a"]


async def test_containers_that_come_end_and_start_again(engine: RealEngine, make_source: MakeSource) -> None:
    purpose = fresh_name("coming")
    outlet = RecordingOutlet()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(make_source(engine.host, **only(purpose)).run, outlet)
        name = f"{purpose}-1"
        await trio.to_thread.run_sync(engine.run, name, "echo first; echo second")
        await wait_rows(outlet, 2)
        await trio.to_thread.run_sync(lambda: engine.command("start", name))
        await wait_rows(outlet, 4)
        await trio.to_thread.run_sync(engine.remove, name)
        await trio.to_thread.run_sync(engine.run, name, "echo replaced; sleep 1000")
        await wait_rows(outlet, 5)
        await trio.sleep(0.5)
        nursery.cancel_scope.cancel()
    assert [event.message for event in outlet.events()] == ["first", "second", "first", "second", "replaced"]
    assert len({event.event_id for event in outlet.events()}) == 5


async def test_an_event_that_may_go_on_is_not_passed(engine: RealEngine, make_source: MakeSource) -> None:
    """stderr waits with half a trace while stdout goes on: a restart reads the trace from its beginning."""
    name = fresh_name("waiting")
    script = (
        "echo A trace: >&2; echo ' at one' >&2; sleep 1; echo out; echo held; "
        "sleep 4; echo ' at two' >&2; echo end >&2; echo held >&2; sleep 1000"
    )
    options = {**only(name), "multiline": "indent", "join_timeout": Duration(60)}
    first = RecordingOutlet()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(make_source(engine.host, **options).run, first)
        await trio.to_thread.run_sync(engine.run, name, script)
        with trio.fail_after(60):
            while not [key for key in first.stored() if key.endswith(b"stderr")]:
                await first.wait_change()
        nursery.cancel_scope.cancel()
    second = RecordingOutlet(first.stored())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(make_source(engine.host, **options).run, second)
        await wait_rows(second, 3 - first.rows)
        nursery.cancel_scope.cancel()
    messages = sorted(str(event.message) for event in [*first.events(), *second.events()])
    assert messages == ["A trace:\n at one\n at two", "end", "out"]


async def test_where_to_begin(engine: RealEngine, make_source: MakeSource) -> None:
    purpose = fresh_name("begin")
    await trio.to_thread.run_sync(engine.run, f"{purpose}-old", "echo old; sleep 1000")
    with trio.fail_after(60):
        while "old" not in (await trio.to_thread.run_sync(engine.command, "logs", f"{purpose}-old")).stdout:
            await trio.sleep(0.1)
    await trio.sleep(1.5)  # podman tells whole seconds
    outlet = RecordingOutlet()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(make_source(engine.host, start_at="end", **only(purpose)).run, outlet)
        with trio.fail_after(60):
            while not outlet.stored():
                await outlet.wait_change()
        await trio.to_thread.run_sync(engine.run, f"{purpose}-new", "echo new; sleep 1000")
        await wait_rows(outlet, 1)
        await trio.sleep(0.5)
        nursery.cancel_scope.cancel()
    assert [event.message for event in outlet.events()] == ["new"]


async def test_old_containers_are_not_begun(engine: RealEngine, make_source: MakeSource) -> None:
    name = await trio.to_thread.run_sync(ended, engine, "old", "echo old")
    await trio.sleep(0.2)
    outlet = RecordingOutlet()
    with trio.fail_after(60):
        await make_source(engine.host, once=True, exited_within=Duration(0.1), **only(name)).run(outlet)
    assert not outlet.rows


async def test_a_driver_that_keeps_nothing_is_told(engine: RealEngine, make_source: MakeSource) -> None:
    name = fresh_name("none")
    await trio.to_thread.run_sync(engine.run, name, "echo unread; sleep 1000", "--log-driver", "none")
    source, outlet = make_source(engine.host, **only(name)), RecordingOutlet()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(source.run, outlet)
        with trio.fail_after(60):
            while not source.problems():
                await trio.sleep(0.05)
        nursery.cancel_scope.cancel()
    [finding] = source.problems()
    assert name in finding.problem
    assert finding.level == "warn"
    assert not outlet.rows


def test_hostile_names_and_labels(engine: RealEngine, make_source: MakeSource, tmp_path: Path) -> None:
    hostile = "../../etc/\x1b[31mred"
    name = ended(
        engine,
        "hostile",
        "echo hello",
        *("--label", f"yaat.logs.service={hostile}"),
        *("--label", f"yaat.logs.format={hostile}"),
        *("--label", f"yaat.logs.multiline={hostile}"),
        *("--label", f"com.datadoghq.ad.logs={'[' * 60_000}"),
        *("--label", f"huge={'x' * 100_000}"),
    )
    source, outlet = make_source(engine.host, once=True, label_tags=("*",), **only(name)), RecordingOutlet()

    async def run() -> None:
        await source.run(outlet)

    trio.run(run)
    [event] = outlet.events()
    assert event.message == "hello"
    [sent] = [one for one in outlet.sent if len(one.batch)]
    assert sent.batch.labels.format is None
    assert max(len(value) for value in sent.batch.labels.tags.values()) <= 256
    told = " ".join(finding.problem for finding in source.problems())
    assert "yaat.logs.multiline" in told
    assert "com.datadoghq.ad.logs" in told
    assert "\x1b" not in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state"]


async def test_the_engine_comes_back(make_source: MakeSource, tmp_path: Path) -> None:
    """The containers go on while the engine's service is away; the agent says so, and reads on."""
    name = fresh_name("back")
    with podman_engine(tmp_path) as engine:
        source, outlet = make_source(f"unix://{tmp_path / 'other.sock'}", **only(name)), RecordingOutlet()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(source.run, outlet)
            with trio.fail_after(60):
                while not source.problems():
                    await trio.sleep(0.05)
            script = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.2; done"
            await trio.to_thread.run_sync(engine.run, name, script)
            for _ in range(2):
                with docker_api(tmp_path / "other.sock") as process:
                    await wait_rows(outlet, outlet.rows + 5)
                    assert not source.problems()
                    stop(process)
            nursery.cancel_scope.cancel()
    numbers = [int(event.message or 0) for event in outlet.events()]
    assert numbers == list(range(1, len(numbers) + 1))
