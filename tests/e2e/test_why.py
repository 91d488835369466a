"""The lineage of events whose fate an oracle knows: delivered, dead, waiting, older than a sink, dropped by what is new."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from support.agents import AgentProcess, wait_until, yaat
from support.scenario import DUCKDB, NEVER, Scenario

from yaat_core.actions.agent import Query
from yaat_core.actions.dead import DEAD_LIST, DEAD_SHOW, DeadList, DeadShow
from yaat_core.actions.live import WHY, WhyGiven
from yaat_core.control.client import Client
from yaat_core.control.rows import rows_of
from yaat_core.errors import UsageError, YaatError
from yaat_core.lineage.model import Answer, Lineage

#: Lines with `bad` have a tag twice, which DuckDB refuses.
TWICE = '''
"""Tags that no database takes."""
import pyarrow as pa
from yaat_core import Processor, Register, configuration, hookimpl

@configuration
class TwiceConfig:
    """Nothing to say."""

class Twice(Processor):
    def __init__(self, config, context):
        pass

    def process(self, batch):
        column = batch.column("tags")
        rows = zip(batch.column("message").to_pylist(), column.to_pylist())
        tags = [[*own, ("a", "1"), ("a", "2")] if "bad" in text else own for text, own in rows]
        return batch.with_columns({"tags": pa.array(tags, column.type)}), []

@hookimpl
def register_components(register: Register) -> None:
    register.processor("twice", TwiceConfig, Twice)
'''
LATER = """\
  late: {type: never}
health: {listen: "off"}
"""


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """Six lines of before: one is refused by the database, one will be dropped by a filter that comes later."""
    scenario = Scenario(tmp_path_factory.mktemp("why"))
    scenario.plugin("twice", TWICE)
    scenario.use(DUCKDB)
    plain = scenario.config.read_text()
    scenario.config.write_text(plain.replace("processors:\n", "processors:\n  - {type: twice}\n"))
    scenario.plugin("never", NEVER)
    scenario.write(4)
    scenario.write(1, "bad")
    scenario.write(1, "noise password=hunter22xyz")
    done = scenario.once()
    assert done.returncode in (0, 5), done.stderr
    text = scenario.config.read_text().replace('health: {listen: "off"}\n', LATER)
    scenario.config.write_text(
        text.replace("processors:\n", "processors:\n  - {type: filter, drop: \"message LIKE '%noise%'\"}\n")
    )
    return scenario


@attrs.frozen
class Asked:
    """The running agent, and its client."""

    agent: AgentProcess
    client: Client

    def rows(self, sql: str) -> list[Any]:
        with self.client.query(Query(sql=sql)) as answer:
            return [row for batch in answer for row in rows_of(batch)]

    def id(self, like: str) -> str:
        (row, *_) = self.rows(f"SELECT event_id FROM events WHERE message LIKE '%{like}%' ORDER BY message")
        return str(row["event_id"])

    def why(self, id: str) -> Lineage:
        told = self.client.call(WHY, WhyGiven(event_id=id))
        assert told.event_id == id
        return told


@pytest.fixture(scope="module")
def asked(scenario: Scenario) -> Iterator[Asked]:
    """Running with another sink, that takes nothing; three more lines."""
    with scenario.agent().start() as agent, Client(scenario.state) as client:
        scenario.write(3, "afterwards")
        asked = Asked(agent, client)

        def there() -> bool:
            try:
                return len(asked.rows("SELECT 1 FROM events")) == 5 + 3
            except YaatError:
                return False

        wait_until(there, what=f"they are stored\n{agent.log()[-2000:]}")
        yield asked


def by_sink(told: Lineage) -> dict[str, Answer]:
    return {one.sink: one for one in told.sinks}


def test_an_event_that_was_delivered_before_another_sink_came(asked: Asked, scenario: Scenario) -> None:
    told = asked.why(asked.id("line 1 "))
    assert told.event["message"] == scenario.written[1]
    assert "sinks.local" in told.found_in
    assert (told.origin.source, told.origin.configured) == ("sources.app", True)
    assert told.origin.position == len(scenario.written[0]) + 1, "the byte at which the line begins"
    assert told.origin.told["log.file.path"] == str(scenario.log)
    assert by_sink(told)["sinks.local"].fate == "delivered"
    assert by_sink(told)["sinks.late"].fate == "not_attached"
    assert told.queue.state in ("kept", "deleted")
    assert told.limits


def test_an_event_that_waits_for_a_sink(asked: Asked) -> None:
    told = asked.why(asked.id("line 7 "))
    assert {"queue", "sinks.local"} <= set(told.found_in)
    assert (told.queue.state, told.queue.sequence) == ("waiting", 8)
    assert (told.queue.first or 0) <= 8 <= (told.queue.last or 0)
    late = by_sink(told)["sinks.late"]
    assert (late.fate, late.detail) == ("queued", "1 event before it")


def test_an_event_that_a_sink_refused(asked: Asked, scenario: Scenario) -> None:
    (letter,) = asked.client.call(DEAD_LIST, DeadList()).letters
    (event,) = asked.client.call(DEAD_SHOW, DeadShow(id=letter.id)).events
    told = asked.why(str(event.event["event_id"]))
    assert told.found_in[-1] == "dead letters of sinks.local"
    answer = by_sink(told)["sinks.local"]
    assert (answer.fate, answer.letter) == ("dead", letter.id)
    assert "uplicate key" in answer.detail
    assert told.event["message"] == scenario.written[4]


def test_what_the_pipeline_of_now_does_is_told_step_by_step(asked: Asked) -> None:
    told = asked.why(asked.id("noise"))
    (step,) = told.steps
    assert (step.step, step.what, step.why) == ("processors.filter", "dropped", "filter")
    assert "hunter22xyz" not in str(told)
    assert [one.what for one in asked.why(asked.id("line 1 ")).steps] == ["unchanged"] * 3


def test_it_reads_well_and_says_what_is_not_there(asked: Asked) -> None:
    done = yaat("why", asked.id("line 7 "), "-c", str(asked.agent.config), **asked.agent.environ)
    for said in ("from     sources.app", "waits for a sink", "sinks.late   queued", "lets it pass as it is"):
        assert said in done.stdout, done.stdout
    for id, says in (
        ("x", "no event id"),
        ("01a22fbc-3f3e-8006-8436-d40000000000", "no database, dead letter or record"),
    ):
        with pytest.raises(UsageError, match=says):
            asked.client.call(WHY, WhyGiven(event_id=id))
