"""Checking, writing, taking back: files of a real configuration."""

from __future__ import annotations

import itertools
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yaat_core.config.editing.files import ConfigFile
from yaat_core.config.editing.history import MOST, MOST_BYTES, History
from yaat_core.config.editing.keys import keys_edit
from yaat_core.config.editing.saving import CannotWrite, ChangedMeanwhile
from yaat_core.config.problems import ConfigError
from yaat_core.errors import UsageError

from .conftest import CONFIG, Place


def edit(place: Place, **set: Any) -> Any:
    return place.desk.edit(
        keys_edit({key.replace("__", "."): one for key, one in set.items()}), summary="test"
    )


def test_an_edit_is_written_and_loads_as_that_value(place: Place) -> None:
    done = edit(place, sources__app__start_at="end", processors__scrub__detectors=["secrets", "email"])
    assert done.version == 1
    assert {one.component for one in done.changes} == {"sources.app", "processors.scrub"}
    loaded = place.desk.load()
    assert loaded.sources["app"].options.start_at == "end"
    assert list(loaded.processors[0].options.detectors) == ["secrets", "email"]
    assert "# never take this out" in place.text()


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("service_name"), st.sampled_from(["shop", "no", "a: b", "ü", "1"])),
            st.tuples(st.just("sources.app.start_at"), st.sampled_from(["beginning", "end"])),
            st.tuples(
                st.just("sources.web.paths"), st.lists(st.sampled_from(["a", "b c", "d#"]), min_size=1)
            ),
            st.tuples(
                st.just("tags"), st.dictionaries(st.sampled_from(["a", "b.c"]), st.text("xy:#", min_size=1))
            ),
        ),
        max_size=4,
    )
)
def test_undo_gives_the_bytes_back_and_redo_the_others(place: Place, edits: list[tuple[str, Any]]) -> None:
    place.write(CONFIG)
    states = [place.text()]
    for path, value in edits:
        done = place.desk.edit(keys_edit({path: value}), summary="one")
        if done.version is not None:
            states.append(place.text())
    for state in reversed(states[:-1]):
        place.desk.undo()
        assert place.text() == state
    for state in states[1:]:
        place.desk.redo()
        assert place.text() == state
    with pytest.raises(UsageError):
        place.desk.redo()


def test_what_is_not_valid_is_never_written(place: Place) -> None:
    with pytest.raises(ConfigError) as error:
        edit(place, sources__app__start_at="never")
    assert error.value.problems[0].line == 11
    assert place.text() == CONFIG
    assert not (place.folder / "state").exists() or not place.desk.history.versions()


def test_relative_paths_are_those_of_the_file_while_it_is_checked(place: Place) -> None:
    (place.folder / "key").write_text("k")
    (place.folder / "more.yaml").write_text("tags: {a: b}\n")
    text = CONFIG + "include: [more.yaml]\nenvironment: ${file:key}\n"
    checked = place.desk.check(text)
    assert checked.ok, checked.problems
    assert {one.component for one in checked.changes} == {"include", "environment"}
    assert place.text() == CONFIG
    assert sorted(os.listdir(place.folder)) == ["key", "more.yaml", "yaml.yaml".replace("yaml.", "yaat.", 1)]


def test_a_file_that_changed_meanwhile_is_refused(place: Place) -> None:
    before = place.desk.text()
    place.write(CONFIG + "# somebody else\n")
    with pytest.raises(ChangedMeanwhile):
        place.desk.apply(CONFIG + "service_name: x\n", before.hash)
    assert place.text().endswith("# somebody else\n")


def test_undo_is_refused_when_the_file_is_not_what_the_change_made(place: Place) -> None:
    edit(place, service_name="shop")
    place.write(place.text() + "# by hand\n")
    with pytest.raises(ChangedMeanwhile):
        place.desk.undo()
    assert place.text().endswith("# by hand\n")
    place.desk.undo(1)
    assert place.text() == CONFIG
    place.desk.undo()
    assert place.text().endswith("# by hand\n")


def test_a_broken_configuration_can_be_looked_at_edited_and_checked(place: Place) -> None:
    place.write(CONFIG.replace("type: file", "type: fyle", 1) + "nonsense: 1\n")
    found = place.desk.text()
    assert "fyle" in found.text
    assert len(place.desk.check(found.text).problems) == 2
    with pytest.raises(ConfigError):
        edit(place, service_name="x")
    place.desk.edit(keys_edit({"sources.app.type": "file"}, ["nonsense"]), summary="mended")
    assert place.text() == CONFIG
    place.write("a: [")
    assert place.desk.text().text == "a: ["
    assert not place.desk.check("a: [").ok
    place.desk.apply(CONFIG, place.desk.text().hash)
    assert place.text() == CONFIG


