"""Steps made anew on one stored event."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest

from yaat_core import config
from yaat_core.config.model import Configuration
from yaat_core.control.rows import rows_of
from yaat_core.event import Event, EventBatch
from yaat_core.ids import fill_missing
from yaat_core.lineage.model import FieldChange
from yaat_core.lineage.rerun import rerun, steps_of
from yaat_core.plugins import load_plugins
from yaat_core.stats import Stats
from yaat_core.workshop import Workshop

CONFIG = """
version: 1
state_dir: state
sources:
  app: {type: file, paths: [x], format: json}
  other: {type: file, paths: [y], format: raw}
processors:
  - {type: filter, drop: "level = 'debug'", sources: [app]}
  - {type: scrub, detectors: [secrets], rules: [{name: gone, pattern: "gone", drop: true}]}
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    file: Path = tmp_path_factory.mktemp("rerun") / "yaat.yaml"
    file.write_text(CONFIG)
    return config.load(file, load_plugins())


def told(whole: Configuration, source: str, message: str, **fields: Any) -> Sequence[Any]:
    batch = EventBatch.from_events([Event(message=message, service_name="s", environment="e", **fields)])
    batch = batch.with_columns(
        {"organization_id": "local", "event_id": fill_missing(batch.column("event_id"))}
    )
    shop = Workshop(configuration=whole, agent_id=bytes(16), stats=Stats())
    steps = rerun(shop, steps_of(whole, source), rows_of(batch.columns)[0])
    assert not shop.stats.snapshot(), "nothing is counted"
    return steps


def test_what_changes_is_told_by_field(whole: Configuration) -> None:
    json, filter, scrub = told(
        whole, "sources.app", '{"message": "hi password=hunter22xyz", "level": "info", "a": "b"}'
    )
    changed = {change.field: change for change in json.changes}
    assert changed["level"] == FieldChange(field="level", before=None, after="info")
    assert changed["tags.a"] == FieldChange(field="tags.a", before=None, after="b")
    assert (json.step, json.type, json.what) == ("processors.json", "json", "changed")
    assert filter.what == "unchanged"
    (change,) = scrub.changes
    assert (change.field, change.after) == ("message", "hi password=[password]")


def test_what_drops_it_is_the_last_step_and_says_why(whole: Configuration) -> None:
    assert [one.what for one in told(whole, "sources.app", "x", level="debug")] == ["unchanged", "dropped"]
    steps = told(whole, "sources.other", "gone", level="debug")
    assert [(one.step, one.what, one.why) for one in steps] == [("processors.scrub", "dropped", "rule/gone")]


def test_a_source_that_is_gone_has_the_steps_of_all(whole: Configuration) -> None:
    assert [entry.id.name for entry in steps_of(whole, "sources.gone")] == ["scrub"]
    assert [entry.id.name for entry in steps_of(whole, "")] == ["scrub"]


def test_a_step_that_fails_says_so(whole: Configuration) -> None:
    def broken(options: Any, context: Any) -> Any:
        made = real(options, context)
        made.process = lambda batch: 1 / 0
        return made

    entries = steps_of(whole, "sources.app")
    real = entries[1].type.factory
    entries[1] = attrs.evolve(entries[1], type=attrs.evolve(entries[1].type, factory=broken))
    batch = EventBatch.from_events(
        [Event(message="m", service_name="s", environment="e", organization_id="l")]
    )
    batch = batch.with_columns({"event_id": fill_missing(batch.column("event_id"))})
    shop = Workshop(configuration=whole, agent_id=bytes(16), stats=Stats())
    steps = rerun(shop, entries, rows_of(batch.columns)[0])
    assert [(one.what, one.why) for one in steps][1:] == [("failed", "ZeroDivisionError"), ("unchanged", "")]
