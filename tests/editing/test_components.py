"""Components added, changed, taken out and tried, with the rest of the file as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from yaat_core.config.editing.components import (
    adding,
    changing,
    default_value,
    placing,
    removing,
    written_components,
)
from yaat_core.config.editing.files import ConfigFiles
from yaat_core.config.editing.masking import masked_value
from yaat_core.config.editing.types import types_of
from yaat_core.errors import UsageError
from yaat_core.sampling import Tested as Outcome
from yaat_core.sampling import sample

from .conftest import CONFIG, Place, plugins


def edit(place: Place, made: Any) -> Any:
    return place.desk.edit(made, summary="test")


def test_a_component_is_added_changed_renamed_and_removed(place: Place) -> None:
    known = plugins()
    edit(place, adding("sources", "new", {"type": "file", "paths": ["n.log"]}, known))
    assert "\n\n  new:\n    type: file\n    paths: [n.log]\n" in place.text()
    with pytest.raises(UsageError):
        edit(place, adding("sources", "new", {"type": "file", "paths": ["n.log"]}, known))
    edit(place, changing("sources", "new", known, set={"tags.tier": "front", "poll": "2s"}))
    edit(place, changing("sources", "new", known, unset=["poll"], rename="newer"))
    assert "\n\n  newer:\n    type: file\n    paths: [n.log]\n    tags: {tier: front}\n" in place.text()
    edit(place, removing("sources", "newer", known))
    assert place.text() == CONFIG


def test_a_processor_comes_where_it_is_wanted(place: Place) -> None:
    known = plugins()
    made = adding("processors", "noise", {"type": "filter", "drop": "level = 'debug'"}, known, before="scrub")
    edit(place, made)
    assert [entry.id.name for entry in place.desk.load().processors] == ["noise", "scrub"]
    assert place.text().index("name: noise") < place.text().index("type: scrub")
    edit(place, changing("processors", "noise", known, rename="quiet"))
    edit(place, removing("processors", "quiet", known))
    assert place.text() == CONFIG


def test_what_holds_by_default_goes_on_when_a_section_is_written(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write("state_dir: state\nsources: {}\n")
    known = plugins()
    edit(place, adding("sinks", "archive", {"type": "duckdb", "path": "a.duckdb"}, known))
    edit(place, adding("processors", "noise", {"type": "filter", "drop": "level = 'debug'"}, known))
    loaded = place.desk.load()
    assert set(loaded.sinks) == {"local", "archive"}
    assert [entry.id.name for entry in loaded.processors] == ["noise", "scrub"]
    assert place.text().startswith("state_dir: state\nsources: {}\n")
    assert default_value("processors", known) == [{"type": "scrub", "detectors": ["secrets"]}]


def test_an_unknown_name_is_answered_with_the_nearest(place: Place) -> None:
    with pytest.raises(UsageError) as error:
        edit(place, removing("sources", "ap", plugins()))
    assert "app" in error.value.fix


def test_components_are_listed_with_their_places_also_when_the_file_is_wrong(place: Place) -> None:
    place.write(CONFIG + "nonsense: 1\n")
    found = written_components(ConfigFiles.read(place.config), plugins())
    assert [(one.kind, one.name) for one in found] == [
        ("sources", "app"),
        ("sources", "web"),
        ("processors", "scrub"),
        ("sinks", "local"),
    ]
    assert found[0].line == 9
    assert found[0].file == place.config


def test_secrets_of_a_component_are_masked_and_references_stay() -> None:
    value = {
        "type": "cloud",
        "api_key": "hush",
        "endpoint": "https://x",
        "more": [{"token": "${env:T}", "password": 1}],
    }
    shown = masked_value("sinks", value, plugins().registry)
    assert shown == {**value, "api_key": "***", "more": [{"token": "${env:T}", "password": "***"}]}


def test_every_type_tells_enough_for_a_form() -> None:
    found = {(one.kind, one.name): one for one in types_of(plugins())}
    assert set(found) == set(plugins().registry.types)
    options = {one.name: one for one in found["sources", "file"].options}
    assert options["paths"].shape == "list"
    assert options["paths"].required
    assert options["start_at"].choices == ["beginning", "end"]
    assert "json" in options["format"].choices
    cloud = {one.name: one for one in found["sinks", "cloud"].options}
    assert cloud["api_key"].secret
    assert cloud["queue"].shape == "group"
    assert {one.name for one in cloud["queue"].options} == {"max_bytes", "retention", "when_full"}
    for one in found.values():
        for option in one.options:
            assert option.help, (one.name, option.name)


async def tried(place: Place, kind: Any, name: str, value: Any = None, **more: Any) -> Outcome:
    made = placing(kind, name, value, plugins()) if value is not None else None
    return await sample(
        place.desk.trial(made), kind, name, bytes(16), **{"lines": 20, "seconds": 20.0, **more}
    )


async def test_lines_of_a_source_that_is_not_written_are_shown_parsed_and_redacted(place: Place) -> None:
    (place.folder / "n.log").write_text(
        '{"level": "error", "message": "login password=hunter2"}\nplain token=ghp_abcdefghijklmnopqrstuvwxyz0123456789\n'
    )
    value = {"type": "file", "paths": ["n.log"], "format": "json", "start_at": "end"}
    found = await tried(place, "sources", "new", value)
    assert found.ok
    assert [line.parsed for line in found.lines] == [True, False]
    assert found.parsed_share == 0.5
    assert found.lines[0].event is not None
    assert found.lines[0].event["level"] == "error"
    assert "hunter2" not in repr(found)
    assert "ghp_" not in repr(found)
    assert place.text() == CONFIG
    assert not (place.folder / "state").exists()


async def test_a_source_that_listens_binds_nothing(place: Place) -> None:
    found = await tried(place, "sources", "stats", {"type": "statsd"})
    assert not found.lines
    assert "listens" in found.notes[0]


async def test_what_a_processor_drops_is_counted(place: Place) -> None:
    (place.folder / "app.log").write_text("one\ntwo\n")
    value = {"type": "filter", "drop": "message = 'one'"}
    found = await tried(place, "processors", "noise", value)
    assert found.dropped == {"processors.noise": 1}
    assert [line.event is None for line in found.lines] == [True, False]


async def test_a_sink_is_checked_and_not_written(place: Place) -> None:
    found = await tried(
        place, "sinks", "cloud", {"type": "cloud", "endpoint": "http://127.0.0.1:1", "api_key": "${env:HOME}"}
    )
    assert not found.ok
    assert found.findings[0].problem


def test_processors_are_put_in_order(place: Place) -> None:
    from yaat_core.config.editing.components import moving

    known = plugins()
    edit(place, adding("processors", "noise", {"type": "filter", "drop": "level = 'debug'"}, known))
    before = place.text()
    edit(place, moving("noise", "scrub", known))
    assert [entry.id.name for entry in place.desk.load().processors] == ["noise", "scrub"]
    edit(place, moving("noise", None, known))
    assert place.text() == before
    with pytest.raises(UsageError, match="there is no processor `nobody`"):
        edit(place, moving("noise", "nobody", known))
