"""Reading over HTTP, asked of a gateway that runs as users run it: what a key may see, in every format, within limits."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.agents import wait_until
from support.gateways import GatewayProcess, gateway_process

from yaat_plugin_gateway.asking.formats import format_for
from yaat_plugin_gateway.web.refusal import Refused


def event(number: int, service: str, environment: str = "production") -> dict[str, Any]:
    return {
        "service_name": service,
        "environment": environment,
        "message": f"{service} {environment} {number}",
        "timestamp": f"2026-12-01T10:00:{number:02d}.000000Z",
        "tags": {"n": str(number)},
    }


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with gateway_process(
        tmp_path_factory.mktemp("asking"),
        options=", queries: {max_rows: 500000, at_once: 3, max_time: 10m, max_bytes: 20MiB}",
    ) as made:
        events = [event(number, "shop") for number in range(20)]
        events += [event(number, "vault") for number in range(30)]
        events += [event(number, "shop", "staging") for number in range(7)]
        made.ingest(events)
        yield made


@pytest.fixture(scope="module")
def everything(gateway: GatewayProcess) -> Iterator[httpx.Client]:
    """May read all of the organization."""
    with gateway.client(gateway.key("read")) as client:
        yield client


@pytest.fixture(scope="module")
def shop(gateway: GatewayProcess) -> Iterator[httpx.Client]:
    """May read one service in one environment."""
    key = gateway.key("read", services=["shop"], environments=["production"])
    with gateway.client(key) as client:
        yield client


def ask(client: httpx.Client, sql: str, **more: Any) -> Any:
    answer = client.get("/v1/query", params={"sql": sql, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_rows_as_json(everything: httpx.Client) -> None:
    told = ask(everything, "SELECT service_name, count(*) AS n FROM events GROUP BY ALL ORDER BY ALL")
    assert told == {
        "columns": [{"name": "service_name", "type": "string"}, {"name": "n", "type": "int64"}],
        "rows": [{"service_name": "shop", "n": 27}, {"service_name": "vault", "n": 30}],
        "end": {"rows": 2, "truncated": False},
    }
    (row,) = ask(everything, "SELECT timestamp, tags FROM logs WHERE message = 'vault production 3'")["rows"]
    assert row == {"timestamp": "2026-12-01T10:00:03.000000Z", "tags": {"n": "3"}} | {"tags": row["tags"]}
    assert row["tags"]["n"] == "3"


def test_a_key_sees_its_scope_alone(shop: httpx.Client, everything: httpx.Client) -> None:
    for table in ("events", "logs", "main.events", "(SELECT * FROM events)"):
        assert ask(shop, f"SELECT count(*) AS n FROM {table}")["rows"] == [{"n": 20}], table
    assert ask(everything, "SELECT count(*) AS n FROM events")["rows"] == [{"n": 57}]
    told = json.dumps(ask(shop, "SELECT * FROM events")) + json.dumps(ask(shop, "SUMMARIZE events"))
    assert "vault" not in told
    assert "staging" not in told
    hidden = shop.get(
        "/v1/query", params={"sql": "SELECT count(*) FROM events WHERE split_part(message, ' ', 3)::INT < 20"}
    )
    assert hidden.json()["rows"], hidden.text
    for attack in ("EXPLAIN FROM events", "FROM memory.main.events", "FROM yaat_1.main.yaat_events"):
        refused = shop.get("/v1/query", params={"sql": attack})
        assert refused.status_code == 400, refused.text
        assert refused.json()["error"]["code"] == "YAAT-E601"


def test_services_and_organizations(shop: httpx.Client, everything: httpx.Client) -> None:
    told = everything.get("/v1/services").json()["services"]
    assert [
        (one["name"], one["events"], [(env["name"], env["events"]) for env in one["environments"]])
        for one in told
    ] == [
        ("shop", 27, [("production", 20), ("staging", 7)]),
        ("vault", 30, [("production", 30)]),
    ]
    assert all(one["last_seen"] == max(env["last_seen"] for env in one["environments"]) for one in told)
    own = shop.get("/v1/services").json()["services"]
    assert [(one["name"], [env["name"] for env in one["environments"]]) for one in own] == [
        ("shop", ["production"])
    ]
    mine = shop.get("/v1/organizations").json()
    assert [one["id"] for one in mine["organizations"]] == ["default"]
    assert mine["key"]["services"] == ["shop"]
    assert mine["key"]["rights"] == ["read"]


def test_formats(everything: httpx.Client) -> None:
    sql = "SELECT message, tags['n'] AS n FROM events WHERE service_name = 'vault' ORDER BY timestamp"

    def got(accept: str, **more: str) -> httpx.Response:
        answer = everything.get("/v1/query", params={"sql": sql, **more}, headers={"accept": accept})
        assert answer.status_code == 200, answer.text
        return answer

    rows = got("application/json").json()["rows"]
    assert len(rows) == 30
    head, *lines = csv.reader(io.StringIO(got("text/csv").text, newline=""))
    assert head == ["message", "n"]
    assert [dict(zip(head, line, strict=True)) for line in lines] == rows
    assert (
        pa.ipc.open_stream(got("application/vnd.apache.arrow.stream").content).read_all().to_pylist() == rows
    )
    assert pq.read_table(io.BytesIO(got("application/vnd.apache.parquet").content)).to_pylist() == rows
    ndjson = [
        json.loads(line) for line in got("application/x-ndjson;q=0.9, text/html;q=0.8").text.splitlines()
    ]
    assert ndjson[-1] == {"end": {"rows": 30, "truncated": False}}
    assert got("*/*", format="csv").headers["content-type"] == "text/csv; charset=utf-8"
    posted = everything.post("/v1/query", json={"sql": sql, "format": "ndjson"})
    assert posted.text.splitlines()[-1] == got("", format="ndjson").text.splitlines()[-1]


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "json"),
        ("text/*", "csv"),
        ("application/json;q=0.1, text/csv;q=0.5", "csv"),
        ("Application/X-NDJSON; q=nonsense", "ndjson"),
        ("application/json;q=0, application/vnd.apache.parquet", "parquet"),
        ("image/png", None),
        ("application/json;q=0", None),
    ],
)
def test_the_header_accept(accept: str, form: str | None) -> None:
    if form is None:
        with pytest.raises(Refused, match="406"):
            format_for(accept)
    else:
        assert format_for(accept) == form


def test_limits_of_rows_and_time(everything: httpx.Client) -> None:
    cut = everything.get("/v1/query", params={"sql": "SELECT * FROM range(100)", "limit": 10})
    assert cut.json()["end"] == {"rows": 10, "truncated": True, "cut_by": "rows"}
    assert cut.headers["x-yaat-row-limit"] == "10"
    assert ask(everything, "SELECT * FROM range(100000)")["end"]["rows"] == 10_000
    for wrong in (
        {"limit": 500_001},
        {"timeout": 601},
        {"limit": 0},
        {"timeout": "nan"},
        {"format": "xml"},
        {"sql": ""},
    ):
        refused = everything.get("/v1/query", params={"sql": "SELECT 1", **wrong})
        assert refused.status_code == 400, (wrong, refused.text)
        assert refused.json()["error"]["problem"]
    slow = {
        "sql": "SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE hash(a, b) = 1",
        "timeout": 0.5,
    }
    late = everything.get("/v1/query", params=slow)
    assert late.status_code == 422, late.text
    assert late.json()["error"]["code"] == "YAAT-E603"
    assert everything.get("/v1/query", params={"sql": "SELECT message + 1 FROM events"}).status_code == 422


def test_an_answer_that_breaks_off_says_so(everything: httpx.Client) -> None:
    """The error comes when rows were sent already: as the last member of JSON, as a broken connection of CSV."""
    sql = "SELECT CASE WHEN range = 150000 THEN CAST('x' || range AS INTEGER) ELSE range END AS n FROM range(200000)"
    told = ask(everything, sql, limit=500_000)
    assert told["rows"]
    assert told["error"]["code"] == "YAAT-E602"
    assert "end" not in told
    early = everything.get("/v1/query", params={"sql": sql.replace("150000", "5"), "format": "csv"})
    assert (early.status_code, early.json()["error"]["code"]) == (422, "YAAT-E602")
    with pytest.raises(httpx.RemoteProtocolError):
        everything.get("/v1/query", params={"sql": sql, "limit": 500_000, "format": "csv"})


def test_more_bytes_than_are_allowed(everything: httpx.Client) -> None:
    sql = "SELECT range AS n, repeat('x', 2000) AS x FROM range(20000)"
    told = ask(everything, sql, limit=20_000)
    assert told["end"]["truncated"]
    assert told["end"]["cut_by"] == "bytes"
    assert 0 < told["end"]["rows"] == len(told["rows"]) < 20_000
    with pytest.raises(httpx.RemoteProtocolError):
        everything.get("/v1/query", params={"sql": sql, "limit": 20_000, "format": "csv"})
    assert everything.get("/v1/query", params={"sql": sql, "limit": 1_000, "format": "csv"}).is_success


def test_rights(gateway: GatewayProcess) -> None:
    with gateway.client(gateway.key("ingest")) as client:
        for path in ("/v1/query?sql=SELECT+1", "/v1/services"):
            assert client.get(path).status_code == 403
        assert client.get("/v1/organizations").status_code == 200
    with gateway.client() as client:
        for path in ("/v1/query?sql=SELECT+1", "/v1/services", "/v1/organizations"):
            assert client.get(path).status_code == 401


def test_queries_at_one_time(gateway: GatewayProcess) -> None:
    """Of one key two, of all three, until the last row is sent or the client is gone."""
    wide = {"sql": "SELECT repeat('x', 2000) FROM range(500000)", "limit": 500_000, "timeout": 600}
    quick = {"sql": "SELECT 1"}
    with contextlib.ExitStack() as stack:
        one, two, three = (stack.enter_context(gateway.client(gateway.key("read"))) for _ in range(3))
        with contextlib.ExitStack() as unread:
            for client in (one, one, two):
                held = unread.enter_context(client.stream("GET", "/v1/query", params=wide))
                assert held.status_code == 200
            full = one.get("/v1/query", params=quick)
            assert (full.status_code, full.json()["error"]["code"]) == (429, "too_many_queries")
            assert full.headers["retry-after"] == "1"
            assert one.get("/v1/services").status_code == 429
            busy = three.get("/v1/query", params=quick)
            assert (busy.status_code, busy.json()["error"]["code"]) == (503, "busy")
        for client in (one, two, three):
            wait_until(
                lambda asks=client: asks.get("/v1/query", params=quick).status_code == 200, what="a free seat"
            )


def test_a_query_ends_with_the_client_that_wanted_it(gateway: GatewayProcess) -> None:
    """Also before its first row. Its time would be ten minutes."""
    slow = {"sql": "SELECT count(*) FROM range(100000000000) a WHERE hash(range) = 1", "timeout": 600}
    with gateway.client(gateway.key("read")) as client:
        for _ in range(2):
            with pytest.raises(httpx.ReadTimeout):
                client.get("/v1/query", params=slow, timeout=httpx.Timeout(60, read=1))
        wait_until(
            lambda: client.get("/v1/query", params={"sql": "SELECT 1"}).status_code == 200, what="a free seat"
        )


def test_the_openapi_document(gateway: GatewayProcess) -> None:
    with gateway.client() as client:
        told = client.get("/openapi.json")
        assert told.json() == client.get("/v1/openapi.json").json()
    paths = told.json()["paths"]
    assert {"/v1/ingest", "/v1/query", "/v1/services", "/v1/organizations", "/v1/keys"} <= set(paths)
    assert set(paths["/v1/query"]) == {"get", "post"}
