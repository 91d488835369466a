"""The health port of a real agent, asked over HTTP; and a plugin whose source and sink do what a file says."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import psutil

from support.agents import AgentProcess, wait_until

#: A source and a sink. Each looks into its file ``mood`` before everything it does.
MOODY = '''
"""Components that do what a file says."""
from pathlib import Path

import trio

from yaat_core import Done, Event, EventBatch, Register, Retry, Sink, Source, configuration, hookimpl, option


@configuration
class MoodyConfig:
    """Does what a file says."""

    mood: str = option(help="Path of the file: empty, retry, raise or hang.")


class Moody:
    def __init__(self, config, context):
        self.mood = Path(config.mood)

    async def act(self):
        """What the file says, but for `retry`."""
        while (mood := self.mood.read_text()) == "hang":
            await trio.sleep(0.05)
        if mood == "raise":
            raise OSError("the file says so")
        return mood


class MoodySource(Moody, Source):
    """An event each tenth of a second."""

    async def run(self, out):
        number = 0
        while True:
            if await self.act() != "silent":
                number += 1
                await out.send(EventBatch.from_events([Event(message=f"{number} " + "x" * 500)]), {})
            await trio.sleep(0.1)


class MoodySink(Moody, Sink):
    async def deliver(self, batch, position):
        return Retry("the file says so") if await self.act() == "retry" else Done()


@hookimpl
def register_components(register: Register) -> None:
    register.source("moody", MoodyConfig, MoodySource)
    register.sink("moody", MoodyConfig, MoodySink)
'''

CONFIG = """\
version: 1
state_dir: state
shutdown_grace: 60s
health: {{listen: "127.0.0.1:0"{limits}}}
queue: {{max_bytes: {max_bytes}, when_full: drop_oldest}}
sources:
  talk: {{type: moody, mood: source.mood}}
sinks:
  out: {{type: moody, mood: sink.mood}}
"""


class MoodyAgent(AgentProcess):
    """An agent with the source `talk` and the sink `out`."""

    def moods(self, *, source: str = "", sink: str = "") -> None:
        """From now on they do this."""
        for name, mood in (("source", source), ("sink", sink)):
            fresh = self.config.parent / f"{name}.fresh"
            fresh.write_text(mood)
            fresh.replace(self.config.parent / f"{name}.mood")


def moody_agent(folder: Path, *, limits: str = "", max_bytes: str = "1GiB") -> MoodyAgent:
    """Not started yet."""
    plugins = folder / "plugins"
    plugins.mkdir()
    (plugins / "moody.py").write_text(MOODY)
    config = folder / "yaat.yaml"
    text = CONFIG.format(limits=limits, max_bytes=max_bytes)
    for name in ("source", "sink"):
        text = text.replace(f"{name}.mood", str(folder / f"{name}.mood"))
    config.write_text(text)
    agent = MoodyAgent(config, environ={"YAAT_PLUGINS_DIR": str(plugins)})
    agent.moods()
    return agent


def health_port(agent: AgentProcess) -> int:
    """The port that it listens on; it may have no other."""
    assert agent.process is not None
    process = psutil.Process(agent.process.pid)

    def ports() -> list[int]:
        return [one.laddr.port for one in process.net_connections("tcp") if one.status == psutil.CONN_LISTEN]

    wait_until(
        lambda: not agent.running() or bool(ports()), what=f"it listens nowhere\n{agent.log()[-2000:]}"
    )
    assert agent.running(), agent.log()[-3000:]
    (port,) = ports()
    return port


def ask(agent: AgentProcess, path: str, **headers: str) -> httpx.Response:
    """GET on the health port."""
    return httpx.get(f"http://127.0.0.1:{health_port(agent)}{path}", headers=headers, timeout=60)


def wait_for_health(agent: AgentProcess, code: int, text: str = "") -> httpx.Response:
    """Until /healthz answers with this, its body holding this text."""
    answers: list[httpx.Response] = []
    url = f"http://127.0.0.1:{health_port(agent)}/healthz"

    def looks() -> bool:
        time.sleep(0.1)
        answers.append(httpx.get(url, timeout=60))
        return answers[-1].status_code == code and text in answers[-1].text

    wait_until(looks, seconds=120, what=f"/healthz with {code} and {text!r}\n{agent.log()[-3000:]}")
    return answers[-1]
