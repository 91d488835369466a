"""A reload in a real agent: which objects go on, which are new, and what becomes of events and lanes meanwhile."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trio
from support import scenario
from support.inside import running, until

from yaat_core.agent import Agent
from yaat_core.components import QueryRequest
from yaat_core.config.problems import ConfigError
from yaat_core.errors import StoreUnavailable
from yaat_core.pipeline.chain import Chain, Step
from yaat_core.pipeline.delivery import SinkWorker
from yaat_core.pipeline.lane import Lane
from yaat_core.reloading import changing
from yaat_core.reloading.results import NoReload, Reloaded
from yaat_core.supervisor import Keeper

HEAD = 'state_dir: state\nhealth: {listen: "off"}\nreload: {watch: false}\n'
APP = '  app: {type: file, paths: ["app.log"], start_at: beginning, format: json}\n'
DEDUPE = "  - {type: dedupe, window: 1h}\n"
SCRUB = "  - {type: scrub, detectors: [secrets]}\n"
LOCAL = "  local: {type: duckdb}\n"


def text(sources: str = APP, processors: str = DEDUPE + SCRUB, sinks: str = LOCAL, more: str = "") -> str:
    return f"{HEAD}{more}sources:\n{sources}processors:\n{processors}sinks:\n{sinks}"


class Site:
    """A folder with a configuration and files to read, and the agent on it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "yaat.yaml"
        self.file.write_text(text())
        self.agent: Any = None

    def write(self, *lines: str, name: str = "app.log") -> None:
        with open(self.folder / name, "a") as file:
            file.writelines(f"{line}\n" for line in lines)

    async def reload(self, new: str) -> Reloaded:
        self.file.write_text(new)
        done = await self.agent.reload("a test")
        assert isinstance(done, Reloaded)
        return done

    async def rows(self, sql: str) -> list[dict[str, Any]]:
        with trio.fail_after(60):
            while True:
                try:
                    answer = await self.agent.query(QueryRequest(sql=sql, rows=100_000, seconds=60))
                    break
                except StoreUnavailable:  # the sink is being opened
                    await trio.sleep(0.02)
        batches = await trio.to_thread.run_sync(list, answer)
        return [row for batch in batches for row in batch.to_pylist()]

    async def messages(self) -> list[str]:
        return [row["message"] for row in await self.rows("SELECT message FROM events ORDER BY message")]

    async def until_stored(self, count: int) -> None:
        with trio.fail_after(60):
            while len(await self.messages()) < count:
                await trio.sleep(0.05)

    def source(self, name: str) -> Any:
        """The very object that reads."""
        (found,) = self.agent._rooms.complaints._asked[f"sources.{name}"]
        return found


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path)
    async with running(site.file) as agent:
        site.agent = agent
        await until(lambda: "sources.app" in agent._rooms.complaints._asked)
        yield site


def told(done: Reloaded) -> set[str]:
    return {f"{one.component} {one.what}" for one in done.changes}


async def test_an_unchanged_source_goes_on_while_all_around_it_changes(site: Site) -> None:
    before, since = site.source("app"), site.agent._rooms.sources["app"].since
    site.write('{"message": "one"}')
    await site.until_stored(1)
    changed = text(
        APP.replace("json", "logfmt").replace("type: file", "type: file, tags: {tier: front}"),
        SCRUB.replace("secrets", "email"),
        more="tags: {team: x}\nservice_name: shop\n",
    )
    done = await site.reload(changed)
    assert told(done) == {
        "sources.app changed",
        "processors.dedupe stopped",
        "processors.scrub restarted",
        "tags changed",
        "service_name changed",
    }
    site.write("level=info msg=two")
    await site.until_stored(2)
    assert site.source("app") is before
    assert site.agent._rooms.sources["app"].since == since
    (row,) = await site.rows(
        "SELECT service_name, tags['tier'] AS tier, tags['team'] AS team FROM events WHERE message = 'two'"
    )
    assert row == {"service_name": "shop", "tier": "front", "team": "x"}


async def test_an_unchanged_processor_keeps_what_it_knows(site: Site) -> None:
    """`dedupe` has seen the line before the reload, so the repetition after it is dropped."""
    site.write('{"message": "again"}')
    await site.until_stored(1)
    step = site.agent._rooms.steps.at("processor", "dedupe")
    await site.reload(text(more="tags: {a: b}\n", processors=DEDUPE + SCRUB.replace("secrets", "email")))
    assert site.agent._rooms.steps.at("processor", "dedupe") is step
    site.write('{"message": "again"}', '{"message": "new"}')
    await site.until_stored(2)
    assert await site.messages() == ["again", "new"]


async def test_a_processor_that_goes_says_what_it_has_left(site: Site) -> None:
    """`dedupe` counted repetitions; its summary comes when it is taken out, through what was behind it."""
    site.write(*['{"message": "same"}'] * 5)
    await until(lambda: site.agent._rooms.queue.state().read == 5)
    await site.reload(text(processors=SCRUB))
    await site.until_stored(2)
    site.write('{"message": "same"}')
    await site.until_stored(3)
    state = site.agent._rooms.queue.state()
    assert state.read == state.accepted + sum(state.dropped.values())


