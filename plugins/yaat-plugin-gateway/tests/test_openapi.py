"""The OpenAPI document, and the API against it: schemathesis asks a gateway process whatever the document allows, and more."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.gateways import GatewayProcess, gateway_process

from yaat_core import wire
from yaat_core.event import SCHEMA, Event, EventBatch
from yaat_plugin_gateway.web import page
from yaat_plugin_gateway.web.event_schema import event_schema

#: What an answer has to be, whatever was asked.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with gateway_process(tmp_path_factory.mktemp("openapi"), options=", queries: {max_time: 2s}") as made:
        yield made


@pytest.fixture(scope="module")
def document(gateway: GatewayProcess) -> Any:
    with gateway.client() as client:
        return client.get("/openapi.json").json()


def test_every_reference_and_schema_is_good(document: Any) -> None:
    schemas = document["components"]["schemas"]
    text = json.dumps(document)
    for reference in {part.split('"')[0] for part in text.split('"$ref": "')[1:]}:
        assert reference.removeprefix("#/components/schemas/") in schemas
    for shape in schemas.values():
        jsonschema.Draft202012Validator.check_schema(shape)
    operations = [one for path in document["paths"].values() for one in path.values()]
    assert len({one["operationId"] for one in operations}) == len(operations)
    assert all(one["summary"] and one["responses"] for one in operations)


def test_the_event_is_that_of_the_core(document: Any) -> None:
    shape = document["components"]["schemas"]["Event"]
    assert shape == event_schema()
    assert list(shape["properties"]) == SCHEMA.names
    told = jsonschema.Draft202012Validator(shape, format_checker=jsonschema.FormatChecker())
    full = Event(
        message="m", level="info", service_name="s", environment="e", organization_id="o", trace_id="0a",
        duration_ms=1.5, status_code=200, metric_name="n", metric_value=2.0, tags={"k": "v"},
    )  # fmt: skip
    (line,) = wire.rows_to_json(EventBatch.from_events([full]))
    told.validate(json.loads(line) | {"event_id": "019b79e6-7c00-8000-8000-000000000000"})
    for wrong in (
        {},
        {"service_name": ""},
        {"service_name": "s", "level": "loud"},
        {"service_name": "s", "more": 1},
    ):
        assert not told.is_valid(wrong), wrong


def test_the_page_is_up_to_date() -> None:
    written = Path(__file__).parents[3] / "docs" / "gateway-api.md"
    assert written.read_text(encoding="utf-8") == page.current(), "run make fix"


def _schemathesis(gateway: GatewayProcess, folder: Path, seconds: int, *options: str) -> None:
    key = gateway.key("ingest", "read") if "read" in options else gateway.key("admin")
    command = [
        *(sys.executable, "-m", "schemathesis.cli"),
        *("run", f"{gateway.url}/openapi.json", "-H", f"Authorization: Bearer {key}"),
        *("--checks", ",".join(CHECKS), "--max-time", str(seconds), "--workers", "1", "--no-color"),
        *(
            "--request-timeout",
            "60",
            "--suppress-health-check",
            "all",
            "--warnings",
            "off",
            "--continue-on-failure",
        ),
        *(option for option in options if option != "read"),
    ]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=seconds + 200, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert gateway.agent.running(), gateway.agent.log()[-3000:]
    assert "failed unexpectedly" not in gateway.agent.log(), gateway.agent.log()[-6000:]


READ = ("read", "--include-path-regex", "^/v1/(ingest|query|services|organizations)$")


def test_a_sample(gateway: GatewayProcess, tmp_path: Path) -> None:
    """Of every path that takes or gives events."""
    phases = ("--phases", "examples,coverage,fuzzing")
    _schemathesis(gateway, tmp_path, 10, *READ, *phases, "--max-examples", "10", "--generation-deterministic")


@pytest.mark.faults
@pytest.mark.parametrize(
    "paths", [READ, ("--exclude-path-regex", "^/v1/(ingest|query)$")], ids=["events", "keys"]
)
def test_whatever_is_asked(gateway: GatewayProcess, tmp_path: Path, paths: tuple[str, ...]) -> None:
    _schemathesis(gateway, tmp_path, 25, *paths, "--max-examples", "1000")
