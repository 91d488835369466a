"""`yaat query` without an agent: the sink's hook answers here."""

from __future__ import annotations

import csv
import io
import json
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from yaat_core.control.lock import StateLock


def test_a_table(yaat: Any) -> None:
    done = yaat("query", "numbers 3")
    assert done.text.splitlines() == ["n  text", "0", "1  =t1\\x1b", "2  =t2\\x1b"]
    assert (done.code, done.err) == (0, "")


def test_nothing_is_cut_in_a_pipe_and_all_rows_come(yaat: Any) -> None:
    lines = yaat("query", "numbers 2500", COLUMNS="10").text.splitlines()
    assert len(lines) == 2501
    assert lines[-1].split() == ["2499", "=t2499\\x1b"]


def test_json_is_a_list_of_objects(yaat: Any) -> None:
    for args in (["--json"], ["--format", "json"]):
        rows = yaat("query", "numbers 1500", *args).document
        assert len(rows) == 1500
        assert rows[:2] == [{"n": 0, "text": None}, {"n": 1, "text": "=t1\x1b"}]
    assert yaat("query", "numbers 0", "--json").document == []


def test_csv(yaat: Any) -> None:
    rows = list(csv.reader(io.StringIO(yaat("query", "numbers 2", "--format", "csv").text)))
    assert rows == [["n", "text"], ["0", ""], ["1", "=t1\x1b"]]
    safe = list(csv.reader(io.StringIO(yaat("query", "numbers 2", "--format", "csv", "--csv-safe").text)))
    assert safe[2] == ["1", "'=t1\x1b"]


def test_arrow_and_parquet_through_a_pipe_and_into_a_file(yaat: Any) -> None:
    piped = pa.ipc.open_stream(yaat("query", "numbers 2500", "--format", "arrow").out).read_all()
    assert piped.column("n").to_pylist() == list(range(2500))
    piped = pq.read_table(io.BytesIO(yaat("query", "numbers 2500", "--format", "parquet").out))
    assert piped.num_rows == 2500
    for form in ("arrow", "parquet", "csv", "json", "table"):
        done = yaat("query", "numbers 10", "--format", form, "-o", f"rows.{form}")
        assert (done.code, done.out) == (0, b""), done
    assert pq.read_table(yaat.folder / "rows.parquet").num_rows == 10
    assert len(json.loads((yaat.folder / "rows.json").read_text())) == 10


def test_a_file_that_is_not_complete_does_not_stay(yaat: Any) -> None:
    (yaat.folder / "rows.csv").write_text("before")
    done = yaat("query", "broken 5", "--format", "csv", "-o", "rows.csv")
    assert done.code == 1
    assert sorted(path.name for path in yaat.folder.iterdir()) == ["rows.csv", "yaat.yaml"]
    assert (yaat.folder / "rows.csv").read_text() == "before"
    assert yaat("query", "numbers 1", "-o", "no/such/folder").code == 2


def test_the_limit_and_its_note(yaat: Any) -> None:
    done = yaat("query", "numbers 20", "--limit", "5", "--json")
    assert len(done.document) == 5
    assert "only the first 5 rows" in done.err


def test_sql_from_stdin(yaat: Any) -> None:
    assert yaat("query", "-", "--json", stdin="numbers 1\n").document == [{"n": 0, "text": None}]
    assert yaat("query", "-", stdin=" ").code == 2


def test_errors_leave_one_document(yaat: Any) -> None:
    broken = yaat("query", "broken 5", "--json")
    assert broken.code == 1
    assert broken.document["error"] == {"code": "YAAT-E602", "what": "the disk went away"}
    assert yaat("query", "slow 5", "--json").code == 124
    streamed = yaat("query", "broken 5", "--format", "json")
    assert streamed.code == 1
    assert len(streamed.document) == 5
    assert "the disk went away" in streamed.err
    crashed = yaat("query", "crash 1")
    assert crashed.code == 1
    assert "YAAT-E000" in crashed.err
    assert "Traceback" not in crashed.err
    assert "Traceback" in yaat("query", "crash 1", YAAT_DEBUG="1").err


def test_contradictions_are_refused(yaat: Any) -> None:
    assert yaat("query", "numbers 1", "--json", "--format", "csv").code == 2
    assert yaat("query", "numbers 1", "--json", "-o", "x").code == 2


def test_the_sink_is_chosen_by_name(yaat: Any) -> None:
    assert yaat("query", "numbers 1", "--sink", "local").code == 0
    done = yaat("query", "numbers 1", "--sink", "nobody")
    assert done.code == 2
    assert "configured: local" in done.err


def test_while_somebody_holds_the_state_directory_nothing_is_opened(yaat: Any) -> None:
    with StateLock(yaat.state_dir):
        done = yaat("query", "numbers 1", "--json")
    assert done.code == 3
    assert "holds the state directory" in done.document["error"]["what"]
    assert yaat("query", "numbers 1").code == 0


def test_an_agent_that_is_just_stopping_is_waited_for(yaat: Any) -> None:
    with StateLock(yaat.state_dir) as lock:
        threading.Timer(1.0, lock.__exit__, (None, None, None)).start()
        assert yaat("query", "numbers 1", "--json").document == [{"n": 0, "text": None}]


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_no_binary_on_a_terminal(yaat: Any, form: str) -> None:
    from yaat_core.cli.door import Door
    from yaat_core.cli.query import _form
    from yaat_core.errors import UsageError

    class OnTerminal(Door):
        on_terminal = True

    with pytest.raises(UsageError, match="no text for a terminal"):
        _form(OnTerminal(), form, None)
    assert _form(OnTerminal(), form, Path("x")) == form