async def test_sources_come_change_and_go(site: Site) -> None:
    other = APP.replace("app", "other")
    site.write('{"message": "a1"}')
    site.write('{"message": "b1"}', name="other.log")
    assert told(await site.reload(text(APP + other))) == {"sources.other started"}
    await site.until_stored(2)
    old = site.source("app")
    done = await site.reload(text(APP.replace("paths", "exclude: ['*.gz'], paths") + other))
    assert told(done) == {"sources.app restarted"}
    assert done.unchanged == 5
    await until(lambda: "sources.app" in site.agent._rooms.complaints._asked)
    assert site.source("app") is not old
    site.write('{"message": "a2"}')
    await site.until_stored(3)
    assert told(await site.reload(text(APP.replace("paths", "exclude: ['*.gz'], paths")))) == {
        "sources.other stopped"
    }
    site.write('{"message": "b2"}', name="other.log")
    site.write('{"message": "a3"}')
    await site.until_stored(4)
    await site.reload(text(APP + other))
    await site.until_stored(5)
    assert await site.messages() == ["a1", "a2", "a3", "b1", "b2"]


async def test_sinks_come_change_and_go(site: Site) -> None:
    rooms = site.agent._rooms
    site.write('{"message": "m1"}')
    await site.until_stored(1)
    second = "  second: {type: duckdb, path: second.duckdb}\n"
    assert told(await site.reload(text(sinks=LOCAL + second))) == {"sinks.second started"}
    site.write('{"message": "m2"}')
    await until(lambda: rooms.lanes["sinks.second"].cursor.delivered == 1)
    done = await site.reload(text(sinks=LOCAL + second.replace("}", ", queue: {max_bytes: 1MiB}}")))
    assert told(done) == {"sinks.second changed"}
    assert rooms.lanes["sinks.second"].bounds.max_bytes == 2**20
    worker = rooms.workers["local"]
    changed = second.replace("}", ", retention: 3d}")
    assert told(await site.reload(text(sinks=LOCAL + changed))) == {"sinks.second restarted"}
    site.write('{"message": "m3"}')
    await until(lambda: rooms.lanes["sinks.second"].cursor.delivered == 2)
    assert rooms.workers["local"] is worker
    await site.reload(text())
    assert "sinks.second" not in rooms.lanes
    assert rooms.detached["sinks.second"].cursor.detached_at_us
    site.write('{"message": "m4"}')
    await site.until_stored(4)
    await site.reload(text(sinks=LOCAL + second))
    await until(lambda: rooms.lanes["sinks.second"].cursor.delivered == 3)
    cursor = rooms.lanes["sinks.second"].cursor
    assert (cursor.lost, cursor.dropped, cursor.detached_at_us) == (0, 0, None)


