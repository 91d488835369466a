"""Files that were copied, restored, moved, or belong to somebody else: the position rule makes it right, or it is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from yaat_core.errors import StoreForeign
from yaat_plugin_duckdb.ledger import Owner

# --- strangers


def test_a_file_of_another_database_is_refused(bench: Any, make_bench: Any, tmp_path: Path) -> None:
    bench.fill(3)
    bench.close()
    (tmp_path / "other").mkdir()
    other = make_bench(tmp_path / "other")
    other.open()
    other.writer.holder.store.give_to(
        duckdb_owner(other, queue_id=b"queue-of-another")  # same agent and sink, another queue
    )
    other.close()
    shutil.copy(other.path, bench.path)
    with pytest.raises(StoreForeign, match="several databases") as caught:
        bench.open()
    assert caught.value.where == str(bench.path)
    bench.close()
    assert bench.path.read_bytes() == other.path.read_bytes(), "it was touched"


def duckdb_owner(bench: Any, queue_id: bytes) -> Any:
    context = bench.context
    return Owner(agent_id=context.agent_id, sink=str(context.id), queue_id=queue_id)


def test_a_file_in_the_wrong_place_is_refused(bench: Any) -> None:
    bench.fill(3)
    bench.close()
    second, fourth = bench.places.at(2).path, bench.places.at(4).path
    shutil.copy(second, fourth)
    with pytest.raises(StoreForeign, match="file 2 of a database lies in the place of file 4") as caught:
        bench.open()
    assert str(second) in caught.value.fix
    fourth.unlink()


# --- backups


def copy(bench: Any, to: Path) -> None:
    """As the README says: while the agent is stopped, the file and its folder."""
    to.mkdir()
    shutil.copy(bench.path, to)
    shutil.copytree(bench.places.folder, to / bench.places.folder.name)


def restore(bench: Any, backup: Path) -> None:
    bench.path.unlink()
    shutil.rmtree(bench.places.folder)
    shutil.copytree(backup, bench.path.parent, dirs_exist_ok=True)


def test_a_restored_backup_goes_on_from_its_own_position(bench: Any, tmp_path: Path) -> None:
    last = bench.fill(2)
    bench.close()
    copy(bench, tmp_path / "backup")
    bench.open()
    for first in range(last + 1, last + 400, 100):
        bench.deliver(first, 100)
        bench.writer.holder.store.rotate()
    bench.close()
    restore(bench, tmp_path / "backup")
    found = bench.open().position()
    assert found.sequence == last
    assert found.checkpoints["sources.app"][b"offset"].value == b"%d" % last
    bench.deliver(last - 20, 421)
    assert bench.writer.problems() == ()
    assert bench.sequences() == list(range(1, last + 401))


def test_moved_to_another_folder(make_bench: Any, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    bench = make_bench(old)
    old.mkdir()
    last = bench.fill(3)
    bench.close()
    old.rename(new)
    moved = make_bench(new)
    moved.open()
    assert moved.count() == last
    moved.deliver(last + 1, 10)
    assert moved.sequences() == list(range(1, last + 11))


def test_a_backup_over_newer_files_is_told(bench: Any, tmp_path: Path) -> None:
    """An older copy of the second file below a third one: what the copy lacks is in no file any more."""
    last = bench.fill(2)
    bench.close()
    older = bench.places.at(2).path.read_bytes()
    bench.open()
    bench.deliver(last + 1, 100)
    assert bench.writer.holder.store.rotate()
    bench.deliver(last + 101, 10)
    bench.close()
    bench.places.at(2).path.write_bytes(older)
    bench.open()
    assert f"{last + 1} to {last + 100}" in bench.told()
    assert bench.writer.position().sequence == last + 110


def test_an_older_copy_of_the_newest_file_alone(bench: Any) -> None:
    """Its position is its own; nothing of the files before it comes again."""
    last = bench.fill(3)
    bench.close()
    newest = bench.files()[-1]
    older = newest.read_bytes()
    bench.open()
    bench.deliver(last + 1, 50)
    bench.close()
    newest.write_bytes(older)
    assert bench.open().position().sequence == last
    bench.deliver(last + 1, 50)
    assert bench.sequences() == list(range(1, last + 51))
