"""Old events go, by age and by size, and what is left is the newest."""

from __future__ import annotations

import time
from typing import Any

import pytest

from yaat_plugin_duckdb import store


def test_age(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted from the time of storing; what was stored last goes, too, though nothing comes after it."""
    monkeypatch.setattr(store, "_AGE_STEP_US", 1)
    writer = bench.open(retention=0.8, checkpoint_interval=0.05)
    bench.deliver(1, 1000)
    time.sleep(0.5)
    bench.deliver(1001, 1000)
    writer.tidy()
    assert bench.ask("SELECT count(*) AS n FROM events") == [{"n": 2000}]
    time.sleep(0.4)
    writer.tidy()
    assert bench.ask("SELECT count(*) AS n, min(message) AS m FROM events") == [
        {"n": 1000, "m": "event 1001"}
    ]
    time.sleep(0.6)
    writer.tidy()
    assert bench.ask("SELECT count(*) AS n FROM events") == [{"n": 0}]
    assert writer.position().sequence == 2000
    bench.deliver(2001, 10)
    assert bench.sequences() == list(range(2001, 2011))


def test_age_survives_a_restart(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.open(retention=0.5)
    bench.deliver(1, 10)
    bench.close()
    time.sleep(0.6)
    writer = bench.open(checkpoint_interval=0.01)
    time.sleep(0.02)
    writer.tidy()
    assert bench.ask("SELECT count(*) AS n FROM events") == [{"n": 0}]


def test_none_keeps_everything(bench: Any) -> None:
    writer = bench.open(retention=None, checkpoint_interval=0.01)
    bench.deliver(1, 10)
    time.sleep(0.05)
    writer.tidy()
    assert len(bench.sequences()) == 10


def test_size(bench: Any) -> None:
    """Far more than `max_bytes` goes through; what is kept is the newest, contiguous, and about as much as allowed."""
    import random

    rng = random.Random(1)
    most = 16 * 2**20
    writer = bench.open(max_bytes=most, checkpoint_interval=3600.0, checkpoint_bytes=4 * 2**20)
    last, largest = 0, 0
    while last < 45_000:
        bench.deliver(last + 1, 3000, message=[rng.randbytes(500).hex() for _ in range(3000)])
        last += 3000
        largest = max(largest, writer._store.used_bytes())
    assert largest < 2 * most
    gone = writer._retention._removed.value
    assert bench.ask("SELECT count(*) AS n FROM events") == [{"n": last - gone}], "what goes is counted"
    kept = bench.sequences()
    assert kept == list(range(kept[0], last + 1))
    assert kept[0] > 1
    assert len(kept) > 8_000, f"only {len(kept)} events are kept of {last}"
    assert bench.path.stat().st_size < 2.5 * most
