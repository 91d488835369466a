"""One agent on files that grow; who writes the lines is the oracle, and reads the database without the agent."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from support.agents import AgentProcess, check_accounting, check_once_each, wait_until, yaat, yaat_json

CONFIG = """
version: 1
state_dir: state
service_name: oracle
sources:
  app: {type: file, paths: ["LOGS/*.log"], start_at: beginning}
processors:
  - {type: scrub, detectors: [secrets]}
sinks:
  local: {SINK}
health: {listen: "off"}
"""
DUCKDB = "type: duckdb"
#: DuckDB's log is moved into its file, and the queue freed, as often as can be.
BUSY_DUCKDB = "type: duckdb, checkpoint_interval: 10ms"

#: A sink that never has time: what is read stays in the queue.
NEVER = '''
"""A sink that is always busy."""
from yaat_core import Register, Retry, Sink, configuration, hookimpl


@configuration
class NeverConfig:
    """Never delivers."""


class Never(Sink):
    def __init__(self, config, context):
        pass

    async def deliver(self, batch, position):
        return Retry("always busy")


@hookimpl
def register_components(register: Register) -> None:
    register.sink("never", NeverConfig, Never)
'''


class Scenario:
    """A folder with a configuration, log files, and the state of an agent; ``written`` is what must be stored."""

    def __init__(self, folder: Path, sink: str = DUCKDB, *, logs: Path | None = None) -> None:
        self.folder = folder
        self.logs = logs or folder / "logs"
        self.log = self.logs / "app.log"
        self.config = folder / "yaat.yaml"
        self.state = folder / "state"
        self.written: list[str] = []
        self.environ: dict[str, str] = {}
        self.logs.mkdir(parents=True, exist_ok=True)
        folder.mkdir(exist_ok=True)
        self.use(sink)

    def use(self, sink: str, *, more: str = "") -> None:
        """Another sink under the same name; more lines of configuration."""
        self.sink = sink
        text = CONFIG.replace("SINK", sink).replace("LOGS", str(self.logs))
        self.config.write_text(text + more)

    def twin(self, folder: Path, state: Path | None = None) -> Scenario:
        """The same lines in the same files, and a state of its own: none, or a copy."""
        twin = Scenario(folder, self.sink, logs=self.logs)
        twin.written, twin.environ = self.written, self.environ
        if state is not None:
            shutil.copytree(state, twin.state, ignore=shutil.ignore_patterns("*.sock"))
        return twin

    def plugin(self, name: str, source: str) -> None:
        """A plugin of this test's."""
        plugins = self.folder / "plugins"
        plugins.mkdir(exist_ok=True)
        (plugins / f"{name}.py").write_text(source)
        self.environ["YAAT_PLUGINS_DIR"] = str(plugins)

    def write(self, count: int, text: str = "x" * 50) -> None:
        """More lines."""
        lines = [f"line {len(self.written) + number} {text}" for number in range(count)]
        with open(self.log, "a") as file:
            file.writelines(f"{line}\n" for line in lines)
        self.written += lines

    def agent(self, *prefix: str, **environ: str) -> AgentProcess:
        """One that is not started yet."""
        return AgentProcess(self.config, {**self.environ, **environ}, prefix)

    def once(self) -> subprocess.CompletedProcess[str]:
        """Everything that is there, read and delivered."""
        return yaat(
            "run", "--once", "-c", str(self.config), timeout=240, **{"YAAT_DEBUG": "1", **self.environ}
        )

    def stored(self) -> list[tuple[str, Any]]:
        """(message, event_id) of each event, from the database's own files. No agent may be running."""
        rows: list[tuple[str, Any]] = []
        for file in [self.state / "events.duckdb", *sorted(self.state.glob("events.duckdb.d/*.duckdb"))]:
            with duckdb.connect(str(file), read_only=True) as connection:
                rows += connection.execute("SELECT message, event_id FROM yaat_events").fetchall()
        return rows

    def accounting(self) -> dict[str, Any]:
        """As `yaat diagnose` tells it, of the running agent or of its files."""
        document = yaat_json("diagnose", "--offline", "-c", str(self.config), **self.environ)["accounting"]
        assert isinstance(document, dict)
        return document

    def queued_records(self) -> list[dict[str, Any]]:
        """What the queue holds, delivered or not."""
        records = yaat_json("queue", "list", "-c", str(self.config), **self.environ)["records"]
        assert isinstance(records, list), records
        return records

    def wait_until_settled(self) -> None:
        """Until the database has all in its file, and the queue has forgotten it."""
        wait_until(lambda: not self.queued_records(), seconds=60, what="the queue does not forget")

    def accepted(self) -> int:
        """How many lines the running agent's queue has taken; -1 when it can't be asked."""
        accounting = self.agent().try_diagnose().get("accounting")
        return int(accounting["accepted"]) if accounting else -1

    def all_delivered(self, agent: AgentProcess) -> bool:
        """Does the running agent say that it has every line, and that none waits?"""
        assert agent.running(), agent.log()[-3000:]
        accounting = agent.try_diagnose().get("accounting") or {"accepted": -1}
        if accounting["accepted"] < len(self.written):
            return False
        return all(sink["queued"] == 0 for sink in accounting["by_sink"].values())

    def problems(self) -> list[dict[str, str]]:
        """What the running agent says is wrong; each with advice. Nothing when it can't be asked."""
        found = self.agent().try_diagnose().get("health", {}).get("problems", [])
        assert all(problem["advice"] for problem in found), found
        return list(found)

    def wait_for_problem(self, *words: str, agent: AgentProcess) -> dict[str, str]:
        """Until a problem has one of these words; returns it."""
        found: list[dict[str, str]] = []

        def told() -> bool:
            assert agent.running(), agent.log()[-3000:]
            found[:] = [
                problem
                for problem in self.problems()
                if any(word.lower() in problem["what"].lower() for word in words)
            ]
            return bool(found)

        wait_until(told, seconds=60, what=f"a problem with one of {words}\n{agent.log()[-3000:]}")
        return found[0]

    def wait_until_well(self, agent: AgentProcess) -> None:
        """Until the running agent finds nothing wrong any more."""

        def well() -> bool:
            assert agent.running(), agent.log()[-3000:]
            return bool(agent.try_diagnose().get("health", {}).get("ok"))

        wait_until(well, seconds=120, what=f"still unwell: {self.problems()}\n{agent.log()[-3000:]}")

    def settle(self, *, told: str = "") -> None:
        """Run once without faults; then each line is stored once, and the sums agree."""
        done = self.once()
        assert done.returncode == 0, f"{told}\n{done.stderr[-3000:]}"
        self.check(told=f"{told}\n{done.stderr[-3000:]}")

    def check(self, *, told: str = "") -> None:
        """Each line that was written is stored once, and the sums agree. No agent may be running."""
        rows = self.stored()
        compare((message for message, _ in rows), self.written, told=told)
        assert len({event_id for _, event_id in rows}) == len(rows), told
        check_accounting(self.agent(), len(self.written))

    def check_losses(self, *, told: str = "") -> int:
        """What is not stored is counted as lost, to the event; nothing is twice. Returns how much. No agent may run."""
        have, want = Counter(message for message, _ in self.stored()), Counter(self.written)
        assert not have - want, f"too many: {list(have - want)[:3]}\n{told}"
        missing = sum((want - have).values())
        accounting = self.accounting()
        account = accounting["by_sink"]["local"]
        assert accounting["balanced"], accounting
        assert account["lost"] == missing, f"{missing} are missing\n{accounting}\n{told}"
        assert account["delivered"] == len(self.written) - missing, f"{accounting}\n{told}"
        return missing

    def check_live(self) -> None:
        """A live agent reads one more line, and then has everything once."""
        with self.agent().start() as agent:
            self.write(1)
            agent.wait_for(len(self.written))
            assert agent.terminate() == 0
            check_once_each(agent, self.written)
            check_accounting(agent, len(self.written))


def compare(got: Iterable[str], wanted: Iterable[str], *, told: str = "") -> None:
    """Nothing lost, nothing twice, nothing strange."""
    have, want = Counter(got), Counter(wanted)
    lost, extra = want - have, have - want
    assert not lost, f"{sum(lost.values())} lost, such as {list(lost)[:3]}\n{told}"
    assert not extra, f"{sum(extra.values())} too many, such as {list(extra)[:3]}\n{told}"
