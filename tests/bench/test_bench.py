"""The benchmark itself: everyone's configuration works, what came out is checked, and the checks can fail. No figure counts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture
def contenders(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The package `contenders`, as bench/run.py finds it; nothing of it stays imported."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(BENCH))
    import contenders

    yield contenders
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None)
        if file and Path(file).is_relative_to(BENCH):
            del sys.modules[name]


def ran(script: str, results: Path, *arguments: str) -> tuple[str, dict[str, Any]]:
    """What it printed, and the one document that it saved."""
    command = [sys.executable, str(BENCH / script), "--results", str(results), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    [document] = results.iterdir()
    return done.stdout, json.loads(document.read_text(encoding="utf-8"))


@pytest.mark.faults
@pytest.mark.parametrize(
    "name", ["yaat", "duckdb", "yaat-queue", "rsyslog", "syslog-ng", "otelcol", "otelcol-sync"]
)
def test_a_contender_delivers_every_line(name: str, contenders: Any, tmp_path: Path) -> None:
    [one] = [one for one in contenders.everyone() if one.name == name]
    if missing := one.missing():
        pytest.skip(f"{name} is not there; to have it: {missing}")
    table, document = ran("run.py", tmp_path, "--lines", "2000", "--rounds", "1", "--only", name)
    assert table.splitlines()[1].split()[:2] == [name, "1.00"]
    [result] = document["results"]
    assert (document["benchmark"], document["arguments"]["lines"]) == ("files", 2000)
    assert len(result["runs"]) == len(result["idle_runs"]) == 1
    run = result["runs"][0]
    assert run["cpu_seconds"] > 0
    assert run["max_rss_mib"] > 1


@pytest.mark.faults
def test_volumes(tmp_path: Path) -> None:
    table, document = ran(
        "run.py", tmp_path, "--volumes", "--lines", "20", "--rounds", "1", "--only", "duckdb"
    )
    assert [row.split()[1] for row in table.splitlines()[1:4]] == ["1x", "10x", "100x"]
    [result] = document["results"]
    assert [one["lines"] for one in result["volumes"]] == [20, 200, 2000]
    assert result["volumes"][0]["rss_ratio"] == 1


@pytest.mark.faults
def test_host_metrics(tmp_path: Path) -> None:
    table, document = ran(
        "hostmetrics_run.py",
        tmp_path,
        *["--intervals", "0.2", "--seconds", "2", "--settle", "5", "--only", "yaat", "telegraf"],
    )
    ours, *others = document["results"]
    assert table.splitlines()[1].split()[:3] == ["yaat", "0.2s", "1.00"]
    assert ours["metrics"] > 30
    assert all(one["metrics"] > 30 for one in others), "Telegraf tells of something, when it is there"
    assert all(one["rounds"] == pytest.approx(ours["rounds"]) for one in others)


@pytest.mark.faults
def test_idle(tmp_path: Path) -> None:
    options = ["--seconds", "1", "--settle", "0", "--appends", "3", "--pause", "0.1"]
    printed, document = ran("idle_run.py", tmp_path, *options)
    figures = document["results"]
    assert json.loads(printed)["core_share"] == round(figures["core_share"], 5)
    assert len(figures["latencies"]) == 3
    assert 0 < min(figures["latencies"]) <= figures["visible_p50_seconds"] <= figures["visible_p95_seconds"]
    assert figures["visible_p95_seconds"] <= figures["visible_max_seconds"] == max(figures["latencies"])


@pytest.mark.faults
def test_cloud(tmp_path: Path) -> None:
    table, document = ran("cloud_run.py", tmp_path, "--lines", "2000", "--rounds", "1")
    assert [row.split()[0] for row in table.splitlines()[1:4]] == ["gzip", "sink", "yaat"]
    assert all(len(times) == 1 and min(times[0]) > 0 for times in document["seconds"].values())


def test_a_program_that_fails_is_told_with_what_it_said(contenders: Any, tmp_path: Path) -> None:
    import measure

    said = ["sh", "-c", "echo no such option; exit 3"]
    with pytest.raises(measure.RunFailed, match=r"ended with 3:\nno such option"):
        measure.run(said, tmp_path / "log")
    server = measure.Server(said, tmp_path / "log")
    with pytest.raises(measure.RunFailed, match=r"does not listen:\nno such option"):
        server.wait_for(lambda: False, seconds=60, what="does not listen")
    with pytest.raises(measure.RunFailed, match="ended with -9"):
        measure.run(["sleep", "1000"], tmp_path / "log", timeout=0.1)


@pytest.mark.parametrize(
    ("items", "more", "told"),
    [
        ([0, 1, 2], "", None),
        ([0, 2], "", "1 lost, 0 more than once, 0 made up"),
        ([0, 1, 1, 2], "", "0 lost, 1 more than once, 0 made up"),
        ([0, 1, 2, 3], "", "0 lost, 0 more than once, 1 made up"),
        ([0, 1, 2], " password=canary1", "3 secrets left"),
    ],
)
def test_what_is_wrong_in_a_text_file_is_told(
    items: list[int], more: str, told: str | None, contenders: Any, tmp_path: Path
) -> None:
    base = contenders.base
    out = tmp_path / "out.json"
    # As the collector writes it: several on one line.
    out.write_text(" ".join(f'{{"message":"took 5 ms for item {number}{more}"}}' for number in items))
    assert base.ItemCounter(out).count() == len(items)
    if told is None:
        base.check_text(out, 3, redacted=True)
        return
    with pytest.raises(AssertionError, match=told):
        base.check_text(out, 3, redacted=True)
    if more:
        base.check_text(out, 3, redacted=False)


def test_a_growing_file_is_counted_across_pieces(contenders: Any, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    counter = contenders.base.ItemCounter(out)
    assert counter.count() == 0
    counts = []
    for piece in ("a for it", "em 1 for ite", "m", " 2 for item 3", " "):
        with out.open("a") as file:
            file.write(piece)
        counts.append(counter.count())
    assert counts == [0, 1, 1, 3, 3]


@pytest.mark.parametrize("wrong", ["", "lost", "twice", "secret", "id"])
def test_what_is_wrong_in_a_database_is_told(wrong: str, contenders: Any, tmp_path: Path) -> None:
    numbers = {"lost": [0, 1], "twice": [0, 1, 1]}.get(wrong, [0, 1, 2])
    with duckdb.connect(str(tmp_path / "a.duckdb")) as connection:
        connection.execute("CREATE TABLE events (event_id INTEGER, message VARCHAR)")
        for place, number in enumerate(numbers):
            message = f"took 5 ms for item {number}" + (" password=canary1" if wrong == "secret" else "")
            connection.execute("INSERT INTO events VALUES (?, ?)", [0 if wrong == "id" else place, message])
    if not wrong:
        contenders.base.check_database([tmp_path / "a.duckdb"], 3)
        return
    with pytest.raises(AssertionError, match=r"rows, secrets left, ids, items: .* expected 3, 0, 3, 3"):
        contenders.base.check_database([tmp_path / "a.duckdb"], 3)


@pytest.mark.parametrize(
    "told",
    [
        {"rows": 2, "secrets": 0, "first": 1, "last": 2},
        {"rows": 3, "secrets": 1, "first": 1, "last": 3},
        {"rows": 3, "secrets": 0, "first": 1, "last": 4},
    ],
)
def test_what_is_wrong_behind_the_queue_is_told(
    told: dict[str, int], contenders: Any, tmp_path: Path
) -> None:
    [queue] = [one for one in contenders.everyone() if one.name == "yaat-queue"]
    (tmp_path / "report.json").write_text(json.dumps(told))
    with pytest.raises(AssertionError, match="came out of the queue"):
        queue.check(tmp_path, 3)
