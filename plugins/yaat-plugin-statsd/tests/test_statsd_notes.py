"""Events and service checks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest


def note(title: str, text: str, rest: str = "") -> bytes:
    raw_title, raw_text = title.encode(), text.encode()
    return b"_e{%d,%d}:%s|%s%s" % (len(raw_title), len(raw_text), raw_title, raw_text, rest.encode())


def test_an_event_is_a_log(bench):
    rest = "|d:1700000000|h:web-1|k:deploys|p:low|s:chef|t:warning|#env:test,a|c:ci-x|e:it-false,cn-n|card:low|new:1"
    [event] = bench().read(note("Größe | 1", "line\\nnext | ü", rest)).notes()
    assert (event.event_type, event.level, event.environment) == ("log", "warning", "test")
    assert event.message == "Größe | 1\nline\nnext | ü"
    assert event.timestamp == datetime.fromtimestamp(1700000000, UTC)
    assert dict(event.tags) == {
        "a": "true",
        "container.id": "x",
        "container.name": "n",
        "env": "test",
        "event.aggregation_key": "deploys",
        "event.alert_type": "warning",
        "event.priority": "low",
        "event.source_type": "chef",
        "host.name": "web-1",
        "statsd_type": "_e",
    }


@pytest.mark.parametrize(
    ("alert", "level"), [("error", "error"), ("success", "info"), ("info", "info"), ("odd", "info")]
)
def test_levels(bench, alert, level):
    [event] = bench().read(note("t", "x", f"|t:{alert}")).notes()
    assert event.level == level


def test_an_event_without_text(bench):
    [event] = bench().read(note("title", "")).notes()
    assert event.message == "title"


@pytest.mark.parametrize(
    "line",
    [
        "_e{5,5}:title|tex",
        "_e{0,1}:|x",
        "_e{9999999,1}:a|b",
        "_e{1,1}:ab|c",
        "_e{1,1}:a|bc",
        "_e{1}:a",
        "_e{-1,1}:a|b",
        "_e{1,1}",
    ],
)
def test_bad_events(bench, line):
    box = bench().read(line + "\nok:1|g")
    assert not box.notes()
    assert box.rejected() == {"bad_event": 1}
    assert box.values() == {"ok": 1}


def test_an_ok_check_is_a_metric(bench):
    [metric] = bench(namespace="n").read("_sc|db.up|0|h:db-1|#a:b").notes()
    assert (metric.event_type, metric.metric_name, metric.metric_value) == ("metric", "n.db.up", 0)
    assert dict(metric.tags) == {"a": "b", "check.status": "ok", "host.name": "db-1", "statsd_type": "_sc"}


@pytest.mark.parametrize(
    ("status", "word", "level"),
    [(1, "warning", "warning"), (2, "critical", "error"), (3, "unknown", "warning")],
)
def test_one_that_is_not_ok_is_a_log_too(bench, status, word, level):
    line = f"_sc|db|{status}|d:1700000000|#a:b|m:gone | since\\nten"
    metric, log = bench().read(line).notes()
    assert metric.metric_value == status
    assert (log.event_type, log.level) == ("log", level)
    assert log.message == f"service check db is {word}: gone | since\nten"
    assert log.timestamp == metric.timestamp == datetime.fromtimestamp(1700000000, UTC)
    assert dict(log.tags)["check.status"] == word


@pytest.mark.parametrize("line", ["_sc|", "_sc|a", "_sc|a|4", "_sc|a|x", "_sc|a|-1"])
def test_bad_checks(bench, line):
    box = bench().read(line)
    assert not box.notes()
    assert box.rejected() == {"bad_check": 1}


@pytest.mark.parametrize("line", ["_sc|a|0|d:x", "_e{1,1}:a|b|d:99999999999999999"])
def test_bad_times(bench, line):
    assert bench().read(line).rejected() == {"bad_timestamp": 1}


def test_what_waits_is_bounded_and_the_rest_counted(bench, monkeypatch):
    monkeypatch.setattr("yaat_plugin_statsd.reading.MAX_NOTES", 3)
    box = bench().read(*["_e{1,1}:a|b"] * 5)
    assert len(box.notes()) == 3
    assert {one.name: one.value for one in box.stats.snapshot()}["yaat_statsd_shed_events_total"] == 2
