"""The agent's id is kept twice, and survives the loss of either file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from yaat_core import identity
from yaat_core.errors import StoreDamaged

FILES = [identity.FILE, identity.COPY]


def load(folder: Path) -> tuple[bytes, list[str]]:
    told: list[str] = []
    return identity.load_or_make(folder, told.append), told


def test_made_once(tmp_path: Path) -> None:
    assert identity.known(tmp_path) is None
    assert identity.known(tmp_path / "nothing") is None
    made, told = load(tmp_path)
    assert told == []
    assert load(tmp_path) == (made, [])
    assert identity.known(tmp_path) == made
    assert {path.name for path in tmp_path.iterdir()} == set(FILES)
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in tmp_path.iterdir())


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["empty", "cut", "digit", "list"])
def test_a_damaged_file_is_written_again(tmp_path: Path, name: str, damage: str) -> None:
    made, _ = load(tmp_path)
    path = tmp_path / name
    whole = path.read_text()
    digit = "1" if made.hex()[0] == "0" else "0"
    path.write_text(
        {
            "empty": "",
            "cut": whole[: len(whole) // 2],
            "digit": whole.replace(made.hex(), digit + made.hex()[1:]),
            "list": "[]",
        }[damage]
    )
    assert identity.known(tmp_path) == made
    again, told = load(tmp_path)
    assert again == made
    assert [f"{path} was damaged" in text for text in told] == [True]
    assert path.read_text() == whole
    assert load(tmp_path) == (made, [])


def test_a_missing_file_is_written_again(tmp_path: Path) -> None:
    made, _ = load(tmp_path)
    (tmp_path / identity.FILE).unlink()
    again, told = load(tmp_path)
    assert again == made
    assert "was gone" in told[0]


def test_one_file_without_a_checksum_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / identity.FILE).write_text(json.dumps({"agent_id": "ab" * 16}))
    assert load(tmp_path) == (b"\xab" * 16, [])
    assert (tmp_path / identity.COPY).exists()


def test_both_damaged(tmp_path: Path) -> None:
    load(tmp_path)
    for name in FILES:
        (tmp_path / name).write_text("{")
    with pytest.raises(StoreDamaged, match=r"agent\.json is damaged"):
        load(tmp_path)
    with pytest.raises(StoreDamaged):
        identity.known(tmp_path)
