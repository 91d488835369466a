"""The support bundle of an agent that is full of secrets: none of them is in it, in any file, in any spelling."""

from __future__ import annotations

import base64
import json
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import attrs
import pytest
from support.agents import AgentProcess, wait_until, yaat, yaat_json

#: Says secrets in every way that a plugin can: log, status, health, refusals, exceptions.
PLUGIN = '''
import json
from yaat_core import Event, EventBatch, Partial, Processor, Register, Sink, Source
from yaat_core import configuration, hookimpl, option
from yaat_core.components import Finding

@configuration
class SpillConfig:
    """What to say."""
    words: str = option(help="A file of JSON.")
    account: str = option("", help="An option that nobody marked as secret.")
    db_password: str = option("", help="One that only its name tells.")
    token: str = option("", help="One that is marked.", secret=True)

class Spill(Source):
    def __init__(self, config, context):
        self.words = json.loads(context.path(config.words).read_text())
        self.log = context.log
    async def run(self, out):
        for line in self.words["log"]:
            self.log.warning("canary line: %s", line)
        events = [Event(message=line) for line in self.words["events"]]
        await (await out.send(EventBatch.from_events(events))).durable()
        self.log.warning("everything is said")
        raise ValueError(self.words["raised"])
    async def check(self):
        return [Finding(problem=self.words["found"], level="warn", advice=self.words["advised"])]
    def problems(self):
        return [Finding(problem=self.words["ailing"], level="warn")]

@configuration
class NoConfig:
    """No options."""

class Refuses(Sink):
    def __init__(self, config, context):
        pass
    async def deliver(self, batch, position):
        texts = batch.column("message").to_pylist()
        return Partial([(row, f"refused: {text}") for row, text in enumerate(texts)], answer="I saw " + texts[0])

@hookimpl
def register_components(register: Register) -> None:
    register.source("spill", SpillConfig, Spill)
    register.sink("refuses", NoConfig, Refuses)
'''
CONFIG = """
state_dir: state
shutdown_grace: 1s
health: {{listen: "off"}}
tags: {{deploy_token: {tag_by_name}}}
sources:
  spill:
    type: spill
    words: words.json
    account: "https://bob:{in_an_address}@db.example/x"
    db_password: {by_name}
    token: {marked}
processors: []
sinks:
  refuses: {{type: refuses}}
  cloud: {{type: cloud, endpoint: "http://127.0.0.1:1", api_key: "${{env:PLAIN_NAME}}"}}
  other: {{type: cloud, endpoint: "http://127.0.0.1:1", api_key: "${{file:key}}"}}
"""
#: Each by the way on which it might get out.
CANARIES = {
    "tag_by_name": "tagTagtag-81723",
    "in_an_address": "addr3ssPassw0rd",
    "by_name": "kingfisher-nest-42",
    "marked": "heron-feather-77-x",
    "by_reference": "plover-sand-99-egg",
    "by_file": "sandpiper-coast-1234",
    "environment_secret": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzz",
    "environment_token": "curlew-call-at-dusk-5",
    "log_password": "log-hunter2-xyzzy",
    "log_bearer": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
    "log_aws": "AKIAIOSFODNN7EXAMPLE",
    "log_github": "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
    "log_email": "grace.hopper@navy.example",
    "log_card": "4111111111111111",
    "log_address": "203.0.113.77",
    "event_password": "evt-s3cret-0001",
    "event_key": "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "event_iban": "DE89370400440532013000",
    "raised": "raised-p4ss-778",
    "found": "found-p4ss-779",
    "advised": "advised-t0ken-780",
    "ailing": "ailing-s3cret-781",
}
C = CANARIES


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


WORDS = {
    "log": [
        f"login with password={C['log_password']}",
        f"Authorization: Bearer {C['log_bearer']}",
        f"key {C['log_aws']} and {C['log_github']}",
        f"mail to {C['log_email']} from {C['log_address']}, card {C['log_card']}",
        f"the configuration says {C['by_reference']}, {C['by_file']}, {C['marked']}, {C['by_name']}",
        f"as it is sent: {encoded(C['by_reference'])} {quote(C['environment_secret'], safe='')}",
        f"the environment says {C['environment_secret']} and {C['environment_token']}",
    ],
    "events": [f"password={C['event_password']} {C['event_key']}", f"pay to {C['event_iban']}"],
    "raised": f"can't log in: password: {C['raised']}",
    "found": f"secret={C['found']} is refused",
    "advised": f"try token={C['advised']}",
    "ailing": f"client_secret: {C['ailing']} is old",
}
ENVIRON = {
    "PLAIN_NAME": C["by_reference"],
    "AWS_SECRET_ACCESS_KEY": C["environment_secret"],
    "CI_JOB_TOKEN": C["environment_token"],
}


