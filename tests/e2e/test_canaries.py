"""Secrets through the whole agent, by every way that texts come in: none is left in any file, store, answer or log."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest
from support.agents import AgentProcess, check_accounting, wait_until, yaat, yaat_json

#: A source of spans and metrics, a processor that raises with what it saw, and sinks that refuse and that wait.
PLUGIN = '''
import json
from yaat_core import Drop, Event, EventBatch, Partial, Pause, Processor, Register, Sink, Source
from yaat_core import configuration, hookimpl, option

@configuration
class SpillConfig:
    """Events from a file of JSON."""
    path: str = option(help="The file.")

class Spill(Source):
    def __init__(self, config, context):
        self.path = context.path(config.path)
    async def run(self, out):
        events = [Event(**fields) for fields in json.loads(self.path.read_text())]
        await (await out.send(EventBatch.from_events(events))).durable()

@configuration
class NoConfig:
    """No options."""

class Grumpy(Processor):
    def __init__(self, config, context):
        pass
    def process(self, batch):
        for event in batch:
            if "raise" in (event.message or ""):
                raise ValueError(event.message)
        return batch, ()

class Refuses(Sink):
    def __init__(self, config, context):
        pass
    async def deliver(self, batch, position):
        texts = batch.column("message").to_pylist()
        return Partial([(row, f"refused: {text}") for row, text in enumerate(texts)])

class Waits(Sink):
    def __init__(self, config, context):
        pass
    async def deliver(self, batch, position):
        return Pause("it waits", advice="nothing")

@hookimpl
def register_components(register: Register) -> None:
    register.source("spill", SpillConfig, Spill)
    register.processor("grumpy", NoConfig, Grumpy)
    register.sink("refuses", NoConfig, Refuses)
    register.sink("waits", NoConfig, Waits)
'''
CONFIG = """
state_dir: state
service_name: shop
shutdown_grace: 2s
sources:
  app: {type: file, paths: [app.log, split-*.log], start_at: beginning, format: auto, partial_timeout: 10m}
  logfmt: {type: file, paths: [logfmt.log], start_at: beginning, format: auto}
  trace: {type: file, paths: [trace.log], start_at: beginning, multiline: python}
  cut: {type: file, paths: [cut.log], start_at: beginning, max_line_bytes: 400B}
  spill: {type: spill, path: spill.json}
processors:
  - {type: grumpy}
  - {type: scrub, detectors: [all]}
sinks:
  local: {type: duckdb}
  refuses: {type: refuses, queue: {when_full: drop_oldest}}
  waits: {type: waits, queue: {when_full: drop_oldest}}
