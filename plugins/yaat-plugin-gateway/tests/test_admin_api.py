"""Keys, quotas and usage over HTTP, on a gateway with a real state: for admins, each within their organization."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import trio

from yaat_core.testing import RecordingOutlet, make_context
from yaat_plugin_gateway.access import failures, token
from yaat_plugin_gateway.config import GatewayConfig
from yaat_plugin_gateway.parts import open_parts
from yaat_plugin_gateway.source import GatewaySource
from yaat_plugin_gateway.state.records import Organization, Right, Wanted
from yaat_plugin_gateway.state.store import State

#: Seconds that anything may take on a busy machine.
PATIENCE = 60
EVENT = {"service_name": "shop", "environment": "production", "message": "hello"}
ENDPOINTS = [
    ("GET", "/v1/keys", None),
    ("POST", "/v1/keys", {"name": "x"}),
    ("GET", "/v1/keys/k3q7m2xw4p", None),
    ("DELETE", "/v1/keys/k3q7m2xw4p", None),
    ("POST", "/v1/keys/k3q7m2xw4p/rotate", {}),
    ("PATCH", "/v1/organizations/default", {"name": "x"}),
    ("GET", "/v1/usage", None),
    ("GET", "/v1/quotas", None),
    ("PUT", "/v1/quotas", {"event_type": "log", "period": "day", "events": 1}),
]


@attrs.define
class Real:
    """A gateway that runs, and its state as another process sees it."""

    client: httpx.AsyncClient
    state: State

    def key(self, *rights: Right, organization: str = "default") -> str:
        wanted = Wanted(name="made by the test", rights=frozenset(rights))
        return self.state.keys.create(organization, wanted, 1)[1].token

    async def ask(
        self, key: str | None, method: str, path: str, body: Any = None, **more: Any
    ) -> httpx.Response:
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        headers |= more.pop("headers", {})
        return await self.client.request(method, path, json=body, headers=headers, **more)

    async def send(self, key: str, count: int = 1) -> httpx.Response:
        return await self.ask(key, "POST", "/v1/ingest", {"events": [EVENT] * count})


@asynccontextmanager
async def running(folder: Path, where: str, state: State, **options: Any) -> AsyncIterator[Real]:
    config = GatewayConfig(listen="tcp://127.0.0.1:0", state=where, **options)
    source = GatewaySource(config, make_context(folder, "sources.ingest"), open_parts)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(source.run, RecordingOutlet())
        with trio.fail_after(PATIENCE):
            while source.listening is None:
                await trio.sleep(0.01)
        base = f"http://127.0.0.1:{source.listening.port}"
        async with httpx.AsyncClient(base_url=base, timeout=PATIENCE) as client:
            yield Real(client, state)
        nursery.cancel_scope.cancel()


@pytest.fixture
async def real(tmp_path: Path, local: State) -> AsyncIterator[Real]:
    async with running(tmp_path, local.name, local) as found:
        yield found


@pytest.fixture
async def real_on_each(tmp_path: Path, where: str, state: State) -> AsyncIterator[Real]:
    async with running(tmp_path, where, state) as found:
        yield found


def told(answer: httpx.Response, status: int, code: str) -> str:
    """The problem of a refusal."""
    assert answer.status_code == status, answer.text
    document = answer.json()
    assert document["error"]["code"] == code
    assert document["error"]["problem"]
    assert answer.headers["cache-control"] == "no-store"
    return str(document["error"]["problem"])


async def test_the_life_of_a_key(real_on_each: Real, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "yaat.gateway")
    admin = real_on_each.key("admin")
    order = {
        "name": "agents",
        "services": ["shop"],
        "environments": ["production"],
        "expires_in": "90d",
        "events_per_second": 1_000,
    }
    answer = await real_on_each.ask(admin, "POST", "/v1/keys", order)
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    made = answer.json()
    assert {
        name: made[name] for name in ("name", "services", "environments", "rights", "events_per_second")
    } == {
        "name": "agents",
        "services": ["shop"],
        "environments": ["production"],
        "rights": ["ingest"],
        "events_per_second": 1_000,
    }
    assert (await real_on_each.send(made["key"])).status_code == 200
    shown = await real_on_each.ask(admin, "GET", f"/v1/keys/{made['id']}")
    listed = await real_on_each.ask(admin, "GET", "/v1/keys")
    assert [one for one in listed.json()["keys"] if one["id"] == made["id"]] == [
        {
            **shown.json(),
            "last_used_at": listed.json()["keys"][0]["last_used_at"] and shown.json()["last_used_at"],
        }
    ]
    assert made["key"] not in shown.text + listed.text

    rotated = (
        await real_on_each.ask(admin, "POST", f"/v1/keys/yaat_{made['id']}/rotate", {"overlap": "1h"})
    ).json()
    assert rotated["replaces"]["standing"] == "replaced"
    assert rotated["replaces"]["replaced_by"] == rotated["id"]
    assert (rotated["services"], rotated["events_per_second"]) == (["shop"], 1_000)
    for key in (made["key"], rotated["key"]):
        assert (await real_on_each.send(key)).status_code == 200
    again = await real_on_each.ask(admin, "POST", f"/v1/keys/{made['id']}/rotate", {})
    assert "can't be rotated" in told(again, 400, "YAAT-E010")

    assert (await real_on_each.ask(admin, "DELETE", f"/v1/keys/{rotated['id']}")).json()[
        "standing"
    ] == "revoked"
    assert "is revoked" in told(await real_on_each.send(rotated["key"]), 401, "unauthorized")
    assert (await real_on_each.send(made["key"])).status_code == 200
    at_once = await real_on_each.ask(admin, "POST", f"/v1/keys/{made['id']}/rotate", {})
    assert at_once.status_code == 400
    assert made["key"][16:] not in caplog.text
    assert f"made the key {made['prefix']}" in caplog.text


async def test_an_overlap_of_nothing_ends_the_old_key_at_once(real: Real) -> None:
    admin = real.key("admin")
    made = (await real.ask(admin, "POST", "/v1/keys", {"name": "x"})).json()
    assert (await real.send(made["key"])).status_code == 200
    rotated = await real.ask(admin, "POST", f"/v1/keys/{made['id']}/rotate", {"overlap": "0s"})
    assert rotated.status_code == 201
    assert "expired; its successor is" in told(await real.send(made["key"]), 401, "unauthorized")


async def test_it_takes_the_right(real: Real) -> None:
    other = real.key("ingest", "read")
    for method, path, body in ENDPOINTS:
        answer = await real.ask(None, method, path, body)
        told(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"].startswith("Bearer")
        answer = await real.ask(other, method, path, body)
        assert "has not the right `admin`" in told(answer, 403, "forbidden")


async def test_an_admin_sees_no_other_organization(real: Real) -> None:
    real.state.organizations.create(Organization(id="acme", name="Acme", created_us=1))
    admin, theirs = real.key("admin"), real.key("ingest", organization="acme")
    id = theirs[5:15]
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/rotate")):
        told(await real.ask(admin, method, f"/v1/keys/{id}{path}", {} if path else None), 404, "not_found")
    assert id not in (await real.ask(admin, "GET", "/v1/keys")).text
    assert (await real.send(theirs)).status_code == 200
    told(await real.ask(admin, "PATCH", "/v1/organizations/acme", {"name": "Mine"}), 404, "not_found")
    await real.ask(admin, "PUT", "/v1/quotas", {"event_type": "all", "period": "day", "events": 0})
    assert (await real.send(theirs)).status_code == 200
    renamed = await real.ask(admin, "PATCH", "/v1/organizations/default", {"name": "Ünder new owners"})
    assert renamed.json()["name"] == "Ünder new owners"
    assert [one.name for one in real.state.organizations.all()] == ["Acme", "Ünder new owners"]


async def test_pages(real_on_each: Real) -> None:
    admin = real_on_each.key("admin")
    ids = sorted([admin[5:15], *(real_on_each.key("read")[5:15] for _ in range(4))])
    seen, after = [], ""
    while after is not None:
        page = (await real_on_each.ask(admin, "GET", f"/v1/keys?limit=2&after={after}")).json()
        seen += [one["id"] for one in page["keys"]]
        after = page["next"]
    assert seen == ids


async def test_quotas_and_usage(real_on_each: Real) -> None:
    admin, agent = real_on_each.key("admin"), real_on_each.key("ingest")
    quota = {"event_type": "log", "period": "month", "events": 5}
    assert (await real_on_each.ask(admin, "PUT", "/v1/quotas", quota)).json() == {
        "quotas": [{**quota, "bytes": None}]
    }
    answer = await real_on_each.send(agent, 3)
    assert answer.status_code == 200
    assert (answer.headers["ratelimit-limit"], answer.headers["ratelimit-remaining"]) == ("5", "2")
    answer = await real_on_each.send(agent, 3)
    told(answer, 429, "quota_exceeded")
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["limit"]["used"] == 3
    with trio.fail_after(PATIENCE):
        while not (usage := (await real_on_each.ask(admin, "GET", "/v1/usage?days=2")).json()["usage"]):
            await trio.sleep(0.05)
    assert [(one["key_id"], one["event_type"], one["events"]) for one in usage] == [(agent[5:15], "log", 3)]
    await real_on_each.ask(admin, "PUT", "/v1/quotas", {"event_type": "log", "period": "month"})
    assert (await real_on_each.ask(admin, "GET", "/v1/quotas")).json() == {"quotas": []}
    assert (await real_on_each.send(agent, 3)).status_code == 200


ORDERS: list[Any] = [
    {},
    {"name": ""},
    {"name": "x\0y"},
    {"name": "x\n"},
    {"name": " x"},
    {"name": "x" * 201},
    {"name": 7},
    {"name": "x", "colour": "red"},
    {"name": "x", "rights": []},
    {"name": "x", "rights": ["root"]},
    {"name": "x", "rights": ["admin"], "services": ["shop"]},
    {"name": "x", "services": ["shop"] * 101},
    {"name": "x", "services": "shop"},
    {"name": "x", "expires_in": "90"},
    {"name": "x", "expires_in": "999999999w"},
    {"name": "x", "events_per_second": 0},
    {"name": "x", "events_per_second": 2**80},
    {"name": "x", "events_per_second": "10"},
    {"name": "x", "id": "y"},
    [],
    "x",
]


async def test_orders_that_do_not_fit(real: Real) -> None:
    admin = real.key("admin")
    for order in ORDERS:
        answer = await real.ask(admin, "POST", "/v1/keys", order)
        assert answer.status_code == 400, (order, answer.text)
        assert answer.json()["error"]["problem"]
    assert len(real.state.keys.all()) == 1


async def test_requests_that_are_no_orders(real: Real) -> None:
    admin = real.key("admin")
    post = ("POST", "/v1/keys")
    told(
        await real.ask(admin, *post, content=b"{", headers={"content-type": "application/json"}),
        400,
        "invalid_arguments",
    )
    told(await real.ask(admin, *post, content=b'{"name":"\xff"}', headers={"content-type": "application/json"}),
         400, "invalid_arguments")  # fmt: skip
    deep = b'{"name":' + b"[" * 30_000
    told(
        await real.ask(admin, *post, content=deep, headers={"content-type": "application/json"}),
        400,
        "invalid_arguments",
    )
    told(await real.ask(admin, *post, content=b"name=x"), 415, "unsupported_media_type")
    told(
        await real.ask(admin, *post, {"name": "x"}, headers={"content-encoding": "gzip"}),
        415,
        "unsupported_encoding",
    )
    told(await real.ask(admin, *post, {"name": "x", "services": ["y" * 70_000]}), 413, "too_large")
    told(await real.ask(admin, "POST", "/v1/keys?name=x"), 400, "invalid_arguments")
    for query in (
        "limit=0",
        "limit=x",
        "limit=1&limit=2",
        "colour=red",
        "after=" + "x" * 200,
        "limit=99999999999999999999",
    ):
        told(await real.ask(admin, "GET", f"/v1/keys?{query}"), 400, "invalid_arguments")
    for id in ("%00", "x", "yaat_", "%F0%9F%98%80", "a" * 101):
        assert (await real.ask(admin, "GET", f"/v1/keys/{id}")).status_code == 400
    told(await real.ask(admin, "PUT", "/v1/keys", {}), 405, "method_not_allowed")
    assert (await real.ask(admin, "HEAD", "/v1/keys")).status_code == 200
    for header in ("Basic eDp5", "Bearer", "Bearer " + admin + " x", admin):
        answer = await real.client.get("/v1/keys", headers={"authorization": header})
        told(answer, 401, "unauthorized")
    twice = [("authorization", f"Bearer {admin}"), ("authorization", f"Bearer {admin}")]
    told(await real.client.get("/v1/keys", headers=twice), 401, "unauthorized")


async def test_who_tries_keys_is_slowed_and_a_known_key_is_not(real: Real) -> None:
    admin = real.key("admin")
    assert (await real.ask(admin, "GET", "/v1/keys")).status_code == 200
    for _ in range(failures.AT_ONCE):
        told(await real.ask(token.make().token, "GET", "/v1/keys"), 401, "unauthorized")
    statuses = []
    while 429 not in statuses:
        statuses.append((await real.ask(token.make().token, "GET", "/v1/keys")).status_code)
    assert (await real.ask(admin, "GET", "/v1/keys")).status_code == 200


async def test_every_answer_is_json(real: Real) -> None:
    for method, path, body in ENDPOINTS:
        answer = await real.ask(real.key("admin"), method, path, body)
        assert answer.status_code < 500
        json.loads(answer.text)
