"""What plugins serve on the health port: asked one by one, refused when it can't be, apart from each other."""

from __future__ import annotations

from functools import partial
from typing import Any

import httpx
import pytest
import trio

from yaat_core.control import health
from yaat_core.health import HealthBoard
from yaat_core.health_routes import HealthAnswer, HealthRequest, HealthRoute
from yaat_core.hookspecs import hookimpl
from yaat_core.plugins import Plugins, load_plugins, register


class Greeting:
    """Serves the name of who asks, and something that raises."""

    @hookimpl
    def health_routes(self, agent: Any) -> list[HealthRoute]:
        async def greet(request: HealthRequest) -> HealthAnswer:
            version = (await agent.status()).version
            text = f"{version} {request.headers['x-name']} {request.query.get('a')}"
            return HealthAnswer(body=text.encode(), content_type="text/plain", status=202)

        async def broken(request: HealthRequest) -> HealthAnswer:
            raise RuntimeError("inside")

        return [HealthRoute(path="/greeting", answer=greet), HealthRoute(path="/a/broken", answer=broken)]


class Raising:
    @hookimpl
    def health_routes(self, agent: Any) -> list[HealthRoute]:
        raise RuntimeError("no routes today")


class Taking:
    """Paths that others have."""

    @hookimpl
    def health_routes(self, agent: Any) -> list[Any]:
        async def answer(request: HealthRequest) -> HealthAnswer:
            return HealthAnswer(body=b"mine", content_type="text/plain")

        return ["nonsense", *(HealthRoute(path=path, answer=answer) for path in ("/healthz", "/greeting"))]


@pytest.fixture
def plugins() -> Plugins:
    return load_plugins(environ={"YAAT_LOAD_PLUGINS": "none"})


async def get(address: str, path: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=60) as client:
        return await client.get(f"http://{address}{path}", headers=headers)


async def test_a_route_is_served_beside_the_others(
    agent: Any, nursery: trio.Nursery, plugins: Plugins
) -> None:
    register(Greeting(), "greeting", plugins)
    board = HealthBoard()
    address = await nursery.start(partial(health.serve, agent, "127.0.0.1:0", board, plugins))
    answer = await get(address, "/greeting?a=1", **{"X-Name": "me"})
    assert (answer.status_code, answer.text) == (202, "0.1.0 me 1")
    assert answer.headers["content-type"] == "text/plain"
    assert answer.headers["cache-control"] == "no-store"
    assert (await get(address, "/healthz")).status_code == 200
    assert board.now().problems == ()
    async with httpx.AsyncClient(timeout=60) as client:
        assert (await client.post(f"http://{address}/greeting")).status_code == 405
        head = await client.head(f"http://{address}/greeting", headers={"x-name": "me"})
        assert (head.status_code, head.text) == (202, "")
    nursery.cancel_scope.cancel()


async def test_one_that_raises_is_a_500_that_tells_nothing(
    agent: Any, nursery: trio.Nursery, plugins: Plugins
) -> None:
    register(Greeting(), "greeting", plugins)
    address = await nursery.start(partial(health.serve, agent, "127.0.0.1:0", HealthBoard(), plugins))
    answer = await get(address, "/a/broken")
    assert answer.status_code == 500
    assert answer.json()["code"] == "YAAT-E000"
    assert "inside" not in answer.text
    assert (await get(address, "/greeting", **{"X-Name": "me"})).status_code == 202
    nursery.cancel_scope.cancel()


async def test_what_can_not_be_served_is_told_and_the_rest_is_served(
    agent: Any, nursery: trio.Nursery, plugins: Plugins
) -> None:
    for plugin in (Raising(), Greeting(), Taking()):
        register(plugin, type(plugin).__name__.lower(), plugins)
    board = HealthBoard()
    address = await nursery.start(partial(health.serve, agent, "127.0.0.1:0", board, plugins))
    assert (await get(address, "/greeting", **{"X-Name": "me"})).text.startswith("0.1.0 me")
    assert "mine" not in (await get(address, "/healthz")).text
    told = {(one.component, one.what.rpartition(": ")[2], one.level) for one in board.now().problems}
    assert told == {
        ("plugins.raising", "no routes today", "warn"),
        ("plugins.taking", "a str is no HealthRoute", "warn"),
        ("plugins.taking", "/healthz is taken", "warn"),
        ("plugins.taking", "/greeting is taken", "warn"),
    }
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize("path", ["metrics", "/", "", "/a/{b}", "/a b", "/a//b", "/ä"])
def test_a_path_is_plain(path: str) -> None:
    async def answer(request: HealthRequest) -> HealthAnswer:
        raise AssertionError

    with pytest.raises(ValueError, match="not a path like /metrics"):
        HealthRoute(path=path, answer=answer)
