"""`yaat flare` and `yaat diagnose` on a terminal, against a small agent, and where no redaction plugin is."""

from __future__ import annotations

import os
import pty
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest
from support import small_agent
from support.small_agent import SmallAgent


@pytest.fixture
def agent(yaat: Any) -> Iterator[SmallAgent]:
    with small_agent.serving(SmallAgent(), yaat.state_dir) as agent:
        yield agent


def test_the_agent_gives_the_files_and_the_command_packs_them(yaat: Any, agent: SmallAgent) -> None:
    done = yaat("flare", "--yes", "-o", "out.tar.gz", "--json")
    assert done.code == 0, done.err
    assert done.document["files"] == [
        {"name": "a.txt", "why": "to see", "bytes": 3, "redacted": {"email": 1}}
    ]
    assert done.document["written"] == "out.tar.gz"
    with tarfile.open(yaat.folder / "out.tar.gz") as archive:
        assert archive.getnames() == ["out/CONTENTS.txt", "out/a.txt"]
        assert archive.extractfile("out/a.txt").read() == b"abc"  # type: ignore[union-attr]


def test_without_a_redaction_plugin_texts_stay_out(yaat: Any) -> None:
    done = yaat("flare", "--dry-run", "--json")
    assert done.code == 0, done.err
    assert not done.document["scanned"]
    assert [one["name"] for one in done.document["files"]] == ["environment.json"]
    left = {one["name"]: one["why"] for one in done.document["left_out"]}
    assert {"diagnose.json", "configuration.json", "plugins.json"} <= set(left)
    assert "can't be scanned" in left["configuration.json"]
    assert "no redaction plugin is installed" in yaat("flare", "--dry-run").text


@pytest.mark.parametrize(("answer", "code"), [(b"n\n", 130), (b"y\n", 0)])
def test_a_person_is_asked(yaat: Any, agent: SmallAgent, answer: bytes, code: int) -> None:
    ours, theirs = pty.openpty()
    process = yaat.start("flare", "-o", "asked.tar.gz", stdin=theirs)
    os.close(theirs)
    os.write(ours, answer)
    out, err = process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == code, err
    assert b"a.txt" in out
    assert b"Write asked.tar.gz?" in err
    assert (yaat.folder / "asked.tar.gz").exists() == (code == 0)


def test_it_can_not_be_written(yaat: Any) -> None:
    done = yaat("flare", "--yes", "-o", "nowhere/out.tar.gz")
    assert done.code == 2
    assert "nowhere/out.tar.gz can't be written" in done.err


def test_diagnose_shows_groups_with_sign_and_word(yaat: Any) -> None:
    yaat.configure("words: [one, two]", "words: [one], unreadable: true")
    done = yaat("diagnose", "--color", "never")
    assert done.code == 3
    assert "looked at by this command, with this user's rights" in done.text
    for title in ("Configuration", "Plugins", "Sources", "Sinks", "Disk", "Clock", "Limits", "Environment"):
        assert f"\n{title}\n" in done.text
    assert "✗ error    sources.app: can't read the words\n             fix: chmod +r words" in done.text
    assert "✓ ok       sinks.local: numbers" in done.text
    few = yaat("diagnose", "--problems", "--color", "never").text
    assert "✗ error    sources.app" in few
    assert "✓ ok" not in few
    assert "\nEnvironment\n" not in few


def test_a_check_that_raises_is_a_finding(yaat: Any) -> None:
    yaat.configure("words: [one, two]", "words: [one], hangs: true")
    checks = {one["name"]: one for one in yaat("diagnose", "--json").document["checks"]}
    assert "its check failed: RuntimeError: boom" in checks["sources.app"]["what"]
    assert checks["sources.app"]["level"] == "error"