health: {listen: "off"}
"""
RANDOM = random.Random(11)
LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def letters(count: int, some: str = LETTERS) -> str:
    return "".join(RANDOM.choices(some, k=count))


def card() -> str:
    digits = "4" + letters(14, "0123456789")
    doubled = [
        (int(d) * 2 - 9 * (int(d) > 4)) if index % 2 == 0 else int(d) for index, d in enumerate(digits)
    ]
    return digits + str(-sum(doubled) % 10)


def pem() -> tuple[str, str]:
    body = base64.b64encode(RANDOM.randbytes(90)).decode()
    kind = RANDOM.choice(["RSA ", "EC ", "OPENSSH ", ""])
    return f"-----BEGIN {kind}PRIVATE KEY-----\\n{body}\\n-----END {kind}PRIVATE KEY-----", body


def basic() -> tuple[str, str]:
    word = base64.b64encode(letters(18).encode()).decode()
    return f"Authorization: Basic {word}", word


def plain(form: str, count: int, some: str = LETTERS) -> Callable[[], tuple[str, str]]:
    def made() -> tuple[str, str]:
        secret = letters(count, some)
        return form.replace("@@", secret), secret

    return made


ASKED = (["status"], ["diagnose"], ["config", "show"])
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
FORMS: dict[str, Callable[[], tuple[str, str]]] = {
    "password": plain("password=@@", 16),
    "url": plain("postgres://bob:@@@db/shop", 16),
    "aws": plain("AKIA@@", 16, UPPER),
    "github": plain("ghp_@@", 36),
    "jwt": plain("eyJhbGciOiJIUzI1NiJ9.eyJzdWIi@@.dozjgNryP4J3jVmNHl0w5N", 30),
    "bearer": plain("Authorization: Bearer @@", 24),
    "basic": basic,
    "cookie": plain("Cookie: sid=@@", 20),
    "slack": plain("xox" + "b-123456789012-@@", 20),
    "stripe": plain("sk_" + "live_@@", 24),
    "pem": pem,
    "card": lambda: (lambda number: (f"paid {number}", number))(card()),
    "random": plain("key @@", 40),
}


@attrs.define
class Canaries:
    """Makes texts with secrets in them, and knows what must not be found of each."""

    needles: dict[str, str] = attrs.field(factory=dict)

    def make(self, place: str) -> Iterator[tuple[str, str]]:
        """A text and its secret, of every form."""
        for form, made in FORMS.items():
            text, secret = made()
            self.needles[f"{form} in {place}"] = secret
            yield text, secret


def lines_of(canaries: Canaries) -> list[str]:
    lines = [f"2026-01-05 10:00:00 INFO sent {text} end" for text, _ in canaries.make("a line")]
    lines += [f"this will raise: {text}" for text, _ in canaries.make("an exception of a processor")]
    lines += [
        json.dumps({"level": "info", "msg": "m", "note": text}) for text, _ in canaries.make("a JSON value")
    ]
    lines += [json.dumps({"msg": "m", text: 1}) for text, _ in canaries.make("a JSON key")]
    lines += [
        json.dumps({"msg": "m", "a": {"b": {text: "c"}}}) for text, _ in canaries.make("a nested JSON key")
    ]
    lines += [json.dumps({"msg": json.dumps({"in": text})}) for text, _ in canaries.make("JSON in JSON")]
    return lines


def write_sources(folder: Path, canaries: Canaries) -> list[str]:
    """Everything but the lines that are written in two pieces; returns those."""
    app = lines_of(canaries)
    for number in range(6):
        text, secret = pem()
        canaries.needles[f"key over events {number}"] = secret
        app += text.split("\\n")
    (folder / "app.log").write_text("\n".join(app) + "\n")
    (folder / "logfmt.log").write_text(
        "".join(f'level=info msg="a" note="{text}"\n' for text, _ in canaries.make("a logfmt value"))
    )
    traces = [
        f'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    g()\nValueError: {text}\n'
        for text, _ in canaries.make("exception text")
    ]
    (folder / "trace.log").write_text("".join(f"ERROR it failed\n{trace}" for trace in traces))
    cut = []
    for text, secret in canaries.make("a cut line"):
        if text.startswith("key "):  # half of a word without any form is no longer than a word
            text = f"password={secret}"
        half = text.index(secret) + max(len(secret) // 2, 8)
        cut.append("x " * ((400 - half) // 2) + " " * (half % 2) + text + " and so on" * 10)
        name = next(name for name, needle in canaries.needles.items() if needle == secret)
        canaries.needles[name] = secret[: max(len(secret) // 2, 8) - 1]
    (folder / "cut.log").write_text("\n".join(cut) + "\n")
    spilled = [{"event_type": "metric", "metric_name": text} for text, _ in canaries.make("a metric's name")]
    spilled += [
        {"event_type": "span", "operation": f"GET {text}"} for text, _ in canaries.make("an operation")
    ]
    spilled += [{"service_name": text} for text, _ in canaries.make("a service's name")]
    spilled += [{"message": "m", "tags": {"x": text}} for text, _ in canaries.make("a tag")]
    spilled += [{"message": "m", "tags": {text: "x"}} for text, _ in canaries.make("a tag's name")]
    spilled += [{"message": "m", "trace_id": text} for text, _ in canaries.make("a trace id")]
    (folder / "spill.json").write_text(json.dumps(spilled))
    return [f"split {text} end" for text, _ in canaries.make("two reads")]


def write_halves(folder: Path, lines: list[str], canaries: Canaries, which: int) -> None:
    """Each line in a file of its own: up to the middle of its secret first, and then the rest."""
    for number, line in enumerate(lines):
        secret = next(needle for needle in canaries.needles.values() if needle in line)
        half = line.index(secret) + len(secret) // 2
        with open(folder / f"split-{number}.log", "a") as file:
            file.write((line[:half], line[half:] + "\n")[which])


def queued_events(config: Path) -> str:
    """Everything that the queue holds: its files are compressed, so looking at them does not do."""
    records = yaat_json("queue", "list", "--limit", "1000", "-c", str(config))
    return "".join(
        yaat("queue", "show", str(record["first"]), "--limit", "10000", "--json", "-c", str(config)).stdout
        for record in records["records"]
    )


def refused(folder: Path) -> int:
    """How many dead events there are. Looking at files is cheaper than asking the agent."""
    files = [file for file in (folder / "state").glob("dead*/**/*") if file.is_file()]
    return sum(file.read_bytes().count(b'{"sequence":') for file in files)


def hits(canaries: Canaries, text: str, where: str) -> list[str]:
    return [f"{name}: {where}" for name, needle in canaries.needles.items() if needle in text]


def test_no_secret_is_left_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "canary.py").write_text(PLUGIN)
    config = tmp_path / "yaat.yaml"
    config.write_text(CONFIG)
    canaries = Canaries()
    split = write_sources(tmp_path, canaries)
    assert len(canaries.needles) >= 60
    monkeypatch.setenv("YAAT_PLUGINS_DIR", str(tmp_path / "plugins"))
    monkeypatch.setenv("YAAT_DEBUG", "1")
    spilled = len(json.loads((tmp_path / "spill.json").read_text()))
    whole = (tmp_path / "app.log").read_text().count("\n") + 3 * len(FORMS) + spilled
    write_halves(tmp_path, split, canaries, 0)
    with AgentProcess(config).start("--log-level", "debug") as agent:
        wait_until(lambda: refused(tmp_path) == whole, seconds=60, what=agent.log()[-3000:])
        write_halves(tmp_path, split, canaries, 1)
        wait_until(lambda: refused(tmp_path) == whole + len(split), seconds=60, what=agent.log()[-3000:])
        agent.wait_for(whole + len(split))
        answers = [yaat(*command, "-c", str(config), "--json").stdout for command in ASKED]
        queued = queued_events(config)
        rows = json.dumps(agent.query("SELECT * FROM events"))
        assert rows.count("event_id") == whole + len(split)
        check_accounting(agent, whole + len(split))
        agent.terminate()
    assert rows.count("[private_key]") > len(FORMS)
    assert "raised ValueError on" in agent.log()
    assert queued.count("event_id") == whole + len(split)
    found = hits(canaries, rows, "the database") + hits(canaries, queued, "the queue")
    found += hits(canaries, agent.log(), "the log")
    found += [hit for answer in answers for hit in hits(canaries, answer, "an answer")]
    for file in (tmp_path / "state").rglob("*"):
        if file.is_file():
            found += hits(canaries, file.read_bytes().decode("latin-1"), str(file))
    assert not found, found


def test_what_rules_found_is_counted_and_told(tmp_path: Path) -> None:
    config = tmp_path / "yaat.yaml"
    config.write_text(
        """
state_dir: state
sources: {app: {type: file, paths: [app.log], start_at: beginning}}
processors:
  - type: scrub
    rules: [{name: health, pattern: "GET /healthz", drop: true}]
sinks: {local: {type: duckdb}}
health: {listen: "off"}
"""
    )
    (tmp_path / "app.log").write_text("password=a1b2 x\ntoken=a1b2\nGET /healthz\nplain\n")
    with AgentProcess(config).start() as agent:
        agent.wait_for(3)
        for command in ("status", "diagnose"):
            document = yaat_json(command, "-c", str(config))
            assert document["rules"] == {"processors.scrub": {"health": 1, "password": 2}}
            assert document["accounting"]["dropped_before_queue"] == {"scrub/health": 1}
            shown = yaat(command, "-c", str(config)).stdout
            assert "processors.scrub found since the start: health 1, password 2" in shown
        assert agent.terminate() == 0
