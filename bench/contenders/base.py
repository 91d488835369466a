"""What a contender is, and how what it wrote is checked."""

from __future__ import annotations

import abc
import re
from pathlib import Path

import duckdb

import data
from measure import Run

BENCH = Path(__file__).resolve().parent.parent
#: Where bench/peers/build leaves what it builds.
PEERS = BENCH.parent / ".cache" / "peers"

_ITEM = re.compile(rb" for item (\d+)")
_CHUNK = 1 << 20


class Contender(abc.ABC):
    """One way from the file to somewhere durable."""

    name: str
    what: str
    on_request = False
    """True: so slow that it runs only when it is named."""

    @abc.abstractmethod
    def run(self, source: Path, folder: Path) -> Run:
        """Do it once."""

    @abc.abstractmethod
    def check(self, folder: Path, lines: int) -> None:
        """Raise AssertionError when what came out is not what went in, redacted where it redacts."""

    def missing(self) -> str | None:
        """What to install or build first; None when nothing is missing."""
        return None


class ItemCounter:
    """Counts the log lines (by a text that each holds) in a growing file, in whatever form, reading each byte once."""

    def __init__(self, path: Path, mark: bytes = data.MARK) -> None:
        self._path, self._mark, self._read, self._found = path, mark, 0, 0
        self._tail = b""

    def count(self) -> int:
        """Lines so far; 0 while there is no file."""
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._read)
                while chunk := file.read(_CHUNK):
                    self._read += len(chunk)
                    text = self._tail + chunk
                    self._found += text.count(self._mark)
                    self._tail = text[-(len(self._mark) - 1) :]
        return self._found


def check_text(path: Path, lines: int, *, redacted: bool) -> None:
    """Every line once in a text file of JSON; with ``redacted``, no secret."""
    seen = bytearray(lines)
    foreign = secrets = 0
    with path.open("rb") as file:
        for line in file:
            secrets += line.count(data.CANARY.encode())
            for found in _ITEM.finditer(line):
                number = int(found[1])
                if number < lines:
                    seen[number] = min(seen[number] + 1, 255)
                else:
                    foreign += 1
    lost, twice = seen.count(0), sum(1 for times in seen if times > 1)
    assert (lost, twice, foreign) == (0, 0, 0), (
        f"{path.name}: of {lines} lines {lost} lost, {twice} more than once, {foreign} made up"
    )
    if redacted:
        assert not secrets, f"{path.name}: {secrets} secrets left"


def check_database(files: list[Path], lines: int) -> None:
    """Every line once in the `events` of all ``files`` together, each with an id of its own and without secrets."""
    with duckdb.connect() as connection:
        for number, file in enumerate(files):
            connection.execute(f"ATTACH '{file}' AS part_{number} (READ_ONLY)")
        events = " UNION ALL ".join(f"FROM part_{number}.events" for number in range(len(files)))
        counted = connection.execute(
            "SELECT count(*), count(*) FILTER (message LIKE '%' || ? || '%'), count(DISTINCT event_id), "
            f"count(DISTINCT regexp_extract(message, ' for item (\\d+)', 1)) FROM ({events})",
            [data.CANARY],
        ).fetchall()
    assert counted == [(lines, 0, lines, lines)], (
        f"{files[0].name}: rows, secrets left, ids, items: {counted[0]}, expected {lines}, 0, {lines}, {lines}"
    )
