"""What a file began with is known again after a restart in its middle, to the format that learns from it."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from support.agents import yaat, yaat_json

from yaat_core.testing import RecordingOutlet, make_context
from yaat_plugin_file.config import FileConfig
from yaat_plugin_file.source import FileSource


async def openings(
    folder: Path, stored: dict[bytes, bytes], **options: Any
) -> tuple[list[str], dict[bytes, bytes]]:
    """Of each batch that one run of the source sends, and what is stored then."""
    outlet = RecordingOutlet(stored)
    config = FileConfig(**{"paths": ("app.log*",), "exclude": ("*.zip",), **options})
    await FileSource(config, make_context(folder, "sources.app", once=True)).run(outlet)
    return [one.batch.labels.opening for one in outlet.sent if len(one.batch)], outlet.stored()


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("a,b\n1,2\n", "a,b"),
        ("a,b\r\n1,2\r\n", "a,b"),
        ("\ufeffä,b\n1,2\n", "ä,b"),
        ("#Version: 1.0\n#Fields: a b\n1 2\n3 4\n", "#Version: 1.0\n#Fields: a b\n1 2\n#Fields: a b"),
        (
            "#Fields: a\n" + "1\n" * 1_000_000 + "#Fields: b c\r\n" + "2 3\n" * 700_000,
            "#Fields: a\n1\n#Fields: b c",
        ),
        ("x" * 10_000 + "\n", ""),
        ("\n\n", ""),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16le"])
async def test_the_beginning_comes_with_the_first_batch_after_a_restart(
    tmp_path: Path, before: str, expected: str, encoding: str
) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(before.encode(encoding))
    first, stored = await openings(tmp_path, {}, encoding=encoding)
    assert set(first) == {""}, "who reads from the beginning needs none"
    with log.open("ab") as file:
        file.write("later\n".encode(encoding))
    assert (await openings(tmp_path, stored, encoding=encoding))[0] == [expected]


async def test_of_a_file_that_is_read_from_its_end(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("a,b\n1,2\n")
    _, stored = await openings(tmp_path, {}, start_at="end")
    with log.open("a") as file:
        file.write("3,4\n")
    assert (await openings(tmp_path, stored, start_at="end"))[0] == ["a,b"]


async def test_of_a_compressed_file_that_another_run_began(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("a,b\n1,2\n")
    _, stored = await openings(tmp_path, {})
    (tmp_path / "app.log.1.gz").write_bytes(gzip.compress(b"a,b\n1,2\n3,4\n"))
    log.unlink()
    assert (await openings(tmp_path, stored))[0] == ["a,b"]


def test_lines_are_parsed_by_their_header_after_a_restart(tmp_path: Path) -> None:
    config, log = tmp_path / "yaat.yaml", tmp_path / "app.csv"
    config.write_text(
        'state_dir: state\nhealth: {listen: "off"}\n'
        "sources: {app: {type: file, paths: [app.csv], format: csv}}\n"
    )
    for lines in ("level,message\nwarn,one\n", "error,two\n"):
        with log.open("a") as file:
            file.write(lines)
        done = yaat("run", "--once", "-c", str(config), timeout=120)
        assert done.returncode == 0, done.stderr
    rows = yaat_json("query", "-c", str(config), "SELECT level, message FROM events WHERE level IS NOT NULL")
    found = {(row["level"], row["message"]) for row in rows}
    assert {("warning", "one"), ("error", "two")} <= found
