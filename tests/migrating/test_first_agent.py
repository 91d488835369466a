"""The first agent's files as ours: what they meant, and what is told of each key."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yaat_core import config
from yaat_core.config.migrating import Migrated
from yaat_core.config.migrating.old import Old
from yaat_core.config.migrating.rules import expanded
from yaat_core.config.model import Configuration
from yaat_core.config.nodes import Table, place, scalars
from yaat_core.config.options import Secret
from yaat_core.config.parsing import parse
from yaat_core.config.problems import ConfigError
from yaat_core.errors import UsageError

from .conftest import EVERYTHING, KEY, LOCAL_ONLY, SHORT, migrated, plugins, value


def loaded(found: Migrated, folder: Path) -> Configuration:
    path = folder / "yaat.yaml"
    path.write_text(found.text)
    return config.load(path, plugins(), environ={**os.environ, "YAAT_API_KEY": KEY}, detect=False)


def note(found: Migrated, key: str) -> tuple[str, int | None, str, str]:
    (one,) = [one for one in found.notes if one.key == key]
    return one.what, one.line, one.to, one.why


def test_what_it_meant_is_what_the_new_file_says(everything: Migrated, tmp_path: Path) -> None:
    new = value(everything)
    assert new["version"] == 1
    assert (new["service_name"], new["environment"], new["organization_id"]) == ("shop", "staging", "org_17")
    assert new["tags"] == {"team": "payments", "build": "42"}
    assert {name: (one["type"], one.get("format")) for name, one in new["sources"].items()} == {
        "shop-app": ("file", "django"),
        "nginx-access": ("file", "nginx"),
        "apache2-access": ("file", "apache"),
        "shop-events": ("file", "json"),
        "docker-4f5a2b": ("file", "docker"),
        "journal-nginx": ("journald", None),
        "shop-app-2": ("file", "raw"),
        "host": ("hostmetrics", None),
        "statsd": ("statsd", None),
    }
    assert new["sources"]["shop-app"] == {
        "type": "file",
        "paths": ["/var/log/shop/app.log"],
        "start_at": "end",
        "format": "django",
        "multiline": "python",
    }
    assert new["sources"]["journal-nginx"]["units"] == ["nginx.service"]
    assert new["sources"]["host"]["interval"] == "20s"
    assert new["sources"]["host"]["tags"] == {"tier": "front"}
    assert new["sources"]["statsd"] == {
        "type": "statsd",
        "listen": ["udp://127.0.0.1:8125"],
        "namespace": "shop",
        "tags": {"tier": "front", "via": "statsd"},
    }
    assert new["queue"] == {"retention": "36h"}
    assert new["dead_letter"] == {"retention": "14d"}
    assert new["sinks"] == {
        "local": {"type": "duckdb", "retention": "30d", "max_bytes": "2.5GB"},
        "cloud": {
            "type": "cloud",
            "endpoint": "https://yaat.example/api/v1/ingest",
            "api_key": "${env:YAAT_API_KEY}",
            "max_batch_rows": 250,
            "compression": "none",
            "max_batch_bytes": "500000B",
        },
    }
    assert loaded(everything, tmp_path).sinks["cloud"].options.api_key == Secret(KEY)


def test_scrub_rules(everything: Migrated) -> None:
    (scrub,) = value(everything)["processors"]
    assert scrub["detectors"] == ["secrets"]
    assert scrub["rules"] == [
        {
            "name": "hide-tokens",
            "pattern": "(?i)(token=)(?P<rest>[a-z0-9]+)",
            "replacement": r"\1[GONE] \2x $5",
            "fields": ["message", "tags", "tags.auth"],
        },
        {
            "name": "probes",
            "pattern": "GET /healthz",
            "drop": True,
            "fields": ["message", "stacktrace"],
        },
        {
            "name": "probes-2",
            "pattern": r"card=\d+",
            "replacement": "[REDACTED]",
            "fields": ["message", "stacktrace"],
        },
    ]
    what, line, _, why = note(everything, "scrubbing.rules[3]")
    assert (what, line) == ("left", EVERYTHING[: EVERYTHING.index("broken")].count("\n") + 1)
    assert "pattern" in why
    assert note(everything, "scrubbing.rules[0].fields[3]")[0] == "left"
    assert note(everything, "scrubbing.rules[0].description")[0] == "left"


def test_every_key_of_the_old_file_is_told_with_its_line(everything: Migrated) -> None:
    root = parse(EVERYTHING, "old.yaml").root
    assert isinstance(root, Table)
    told = {one.key: one for one in everything.notes if one.key}
    for leaf in scalars(root):
        above = [place(leaf.path[:length]) for length in range(1, len(leaf.path) + 1)]
        assert any(one in told for one in above), place(leaf.path)
    lines = EVERYTHING.splitlines()
    for one in told.values():
        name = re.split(r"[.\[]", one.key.rstrip("]0123456789["))[-1]
        assert one.line is not None
        assert name in lines[one.line - 1] or one.key.endswith("]"), one
        assert one.what != "left" or one.why
        assert one.what != "renamed" or one.to
    assert note(everything, "proxy")[3].startswith("there is no proxy")
    assert "no such key" in note(everything, "colour")[3]


def test_the_key_is_nowhere(everything: Migrated) -> None:
    assert KEY not in repr(everything)
    (needed,) = everything.needed
    assert (needed.reference, needed.line) == ("${env:YAAT_API_KEY}", 3)


def test_another_reference_stands_for_the_key(tmp_path: Path) -> None:
    found = migrated(EVERYTHING, tmp_path, key_reference="${secret:yaat}")
    assert value(found)["sinks"]["cloud"]["api_key"] == "${secret:yaat}"


def test_without_a_key_nothing_is_sent(tmp_path: Path) -> None:
    found = migrated(LOCAL_ONLY, tmp_path)
    assert value(found)["sinks"] == {"local": {"type": "duckdb", "retention": "14d", "max_bytes": "2GB"}}
    assert note(found, "api_endpoint")[0] == "left"
    assert found.needed == []
    assert loaded(found, tmp_path).service_name == "desk"


def test_a_short_file_reads_nothing_by_default(tmp_path: Path) -> None:
    found = migrated(SHORT, tmp_path)
    new = value(found)
    assert new["sources"] == {}, "without `sources` logs would be read that nobody asked for"
    assert new["sinks"]["cloud"]["allow_plain_http"] is True
    assert list(new["sinks"]) == ["cloud"]
    assert [one.to for one in found.notes if one.what == "added"] == [
        "processors.scrub.detectors",
        "sinks.cloud.allow_plain_http",
    ]
    loaded(found, tmp_path)


@pytest.mark.parametrize(
    ("lines", "key", "why"),
    [
        ("analytics: {enabled: maybe}", "analytics.enabled", "neither true nor false"),
        ("delivery: {queue_retention: soon}", "delivery.queue_retention", "no duration"),
        ("delivery: {queue_retention: 1d}", "delivery.queue_retention", "no duration"),
        ("delivery: {batch_size: many}", "delivery.batch_size", "no plain number"),
        ("delivery: {dead_letter_retention: 0s}", "delivery.dead_letter_retention", "always kept"),
        ("logs: [{format: json}]", "logs[0]", "no path"),
        ("tags: {yaat.own: x}", "tags.yaat.own", "yaat."),
        ("service: shop", "service", "no such key"),
        ("logs: 5", "logs", "not written as"),
        ("scrubbing: {enabled: true, rules: 7}", "scrubbing.rules", "not written as"),
        (
            "metrics: {enabled: true, statsd: {enabled: true, listen_addr: nowhere}}",
            "metrics.statsd.listen_addr",
            "host and port",
        ),
    ],
)
def test_what_can_not_be_read_is_left_with_the_reason(lines: str, key: str, why: str, tmp_path: Path) -> None:
    found = migrated(f"{SHORT}{lines}\n", tmp_path)
    what, line, _, said = note(found, key)
    assert (what, line) == ("left", 5)
    assert why in said
    loaded(found, tmp_path)


@pytest.mark.parametrize(
    ("written", "text"), [("0s", "none"), ("90m", "90m"), ("1.5h", "90m"), ("1h0m30s", "3630s")]
)
def test_durations_are_what_they_were(written: str, text: str, tmp_path: Path) -> None:
    found = migrated(f"{SHORT}delivery: {{queue_retention: {written}}}\n", tmp_path)
    assert value(found)["queue"] == {"retention": text}


def test_references_were_plain_text(tmp_path: Path) -> None:
    found = migrated(f"{SHORT}tags: {{shell: '${{HOME}}'}}\n", tmp_path)
    assert loaded(found, tmp_path).tags == {"shell": "${HOME}"}


def test_our_own_version_needs_nothing(tmp_path: Path) -> None:
    for text in ("", "# nothing\n", "version: 1\nsinks: {local: {type: duckdb}}\n", "service_name: x\n"):
        found = migrated(text, tmp_path)
        assert (found.current, found.text, found.format) == (True, text, "version 1")


@pytest.mark.parametrize("text", ["version: 2\n", "version: soon\n", "- a\n"])
def test_what_is_no_version_that_there_is(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        migrated(text, tmp_path)


@pytest.mark.parametrize(
    "lines",
    [
        f'api_key: "{KEY}\nlogs: [',
        f"api_key: {KEY}: x",
        f"api_key: {KEY}\napi_key: {KEY}",
        f"api_key: !!str {KEY}",
        f"api_key: &key {KEY}",
        f"cloud: {{api_key: {KEY}, api_key: {KEY}}}",
    ],
)
def test_yaml_that_can_not_be_read_is_told_without_the_key(lines: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        migrated(f"service_name: x\n{lines}\n", tmp_path)
    assert "old.yaml:2" in caught.value.render() or "old.yaml:3" in caught.value.render()
    assert KEY not in caught.value.render() + str(caught.value.to_json())


@pytest.mark.parametrize(
    ("template", "pattern", "text"),
    [
        ("$1-$2", "(a)(b)", r"\1-\2"),
        ("${1}x$1x", "(a)", r"\1x"),
        ("$$1", "(a)", "$1"),
        ("$9", "(a)", ""),
        ("$0", "a", r"\0"),
        (r"a\b", "a", r"a\\b"),
        ("$w", r"(?:x)(?i)[(](\()(?P<w>a)", r"\2"),
        ("$", "a", "$"),
    ],
)
def test_templates(template: str, pattern: str, text: str) -> None:
    assert expanded(template, pattern) == text


_VALUES: Any = st.one_of(st.text("ab1$\\{}:-", max_size=6), st.integers(-5, 99_999), st.booleans(), st.none())
_KEYS = st.sampled_from(
    ["path", "format", "name", "pattern", "fields", "enabled", "interval", "tags", "statsd", "rules"]
)
_TREES = st.recursive(
    _VALUES,
    lambda one: st.one_of(st.lists(one, max_size=3), st.dictionaries(_KEYS, one, max_size=4)),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["api_key", "logs", "metrics", "scrubbing", "tags", "analytics"]), _TREES)
)
def test_whatever_is_written_nothing_is_raised_and_every_leaf_is_told(tree: dict[str, Any]) -> None:
    import json

    from yaat_core.config.migrating.sidecar import translate

    root = parse(json.dumps({"service_name": "x", **tree}), "old.yaml").root
    assert isinstance(root, Table)
    made = translate(root, lambda *_: "", key_reference="${env:X}", start_at="end")
    told = {one.key for one in made.old.notes}
    for leaf in scalars(root):
        assert any(place(leaf.path[:length]) in told for length in range(1, len(leaf.path) + 1))
    assert isinstance(made.old, Old)
