"""A file that one source followed goes on in another: nothing is read twice, nothing is left out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from yaat_core.components import Neighbour
from yaat_core.stats import Stats
from yaat_core.testing import RecordingOutlet, make_context
from yaat_plugin_file.config import FileConfig
from yaat_plugin_file.source import FileSource

Stored = dict[bytes, bytes]
ALL: dict[str, Any] = {"paths": ("logs/**/*.log",)}
WITHOUT: dict[str, Any] = {**ALL, "exclude": ("logs/shop/*",)}
SHOP: dict[str, Any] = {"paths": ("logs/shop/sold.log",)}


class Machine:
    """A folder, and what each source has stored; sources run one after the other, as the agent's restarts would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stored: dict[str, Stored] = {}
        self.stats = Stats()
        (folder / "logs/shop").mkdir(parents=True)
        self.log = folder / "logs/shop/sold.log"

    def write(self, *lines: str) -> None:
        with self.log.open("a") as file:
            file.write("".join(f"{line}\n" for line in lines))

    async def read(
        self, name: str, options: Mapping[str, Any], **others: Mapping[str, Any] | None
    ) -> list[str]:
        """One run of a source, beside ``others`` (None: gone from the configuration); the lines that it read."""
        beside = [
            Neighbour(
                options=None if one is None else FileConfig(**one), checkpoints=self.stored.get(other, {})
            )
            for other, one in others.items()
        ]
        outlet = RecordingOutlet(self.stored.get(name, {}), neighbours=beside)
        context = make_context(self.folder, f"sources.{name}", once=True, stats=self.stats)
        await FileSource(FileConfig(**options), context).run(outlet)
        self.stored[name] = outlet.stored()
        return [str(event.message) for event in outlet.events()]

    def count(self, name: str) -> float:
        return sum(one.value for one in self.stats.snapshot() if one.name == f"yaat_file_{name}")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("start_at", ["beginning", "end"])
async def test_a_new_source_goes_on_where_the_one_before_stopped(machine: Machine, start_at: str) -> None:
    machine.write("a", "b")
    assert await machine.read("logs", ALL) == ["a", "b"]
    machine.write("c")
    assert await machine.read("shop", {**SHOP, "start_at": start_at}, logs=WITHOUT) == ["c"]
    assert await machine.read("logs", WITHOUT, shop=SHOP) == []
    assert machine.count("truncations_total") == 0


async def test_there_and_back_again(machine: Machine) -> None:
    """A service that is found at one start and not at the next."""
    machine.write("a")
    assert await machine.read("logs", ALL) == ["a"]
    for number in range(3):
        machine.write(f"shop {number}")
        assert await machine.read("shop", SHOP, logs=WITHOUT) == [f"shop {number}"]
        machine.write(f"logs {number}")
        assert await machine.read("logs", ALL, shop=None) == [f"logs {number}"]
    assert machine.count("truncations_total") == 0
    assert machine.count("unread_bytes_total") == 0


async def test_what_is_quiet_keeps_its_place_without_the_other_source(machine: Machine) -> None:
    machine.write("a")
    assert await machine.read("logs", ALL) == ["a"]
    assert await machine.read("shop", SHOP, logs=WITHOUT) == []
    machine.stored.pop("logs")
    assert await machine.read("shop", SHOP) == []


async def test_two_sources_that_both_select_a_file_both_read_it(machine: Machine) -> None:
    machine.write("a")
    assert await machine.read("logs", ALL) == ["a"]
    assert await machine.read("shop", SHOP, logs=ALL) == ["a"]


async def test_a_file_that_is_another_one_is_read_whole(machine: Machine) -> None:
    machine.write("a", "b")
    assert await machine.read("logs", ALL) == ["a", "b"]
    machine.log.write_text("new\n")
    assert await machine.read("shop", SHOP, logs=WITHOUT) == ["new"]


async def test_what_was_rotated_meanwhile_is_read_to_its_end(machine: Machine) -> None:
    machine.write("a")
    assert await machine.read("logs", ALL) == ["a"]
    with machine.log.open("a") as file:
        file.write("unfinished")
    # The last run ends in the middle of a line: it was seen, and is not an event yet.
    key, value = next((key, value) for key, value in machine.stored["logs"].items() if key != b"patterns")
    machine.stored["logs"][key] = value.replace(b'"off":2', b'"off":2,"size":12')
    with machine.log.open("a") as file:
        file.write(" no more\n")
    machine.log.rename(machine.log.with_name("sold.log.1"))
    machine.write("new")
    assert sorted(await machine.read("shop", SHOP, logs=WITHOUT)) == ["new", "unfinished no more"]
    assert await machine.read("shop", SHOP, logs=WITHOUT) == []


async def test_what_is_gone_and_was_not_read_is_counted_once(machine: Machine) -> None:
    machine.write("a")
    await machine.read("logs", ALL)
    key, value = next((key, value) for key, value in machine.stored["logs"].items() if key != b"patterns")
    machine.stored["logs"][key] = value.replace(b'"off":2', b'"off":2,"size":12')
    machine.log.unlink()
    for _ in range(3):
        await machine.read("shop", SHOP, logs=WITHOUT)
    assert machine.count("unread_bytes_total") == 10


async def test_checkpoints_of_other_kinds_are_left_alone(machine: Machine) -> None:
    machine.write("a")
    machine.stored["containers"] = {b"log:1/stdout": b'{"created": 1}', b"x": b"\xff", b"patterns": b"[]"}
    assert await machine.read("shop", SHOP, containers=None) == ["a"]
