"""Raw payloads: kept only when asked for, for so long and so much; sent again they bring what is missing."""

from __future__ import annotations

import stat
from pathlib import Path

import httpx
import trio
from support.agents import AgentProcess, wait_until, yaat, yaat_json
from support.both_ends import free_place
from support.ingesting import event, gateway

from yaat_core import Duration, Size
from yaat_plugin_gateway.config import RawPayloads
from yaat_plugin_gateway.ingest.payloads import FOLDER, stored

PATIENCE = 120
DROPPING = "  - {type: filter, drop: \"message = 'kept out'\"}\n"
CONFIG = """
version: 1
state_dir: state
health: {{listen: "off"}}
sources:
  ingest: {{type: gateway, listen: "tcp://{place}", raw_payloads: {{keep: 1h}}}}
processors:
  - {{type: scrub, detectors: [secrets]}}
{more}sinks:
  local: {{type: duckdb}}
"""


def kept(folder: Path) -> list[Path]:
    place = folder / "state" / FOLDER
    return sorted(place.iterdir()) if place.exists() else []


async def test_nothing_is_kept_unless_it_is_asked_for(tmp_path):
    async with gateway(tmp_path) as one:
        await one.post([event("a")])
    assert not kept(tmp_path)


async def test_bodies_are_kept_as_they_came_for_their_owner_alone(tmp_path):
    async with gateway(tmp_path, raw_payloads=RawPayloads(keep=Duration(3_600))) as one:
        await one.post([event("password=hunter2")], batch_id="b")
        await one.post([event("password=hunter2")], batch_id="b")
        await one.post([{"bad": 1}])
    (path,) = kept(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    (payload,) = stored(tmp_path / "state")
    assert payload.organization == "acme"
    assert b"hunter2" in payload.body
    assert not list(stored(tmp_path / "state", payload.time_us + 1))
    async with gateway(tmp_path):
        assert not kept(tmp_path), "turned off, what was kept goes"


async def test_what_is_too_old_or_too_much_goes(tmp_path):
    options = RawPayloads(keep=Duration(3_600), max_bytes=Size(1_000))
    async with gateway(tmp_path, raw_payloads=options) as one:
        for number in range(12):
            await one.post([event(f"{number}")])
        assert 2 <= len(kept(tmp_path)) < 12
        assert sum(path.stat().st_size for path in kept(tmp_path)) <= 1_000
        newest = list(stored(tmp_path / "state"))[-1]
        assert b'"11"' in newest.body
    async with gateway(tmp_path, raw_payloads=RawPayloads(keep=Duration(0.05))) as one:
        await one.post([event("brief")])
        with trio.fail_after(PATIENCE):
            while kept(tmp_path):
                await trio.sleep(0.05)


async def test_a_folder_that_cant_be_written_stops_nothing(tmp_path):
    async with gateway(tmp_path, raw_payloads=RawPayloads(keep=Duration(3_600))) as one:
        (tmp_path / "state" / FOLDER).write_text("in the way")
        assert (await one.post([event("a")])).status_code == 200
        assert any("raw payloads" in finding.problem for finding in one.source.problems())
        (tmp_path / "state" / FOLDER).unlink()
        await one.post([event("b")])
        assert not one.source.problems()
        assert one.messages() == ["a", "b"]


async def test_only_an_admin_has_events_taken_again(tmp_path):
    async with gateway(tmp_path) as one:
        answer = await one.post([event("a")], x_yaat_replay="1")
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
        assert not one.messages()


def test_a_replay_brings_what_a_wrong_pipeline_dropped(tmp_path: Path) -> None:
    config, place = tmp_path / "yaat.yaml", free_place()
    config.write_text(CONFIG.format(place=place, more=DROPPING))
    rights = [part for right in ("ingest", "read", "admin") for part in ("--right", right)]
    key = yaat_json("gateway", "keys", "create", "replay", *rights, "-c", str(config))["key"]
    gateway = AgentProcess(config)
    with gateway.start():
        _post(place, key, [event("kept out"), event("in")])
        gateway.wait_for(1, seconds=PATIENCE)
        assert gateway.terminate(seconds=PATIENCE) == 0, gateway.log()
        config.write_text(CONFIG.format(place=place, more=""))
        gateway.start()
        _post(place, key, [event("later")])
        gateway.wait_for(2, seconds=PATIENCE)
        shown = yaat_json("gateway", "replay", "--dry-run", "-c", str(config))
        assert shown["payloads"] == 2
        done = yaat_json("gateway", "replay", "-c", str(config), YAAT_GATEWAY_KEY=key)
        assert done == {"payloads": 1, "events": 1, "left_out": 2}
        gateway.wait_for(3, seconds=PATIENCE)
        rows = gateway.query("SELECT message FROM events ORDER BY message")
        assert [row["message"] for row in rows] == ["in", "kept out", "later"]
        refused = yaat("gateway", "replay", "-c", str(config), YAAT_GATEWAY_KEY="wrong")
        assert refused.returncode == 5
        assert "401" in refused.stderr
        assert yaat("gateway", "replay", "-c", str(config), YAAT_GATEWAY_KEY="").returncode == 2


def _post(place: str, key: str, events: list[dict[str, object]]) -> None:
    def taken() -> bool:
        try:
            headers = {"authorization": f"Bearer {key}"}
            return httpx.post(
                f"http://{place}/v1/ingest", json={"events": events}, headers=headers
            ).is_success
        except httpx.TransportError:
            return False

    wait_until(taken, seconds=PATIENCE, what="the gateway takes events")
