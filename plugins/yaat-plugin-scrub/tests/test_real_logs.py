"""False finds of the set `secrets` on lines that real programs on this machine wrote: under one in a thousand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

#: Lines that a place needs, so that one find does not decide.
LEAST = 1_000
MOST = 20_000
SHARE = 0.001


def python_lines() -> list[str]:
    """What Python says of every module that it loads: paths, names, addresses of memory."""
    modules = (
        "asyncio, ctypes.util, decimal, ssl, sqlite3, email.mime.text, http.server, logging.config, "
        "unittest, xml.dom.minidom, pyarrow.compute, duckdb, trio"
    )
    done = subprocess.run(
        [sys.executable, "-v", "-c", f"import {modules}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stderr.splitlines()[:MOST]


def lines_of(folder: Path) -> list[str]:
    """Logs of package managers, servers and the system, as far as this user may read them."""
    lines: list[str] = []
    for path in sorted(folder.rglob("*.log")):
        if path.is_file() and path.stat().st_size < 64 << 20:
            try:
                lines += path.read_text(errors="replace").splitlines()[:MOST]
            except PermissionError:
                continue
    return lines


def check(bench: Any, lines: list[str]) -> None:
    after = bench.messages(bench.scrub(detectors=("secrets",)), *lines)
    found = [(a, b) for a, b in zip(lines, after, strict=True) if a != b]
    assert len(found) < SHARE * len(lines), found[:5]


def test_what_python_says_of_its_imports(bench: Any) -> None:
    lines = python_lines()
    assert len(lines) > LEAST
    check(bench, lines)


def test_the_logs_of_this_machine(bench: Any) -> None:
    lines = lines_of(Path("/var/log"))
    if len(lines) < LEAST:
        pytest.skip(f"only {len(lines)} lines can be read below /var/log")
    check(bench, lines)


def test_the_journal_of_this_machine(bench: Any) -> None:
    try:
        done = subprocess.run(
            ["journalctl", "-o", "short-iso", "-n", str(MOST), "--no-pager"],
            capture_output=True,
            timeout=60,
            check=False,
        )
    except FileNotFoundError:
        pytest.skip("no journalctl")
    lines = done.stdout.decode(errors="replace").splitlines()
    if len(lines) < LEAST:
        pytest.skip(f"only {len(lines)} lines in the journal")
    check(bench, lines)
