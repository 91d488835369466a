"""After a boot a device may have another number: what was read before is not read again, and nothing is left out."""

from __future__ import annotations

import json

import pytest
from support.tails import Tail, append, lines


@pytest.fixture
def tail(tmp_path):
    made = Tail(tmp_path)
    yield made
    made.follower.close()


def boot(tail):
    """Stop, and start on a machine that numbers its devices in another way: what is stored has the old number."""
    tail.follower.close()
    for key, value in tail.stored.items():
        document = json.loads(value)
        if isinstance(document, dict):
            tail.stored[key] = json.dumps({**document, "dev": document["dev"] + 7}).encode()
    tail.start()


def test_it_goes_on_where_it_was(tail, tmp_path):
    append(tmp_path / "app.log", *lines("a", 5))
    tail.go()
    boot(tail)
    append(tmp_path / "app.log", *lines("a", 3, 5))
    assert tail.go(2) == lines("a", 8)
    boot(tail)
    assert tail.go(2) == lines("a", 8)


def test_rotated_meanwhile(tail, tmp_path):
    append(tmp_path / "app.log", *lines("a", 5))
    tail.go()
    append(tmp_path / "app.log", "late")
    (tmp_path / "app.log").rename(tmp_path / "app.log.1")
    append(tmp_path / "app.log", *lines("b", 3))
    boot(tail)
    assert sorted(tail.go(2)) == sorted([*lines("a", 5), "late", *lines("b", 3)])


def test_another_file_with_the_same_inode_is_read(tail, tmp_path):
    append(tmp_path / "app.log", *lines("a", 5))
    tail.go()
    boot_of_another_disk = tmp_path / "app.log"
    boot_of_another_disk.write_text("".join(f"{line}\n" for line in lines("other", 9)))
    boot(tail)
    assert sorted(tail.go(2)) == sorted([*lines("a", 5), *lines("other", 9)])