async def test_a_new_sink_from_the_oldest_gets_what_is_still_queued(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YAAT_TEST_KEY", "k" * 40)
    rooms = site.agent._rooms
    await site.reload(
        text(
            sinks=LOCAL
            + "  stuck: {type: cloud, endpoint: 'https://127.0.0.1:9', api_key: '${env:YAAT_TEST_KEY}'}\n"
        )
    )
    site.write('{"message": "m1"}', '{"message": "m2"}')
    await site.until_stored(2)
    late = "  late: {type: duckdb, path: late.duckdb, from: oldest}\n"
    await site.reload(text(sinks=LOCAL + late))
    await until(lambda: rooms.lanes["sinks.late"].cursor.delivered == 2)
    assert rooms.lanes["sinks.late"].cursor.lost == 0


async def test_what_is_not_valid_changes_nothing_and_is_told(site: Site) -> None:
    before = site.source("app")
    with pytest.raises(ConfigError) as raised:
        await site.reload(text(APP.replace("paths", "pths"), more="sevice_name: x\n"))
    assert len(raised.value.problems) >= 2
    status = await site.agent.status()
    assert [problem.what for problem in status.configuration.problems] == [
        problem.what for problem in raised.value.problems
    ]
    (problem,) = [one for one in status.health.problems if one.component == "configuration"]
    assert "yaml:4:" in problem.what
    assert problem.level == "warn"
    assert site.source("app") is before
    assert told(await site.reload(text())) == set()
    status = await site.agent.status()
    assert not status.configuration.problems
    assert not status.health.problems


async def test_what_takes_a_restart_is_named_until_it_is_taken_back(site: Site) -> None:
    done = await site.reload(text().replace("state_dir: state", "state_dir: other"))
    assert done.restart_needed == ("state_dir",)
    status = await site.agent.status()
    assert status.configuration.restart_needed == ("state_dir",)
    assert any("restart" in one.what for one in status.health.problems)
    assert not (await site.reload(text())).restart_needed
    assert not (await site.agent.status()).health.problems


async def test_two_reloads_at_once_come_one_after_the_other(site: Site) -> None:
    site.file.write_text(text(APP + APP.replace("app", "other")))
    found: list[Reloaded] = []

    async def ask() -> None:
        found.append(await site.agent.reload("a test"))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        nursery.start_soon(ask)
    assert [told(one) for one in found] == [{"sources.other started"}, set()]


async def test_refused_while_the_agent_stops(site: Site) -> None:
    await site.agent._reloader.close()
    with pytest.raises(NoReload, match="stopping"):
        await site.agent.reload("a test")


async def test_one_that_fails_in_the_middle_is_told_and_the_agent_goes_on(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("a fault")

    site.file.write_text(text(sinks=LOCAL + "  second: {type: duckdb, path: second.duckdb}\n"))
    with monkeypatch.context() as patched:
        patched.setattr(changing, "attach_more", fail)
        site.agent._reloader.ask("a test")
        await until(lambda: any("in the middle" in one.what for one in site.agent.health.now().problems))
    site.write('{"message": "m1"}')
    await site.until_stored(1)


NEVER = "  local: {type: never, queue: {max_bytes: 1KiB, when_full: block}}\n"


@pytest.fixture
def never(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sink that never has time."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "never.py").write_text(scenario.NEVER)
    monkeypatch.setenv("YAAT_PLUGINS_DIR", str(tmp_path / "plugins"))


async def full(site: Site) -> None:
    """Sources wait: the sink takes nothing, and its bound is full."""
    for number in range(0, 3000, 50):
        site.write(*[f'{{"message": "m{number + place:04}"}}' for place in range(50)])
        await trio.sleep(0.01)
    await until(lambda: site.agent._rooms.intake.holds("sources.app") and _waits(site.agent))


def _waits(agent: Agent) -> bool:
    return any("sources wait" in one.what for one in agent.health.now().problems)


async def test_a_reload_mends_the_sink_that_everything_waits_for(never: None, tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.file.write_text(text(sinks=NEVER))
    async with running(site.file) as agent:
        site.agent = agent
        await full(site)
        await site.reload(text(APP.replace("paths", "exclude: ['*.gz'], paths"), sinks=LOCAL))
        await site.until_stored(3000)
        assert sorted(await site.messages()) == [f"m{number:04}" for number in range(3000)]


async def test_a_source_that_leaves_while_the_queue_is_full(
    never: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reload does not wait for ever; what was sent keeps its way, and is there once the queue takes it."""
    monkeypatch.setattr(changing, "PATIENCE", 0.3)
    site = Site(tmp_path)
    site.file.write_text(text(sinks=NEVER))
    async with running(site.file) as agent:
        site.agent = agent
        await full(site)
        other = APP.replace("app", "other")
        await site.reload(text(other, sinks=NEVER))
        assert agent._rooms.writer.chain("sources.app") is not None
        await site.reload(text(other, sinks=LOCAL))
        await until(lambda: agent._rooms.writer.chain("sources.app") is None)
        sent = len(await site.messages())
        assert sent
        await site.reload(text())
        await site.until_stored(3000)
        assert sorted(await site.messages()) == [f"m{number:04}" for number in range(3000)]


KINDS = (Chain, Step, Lane, SinkWorker, Keeper)


def census(agent: Agent) -> dict[str, int]:
    gc.collect()
    found = {kind.__name__: 0 for kind in KINDS}
    for one in gc.get_objects():
        if isinstance(one, KINDS):
            found[type(one).__name__] += 1
    found["tasks"] = trio.lowlevel.current_statistics().tasks_living
    found["asked"] = len(agent._rooms.complaints._asked)
    found["series"] = len(agent.stats.snapshot())
    return found


async def test_a_hundred_reloads_leave_nothing_behind(site: Site) -> None:
    """Sources, processors and sinks that come, change and go, each time under another name."""

    async def turn(number: int) -> None:
        site.write(f'{{"message": "m{number}"}}')
        detectors = f"secrets, {'email' if number % 2 else 'pii'}"
        sink = f"  s{number}: {{type: duckdb, path: s{number}.duckdb}}\n" if number % 10 == 0 else ""
        await site.reload(
            text(
                APP + APP.replace("app", f"other{number}"),
                DEDUPE.replace("}", f", name: d{number}}}") + SCRUB.replace("secrets", detectors),
                LOCAL + sink,
                more=f"tags: {{turn: '{number}'}}\n",
            )
        )

    for number in range(20):
        await turn(number)
    await site.reload(text())
    await trio.sleep(2)
    before, files, threads = census(site.agent), len(os.listdir("/proc/self/fd")), threading.active_count()
    for number in range(20, 120):
        await turn(number)
    await site.reload(text())
    await site.until_stored(120)
    site.agent._rooms.detached.clear()

    def more() -> dict[str, tuple[int, int]]:
        """What there is more of, beyond what comes and goes."""
        after = census(site.agent)
        found = {kind: (before[kind], after[kind]) for kind in before if after[kind] > before[kind] + 4}
        if (now := len(os.listdir("/proc/self/fd"))) > files + 3:
            found["files"] = (files, now)
        if (now := threading.active_count()) > threads + 4:
            found["threads"] = (threads, now)
        return found

    with trio.fail_after(60):
        while more():
            await trio.sleep(0.2)