@attrs.frozen
class Site:
    """An agent that has said everything."""

    agent: AgentProcess
    folder: Path

    def flare(self, name: str, *arguments: str) -> dict[str, Any]:
        document = yaat_json(
            "flare",
            "-c",
            str(self.agent.config),
            "-o",
            str(self.folder / name),
            *arguments,
            **self.agent.environ,
        )
        assert isinstance(document, dict)
        return document

    def unpacked(self, name: str) -> dict[str, str]:
        with tarfile.open(self.folder / name) as archive:
            return {
                member.name.partition("/")[2]: archive.extractfile(member).read().decode()  # type: ignore[union-attr]
                for member in archive.getmembers()
            }


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("flare")
    (folder / "plugins").mkdir()
    (folder / "plugins" / "spill.py").write_text(PLUGIN)
    (folder / "words.json").write_text(json.dumps(WORDS))
    (folder / "key").write_text(C["by_file"])
    config = folder / "yaat.yaml"
    config.write_text(CONFIG.format(**CANARIES))
    agent = AgentProcess(config, environ={**ENVIRON, "YAAT_PLUGINS_DIR": str(folder / "plugins")})
    with agent.start():
        found = Site(agent, folder)
        wait_until(lambda: "everything is said" in agent.log(), seconds=90, what="it starts")

        def refused() -> bool:
            letters = yaat_json("dead", "list", "-c", str(config), **agent.environ).get("letters", [])
            return bool(letters)

        wait_until(refused, seconds=90, what=f"a dead letter\n{agent.log()[-2000:]}")
        yield found


@pytest.fixture(scope="module")
def bundle(site: Site) -> dict[str, str]:
    site.flare("all.tar.gz", "--yes")
    return site.unpacked("all.tar.gz")


def leaks(texts: dict[str, str]) -> list[str]:
    return [
        f"{name} in {file}"
        for name, secret in CANARIES.items()
        for written in (secret, quote(secret, safe=""), encoded(secret).rstrip("="))
        for file, text in texts.items()
        if written in text
    ]


def test_the_secrets_are_there_to_be_found(site: Site) -> None:
    """Otherwise the next test shows nothing."""
    log = site.agent.log()
    assert all(C[name] in log for name in CANARIES if name.startswith("log_"))
    dead = "".join(path.read_text() for path in (site.folder / "state").glob("dead/*/*.jsonl"))
    assert all(C[name] in dead for name in CANARIES if name.startswith("event_"))
    assert len(CANARIES) >= 20


def test_no_secret_is_in_the_bundle(bundle: dict[str, str]) -> None:
    assert not leaks(bundle)


def test_what_helps_is_in_the_bundle(bundle: dict[str, str]) -> None:
    for log in ("agent.log", "stderr.log"):
        assert bundle[log].count("canary line: ") >= len(WORDS["log"])
    diagnosis = json.loads(bundle["diagnose.json"])
    assert diagnosis["running"]
    assert diagnosis["accounting"]["balanced"]
    assert any(
        one["component"] == "sources.spill" and "is refused" in one["what"] for one in diagnosis["checks"]
    )
    configuration = json.loads(bundle["configuration.json"])
    assert configuration["sources"]["spill"]["type"] == "spill"
    assert configuration["sources"]["spill"]["db_password"] == "***"
    assert {"yaat", "kernel", "distributions"} <= set(json.loads(bundle["environment.json"]))
    assert any(one["name"] == "spill" for one in json.loads(bundle["plugins.json"]))
    letter = json.loads(bundle["dead.json"])["letters"][0]
    assert letter["events"] == 2
    assert "answer" not in letter
    assert all(record["last"] >= record["first"] for record in json.loads(bundle["queue.json"]))
    assert json.loads(bundle["stats.json"])
    for name in bundle:
        assert name in bundle["CONTENTS.txt"] or name == "CONTENTS.txt"


def test_the_bundle_is_for_its_owner_alone_and_replaces_nothing(site: Site, bundle: dict[str, str]) -> None:
    path = site.folder / "all.tar.gz"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    again = yaat("flare", "-c", str(site.agent.config), "-o", str(path), "--yes", **site.agent.environ)
    assert again.returncode == 2
    assert "there already" in again.stderr
    assert path.read_bytes() == before
    assert not list(site.folder.glob("*.part"))


def test_what_goes_in_is_shown_before(site: Site) -> None:
    shown = yaat("flare", "-c", str(site.agent.config), "--dry-run", **site.agent.environ)
    assert shown.returncode == 0, shown.stderr
    for word in (
        "agent.log",
        "configuration.json",
        "the effective configuration",
        "value of sinks.cloud.api_key",
    ):
        assert word in shown.stdout
    assert not leaks({"shown": shown.stdout + shown.stderr})
    asked = yaat("flare", "-c", str(site.agent.config), **site.agent.environ)
    assert asked.returncode == 2
    assert "--yes" in asked.stderr
    document = site.flare("never.tar.gz", "--dry-run")
    assert document["written"] is None
    assert not (site.folder / "never.tar.gz").exists()
    assert not leaks({"document": json.dumps(document)})


def test_without_an_agent(site: Site, bundle: dict[str, str]) -> None:
    """Last: it ends the agent."""
    site.agent.terminate()
    document = site.flare("alone.tar.gz", "--yes")
    assert document["scanned"]
    texts = site.unpacked("alone.tar.gz")
    assert not leaks(texts)
    assert not json.loads(texts["diagnose.json"])["running"]
    assert json.loads(texts["dead.json"])["letters"]


def test_with_a_configuration_that_is_wrong(site: Site) -> None:
    broken = site.folder / "broken.yaml"
    text = site.agent.config.read_text()
    broken.write_text(text.replace("type: refuses", "type: refusse"))
    document = yaat_json(
        "flare", "-c", str(broken), "-o", str(site.folder / "broken.tar.gz"), "--yes", **site.agent.environ
    )
    assert document["written"]
    texts = site.unpacked("broken.tar.gz")
    assert "refusse" in texts["configuration-problems.txt"]
    assert not leaks(texts)
