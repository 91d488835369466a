"""`yaat diagnose` where things are really broken: seen by the agent with its own rights, and without an agent by the command."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
import trustme
from support.agents import YAAT, AgentProcess, wait_until, yaat
from support.both_ends import free_place
from support.gateways import gateway_process
from support.ingest_server import served
from support.small_disks import tmpfs

CONFIG = """
state_dir: state
health: {{listen: "{taken}"}}
sources:
  good: {{type: file, paths: [good.log]}}
  kept: {{type: file, paths: [kept.log]}}
  taken: {{type: statsd, listen: ["tcp://{taken}"]}}
  own: {{type: statsd, listen: ["tcp://{free}"]}}
processors: [{{type: scrub}}]
sinks:
  local: {{type: duckdb}}
  nowhere: {{type: cloud, endpoint: "https://no-such-name.invalid", api_key: "${{env:BAD_KEY}}"}}
  untrusted: {{type: cloud, endpoint: "{untrusted}", api_key: "${{env:BAD_KEY}}"}}
  refused: {{type: cloud, endpoint: "{gateway}", api_key: "${{env:BAD_KEY}}"}}
  accepted: {{type: cloud, endpoint: "{gateway}", api_key: "${{env:GOOD_KEY}}"}}
"""
#: Root reads every file, unless these are taken from it.
PREFIX = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()


@attrs.frozen
class Broken:
    """A place where much is wrong."""

    config: Path
    environ: Mapping[str, str]
    taken: str
    free: str

    def diagnose(self, *more: str, prefix: Sequence[str] = ()) -> tuple[int, dict[str, Any]]:
        done = subprocess.run(
            [*prefix, *YAAT, "diagnose", "-c", str(self.config), "--json", *more],
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, **self.environ},
            check=False,
        )
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broken]:
    folder = tmp_path_factory.mktemp("diagnose")
    (folder / "gateway").mkdir()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with (
        socket.create_server(("127.0.0.1", 0)) as holder,
        served(context=context) as untrusted,
        gateway_process(folder / "gateway") as gateway,
    ):
        taken, free = f"127.0.0.1:{holder.getsockname()[1]}", free_place()
        config = folder / "yaat.yaml"
        config.write_text(CONFIG.format(taken=taken, free=free, untrusted=untrusted.url, gateway=gateway.url))
        for name in ("good", "kept"):
            (folder / f"{name}.log").write_text("a line\n")
        (folder / "kept.log").chmod(0)
        keys = {"BAD_KEY": "yaat_nobody_knows_this_key", "GOOD_KEY": gateway.key("ingest")}
        yield Broken(config, keys, taken, free)


@pytest.fixture(scope="module")
def by_agent(broken: Broken) -> dict[str, Any]:
    """What an agent says, once its listener is up; it is gone afterwards."""
    agent = AgentProcess(broken.config, environ=broken.environ, prefix=PREFIX)
    with agent.start():
        found: list[dict[str, Any]] = []

        def settled() -> bool:
            code, document = broken.diagnose()
            found[:] = [document]
            return bool(document["running"]) and code == 1 and told(document, "listener of sources.own", "ok")

        wait_until(settled, seconds=120, what=f"the agent has started\n{agent.log()[-3000:]}")
    return found[0]


@pytest.fixture(scope="module")
def alone(broken: Broken) -> dict[str, Any]:
    """What the command says where no agent runs."""
    code, document = broken.diagnose(prefix=PREFIX)
    assert code == 3
    return document


@pytest.fixture(params=["by_agent", "alone"])
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = request.getfixturevalue(request.param)
    return found


def told(document: Mapping[str, Any], name: str, level: str, what: str = "") -> bool:
    """Whether one check of this name and level says it, with advice where it is not well."""
    return any(
        one["name"] == name
        and one["level"] == level
        and what in one["what"]
        and (level == "ok" or one["advice"])
        for one in document["checks"]
    )


def test_a_file_that_the_agent_may_not_read(document: dict[str, Any]) -> None:
    assert told(document, "sources.kept", "error", "Permission denied"), document["checks"]
    assert not told(document, "sources.good", "error")


def test_the_rights_of_the_agent_count(by_agent: dict[str, Any]) -> None:
    """The command that asked ran with all rights; the agent that looked did not."""
    assert told(by_agent, "sources.kept", "error", "Permission denied")
    assert by_agent["running"]


def test_a_port_that_somebody_has(document: dict[str, Any], broken: Broken) -> None:
    who = f"tcp://{broken.taken} is taken by pid {os.getpid()} ("
    assert told(document, "listener of sources.taken", "error", who), document["checks"]
    assert told(document, "listener of health", "warn", f"is taken by pid {os.getpid()} (")


def test_a_port_of_ones_own_is_fine(by_agent: dict[str, Any], alone: dict[str, Any]) -> None:
    assert told(by_agent, "listener of sources.own", "ok", "is held by this agent")
    assert not any("use" in one["what"] for one in by_agent["checks"] if one["name"] == "sources.own")
    assert told(alone, "listener of sources.own", "ok", "is free")


def test_a_name_that_is_not_known(document: dict[str, Any]) -> None:
    assert told(document, "sinks.nowhere", "error", "DNS: no-such-name.invalid"), document["checks"]


def test_a_certificate_that_nobody_vouches_for(document: dict[str, Any]) -> None:
    for step in ("DNS: 127.0.0.1 is 127.0.0.1", "connection: 127.0.0.1 port"):
        assert told(document, "sinks.untrusted", "ok", step)
    assert told(document, "sinks.untrusted", "error", "authority that is not known"), document["checks"]


def test_a_key_that_the_gateway_refuses(document: dict[str, Any]) -> None:
    assert told(document, "sinks.refused", "ok", "connection: ")
    assert told(document, "sinks.refused", "error", "authentication: "), document["checks"]


def test_a_key_that_the_gateway_takes(document: dict[str, Any]) -> None:
    for step in ("DNS: ", "connection: ", "TLS: none", "authentication: "):
        assert told(document, "sinks.accepted", "ok", step), document["checks"]


def test_the_document_keeps_its_shape(by_agent: dict[str, Any], alone: dict[str, Any]) -> None:
    for one in (by_agent, alone):
        assert not one["ok"]
        assert {"accounting", "health", "queue", "uptime_seconds", "version", "last_error"} <= set(one)
        for check in one["checks"]:
            assert set(check) == {"name", "level", "what", "advice", "component", "group", "seconds"}
            assert check["level"] in ("ok", "warn", "error", "skipped")
    assert by_agent["accounting"]["balanced"]
    assert by_agent["queue"]["events"] >= 0
    assert {"environment", "disk", "clock", "limits", "plugins", "sockets"} <= {
        one["group"] for one in by_agent["checks"]
    }


def test_what_is_elsewhere_is_left_alone_when_asked(broken: Broken) -> None:
    _, document = broken.diagnose("--offline")
    for sink in ("nowhere", "untrusted", "refused", "accepted"):
        assert any(
            one["name"] == f"sinks.{sink}" and "not reached for" in one["what"] for one in document["checks"]
        )
    assert not any("DNS" in one["what"] for one in document["checks"])


def test_a_full_disk(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "small", "size=1m") as folder:
        config = tmp_path / "yaat.yaml"
        config.write_text(
            f"state_dir: {folder}/state\nhealth: {{listen: 'off'}}\nsources: {{}}\nsinks: {{local: {{type: duckdb}}}}\n"
        )
        (folder / "filling").write_bytes(bytes(900_000))
        done = yaat("diagnose", "-c", str(config))
    assert done.returncode == 3
    assert "✗ error    disk space: 0 MiB free" in done.stdout
    assert "fix: make room" in done.stdout


SMALL = """
state_dir: state
health: {listen: "off"}
sources: {}
sinks: {local: {type: duckdb}}
"""


def warned(agent: AgentProcess, what: str) -> bool:
    checks = agent.try_diagnose().get("checks", [])
    return any(what in one["what"] and one["level"] == "warn" and one["advice"] for one in checks)


def test_a_file_that_is_edited_and_not_taken_up(tmp_path: Path) -> None:
    config = tmp_path / "yaat.yaml"
    config.write_text(SMALL + "reload: {watch: false}\n")
    with AgentProcess(config).start() as agent:
        wait_until(lambda: bool(agent.try_diagnose()), seconds=60, what="it answers")
        assert not warned(agent, "was changed")

        def edited() -> bool:
            config.write_text(SMALL + "reload: {watch: false}\nservice_name: other\n")
            return warned(agent, "was changed")

        wait_until(edited, seconds=60, what="the edit is noticed")


def test_a_file_that_was_broken_and_refused(tmp_path: Path) -> None:
    """The agent is asked all the same, and says what is wrong."""
    config = tmp_path / "yaat.yaml"
    config.write_text(SMALL)
    with AgentProcess(config).start() as agent:
        wait_until(lambda: bool(agent.try_diagnose()), seconds=60, what="it answers")
        config.write_text(SMALL + "servce_name: other\n")
        wait_until(lambda: warned(agent, "servce_name"), seconds=60, what=agent.log())
