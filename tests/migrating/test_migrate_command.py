"""`yaat config migrate`, as a user runs it; what it makes runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.agents import yaat, yaat_json

from .conftest import EVERYTHING, KEY, LOCAL_ONLY


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.yaml"
    path.write_text(EVERYTHING)
    return path


def test_the_file_to_stdout_and_the_report_beside_it(old: Path, tmp_path: Path) -> None:
    done = yaat("config", "migrate", str(old))
    assert done.returncode == 0, done.stderr
    assert KEY not in done.stdout + done.stderr
    new = tmp_path / "yaat.yaml"
    new.write_text(done.stdout)
    valid = yaat("validate", "--offline", "-c", str(new), YAAT_API_KEY=KEY)
    assert "not valid" not in valid.stdout
    assert valid.returncode in (0, 1), valid.stderr  # logs of this fixture are not on this machine
    assert "Not carried over" in done.stderr
    assert "proxy: there is no proxy" in done.stderr
    assert "the key in line 3 of the old file has to be ${env:YAAT_API_KEY}" in done.stderr


def test_the_output_is_for_its_owner_and_never_overwritten(old: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.yaml"
    first = yaat_json("config", "migrate", str(old), "--output", str(new))
    assert first["written"] is True
    assert new.read_text() == first["text"]
    assert new.stat().st_mode & 0o777 == 0o600
    again = yaat("config", "migrate", str(old), "--output", str(new))
    assert again.returncode == 2
    assert "is there already" in again.stderr
    assert yaat("config", "migrate", str(old), "-o", str(old)).returncode == 2
    assert old.read_text() == EVERYTHING


def test_a_dry_run_writes_nothing(old: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.yaml"
    done = yaat("config", "migrate", str(old), "--dry-run", "--output", str(new))
    assert done.returncode == 0
    assert "nothing was written" in done.stdout
    assert not new.exists()


def test_a_key_given_for_a_reference_is_not_repeated(old: Path) -> None:
    done = yaat("config", "migrate", str(old), "--key-reference", KEY)
    assert done.returncode == 2
    assert KEY not in done.stdout + done.stderr


def test_our_own_file_needs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "yaat.yaml"
    path.write_text("version: 1\n")
    done = yaat("config", "migrate", str(path))
    assert done.returncode == 0
    assert "nothing to do" in done.stdout
    path.write_text("version: 7\n")
    assert "only version 1" in yaat("config", "migrate", str(path)).stderr


def test_what_was_migrated_runs(tmp_path: Path) -> None:
    old = tmp_path / "old.yaml"
    old.write_text(LOCAL_ONLY)
    (tmp_path / "app.log").write_text(
        "[2026-10-26 10:30:15,123] ERROR [django.request] no stock for order-17\n"
        "Traceback (most recent call last):\n"
        '  File "/srv/shop/views.py", line 12, in buy\n'
        "ValueError: empty\n"
        "[2026-10-26 10:30:16,001] INFO [shop] done\n"
    )
    new = tmp_path / "yaat.yaml"
    made = yaat("config", "migrate", str(old), "-o", str(new), "--start-at", "beginning")
    assert made.returncode == 0, made.stderr
    new.write_text(new.read_text() + "state_dir: state\n")
    done = yaat("run", "--once", "-c", str(new), timeout=120)
    assert done.returncode == 0, done.stderr
    sql = "SELECT service_name, level, message, stacktrace <> '' AS trace FROM logs ORDER BY timestamp"
    rows = json.loads(yaat("query", "-c", str(new), sql, "--json").stdout)
    assert [row["service_name"] for row in rows] == ["desk", "desk"]
    assert "no stock for [ORDER]" in rows[0]["message"]
    assert (rows[0]["level"], rows[0]["trace"]) == ("error", True)