def test_mode_owner_and_link_stay(place: Place) -> None:
    real = place.folder / "real.yaml"
    os.rename(place.config, real)
    place.config.symlink_to("real.yaml")
    real.chmod(0o604)
    if os.geteuid() == 0:
        os.chown(real, 12345, 54321)
    before = real.stat()
    edit(place, service_name="shop")
    after = real.stat()
    assert place.config.is_symlink()
    assert (stat.S_IMODE(after.st_mode), after.st_uid, after.st_gid) == (0o604, before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino


def test_a_new_file_is_made_and_taken_away_again(tmp_path: Path) -> None:
    place = Place(tmp_path / "etc" / "yaat")
    done = place.desk.edit(keys_edit({"state_dir": "state", "service_name": "shop"}), summary="first")
    assert done.version == 1
    assert stat.S_IMODE(place.config.stat().st_mode) == 0o640
    assert place.text() == "state_dir: state\nservice_name: shop\n"
    place.desk.undo()
    assert not place.config.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_told(place: Place) -> None:
    place.desk.history.add("begin", [])
    place.folder.chmod(0o500)
    try:
        with pytest.raises(CannotWrite):
            edit(place, service_name="shop")
    finally:
        place.folder.chmod(0o700)


def test_an_included_file_is_edited_where_the_component_stands(place: Place) -> None:
    more = place.folder / "more.yaml"
    more.write_text("sources:\n  extra:   # here\n    type: file\n    paths: [x]\n")
    place.write(CONFIG + "include: more.yaml\n")
    before = place.text()
    done = edit(place, sources__extra__paths=["other"])
    assert done.path == str(more)
    assert place.text() == before
    assert more.read_text() == "sources:\n  extra:   # here\n    type: file\n    paths: [other]\n"
    with pytest.raises(UsageError):
        edit(place, sources__extra__paths=["z"], service_name="shop")
    place.desk.undo()
    assert "paths: [x]" in more.read_text()


def test_line_ends_and_byte_order_mark_stay(place: Place) -> None:
    data = b"\xef\xbb\xbf" + CONFIG.replace("\n", "\r\n").encode()
    place.config.write_bytes(data)
    edit(place, sources__app__start_at="end", service_name="shop")
    after = place.config.read_bytes()
    assert after.startswith(b"\xef\xbb\xbf")
    assert after.count(b"\n") == after.count(b"\r\n") == data.count(b"\n") + 2


def test_diffs_show_no_secret(place: Place) -> None:
    text = CONFIG + "tags: {api_token: hush-hush-1}\n"
    place.write(text)
    done = place.desk.apply(text.replace("hush-hush-1", "hush-hush-2"), place.desk.text().hash)
    history = place.desk.versions()
    for diff in (done.diff, history.versions[0].diff):
        assert diff.count("***") == 2
        assert "hush" not in diff
    checked = place.desk.check("tags:\n  password: hush\n  - x")
    assert "hush" not in checked.diff
    assert "hush" not in str(checked.problems)


def test_the_history_is_private_and_bounded(place: Place) -> None:
    history, texts = place.desk.history, [b"%d" % number for number in range(MOST + 6)]
    for before, after in itertools.pairwise(texts):
        with history.changing():
            history.add("one", [(place.config, before, after)])
    versions = history.versions()
    assert len(versions) == MOST
    assert versions[-1].number == MOST + 5
    assert history.data(versions[0].files[0].before) == texts[5]
    folder = place.folder / "state" / "config"
    for path in [folder, *folder.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert len(list((folder / "texts").iterdir())) == MOST + 1


def test_a_history_of_large_files_is_bounded_by_their_bytes(place: Place) -> None:
    history = place.desk.history
    for number in range(20):
        history.add("large", [(place.config, b"%02d" % number * 2**19, b"%02d" % (number + 1) * 2**19)])
    assert len(history.versions()) == 15
    assert sum(path.stat().st_size for path in (place.folder / "state").rglob("*")) < MOST_BYTES + 2**20


def test_a_change_that_was_noted_and_never_made_is_not_taken_back(place: Place) -> None:
    edit(place, service_name="shop")
    there = ConfigFile.read(place.config)
    History(place.folder / "state").add("killed", [(place.config, there.data, b"never")])
    assert place.desk.undo().version == 1
    assert place.text() == CONFIG
