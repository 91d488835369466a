"""Masks of whole fields: what is left of a value, that hashes need a key from elsewhere, and that it is never shown."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from yaat_core.event import Event, EventBatch
from yaat_plugin_scrub.config import Mask, Rule, ScrubConfig

KEY = "0123456789abcdef-the-key-of-tests"


def hashed(value: str) -> str:
    return hmac.new(KEY.encode(), value.encode(), hashlib.sha256).hexdigest()[:32]


def mask(action: str, *fields: str, **more: Any) -> Mask:
    key = {"key": KEY} if action == "hash" else {}
    return Mask(name="mine", fields=fields, action=action, **key, **more)  # type: ignore[arg-type]


def test_a_hash_is_the_same_for_the_same_value_and_stands_alone(bench: Any) -> None:
    scrub = bench.scrub(masks=(mask("hash", "tags.user.email", "message"),))
    events = [
        Event(message="bob", tags={"user.email": "bob@example.com", "other": "x"}),
        Event(message=None, tags={"user.email": "bob@example.com"}),
        Event(message="", tags={"user.email": ""}),
        Event(message="é", tags={}),
    ]
    after, _ = scrub.process(EventBatch.from_events(events))
    assert [event.message for event in after] == [hashed("bob"), None, "", hashed("é")]
    assert [dict(event.tags) for event in after] == [
        {"user.email": hashed("bob@example.com"), "other": "x"},
        {"user.email": hashed("bob@example.com")},
        {"user.email": ""},
        {},
    ]
    assert bench.hits == {"mine": 4}


def test_the_last_letters_are_kept_of_values_that_are_long_enough(bench: Any) -> None:
    scrub = bench.scrub(masks=(mask("keep_last", "tags.card", "operation"),))
    events = [
        Event(operation="GET /cards/4711", tags={"card": "4111111111111111"}),
        Event(operation="1234567", tags={"card": "äöüßäöüß"}),
        Event(operation=None, tags={"card": ""}),
    ]
    after, _ = scrub.process(EventBatch.from_events(events))
    assert [event.operation for event in after] == ["***4711", "***", None]
    assert [event.tags["card"] for event in after] == ["***1111", "***äöüß", ""]


def test_fields_are_removed(bench: Any) -> None:
    scrub = bench.scrub(masks=(mask("remove", "tags.a.b", "stacktrace", "tags.none"),))
    event = bench.one(scrub, stacktrace="x", message="y", tags={"a.b": "1", "a.bc": "2"})
    assert (event.stacktrace, event.message, event.tags) == (None, "y", {"a.bc": "2"})
    assert bench.hits == {"mine": 2}


def test_a_mask_has_the_last_word_on_its_field(bench: Any) -> None:
    masks = (mask("keep_last", "tags.password"),)
    event = bench.one(bench.scrub(masks=masks), tags={"password": "hunter2-hunter3", "token": "hunter2"})
    assert event.tags == {"password": "***ter3", "token": "[password]"}


def test_no_rule_renames_what_a_mask_looks_for(bench: Any) -> None:
    rule = {"name": "user", "pattern": "user"}
    scrub = bench.scrub(rule, masks=(mask("remove", "tags.user"),))
    assert bench.one(scrub, tags={"user": "bob", "x": "y"}).tags == {"x": "y"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"action": "hash"}, "needs a key, and there is no default"),
        ({"action": "hash", "key": "short"}, "too short"),
        ({"action": "remove", "key": KEY}, "`action: hash` only"),
        ({"action": "remove", "fields": ("service_name",)}, "every event has"),
        ({"action": "remove", "fields": ("tags",)}, "name each tag"),
        ({"action": "remove", "fields": ("mesage",)}, "did you mean `message`"),
        ({"action": "remove", "fields": ()}, "fields is empty"),
        ({"action": "keep_last", "keep": 0}, "1 or more"),
        ({"action": "remove", "name": "a b"}, "name must be"),
    ],
)
def test_mistakes_are_told_without_the_key(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        Mask(**{"name": "mine", "fields": ("message",), **options})
    assert "short" not in str(caught.value).replace("too short", "")
    assert KEY not in str(caught.value)


def test_the_key_is_in_no_repr() -> None:
    config = ScrubConfig(masks=(mask("hash", "message"),), rules=(Rule(name="a", pattern="x"),))
    assert KEY not in repr(config) + str(config)


CONFIG = """\
sources: {}
state_dir: state
processors:
  - type: scrub
    masks: [{name: user, fields: [tags.user], action: hash, key: "WRITTEN"}]
"""


def yaat(config: Path, written: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    config.write_text(CONFIG.replace("WRITTEN", written), encoding="utf-8")
    command = [sys.executable, "-m", "yaat_core.cli", *arguments, "-c", str(config)]
    environ = {**os.environ, "MASK_KEY": KEY, "SHORT_KEY": "too-small-9f3b"}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environ)


@pytest.mark.parametrize("written", ["${env:MASK_KEY}", "${file:mask.key}"])
def test_a_key_from_elsewhere_works_and_is_not_shown(tmp_path: Path, written: str) -> None:
    (tmp_path / "mask.key").write_text(KEY + "\n")
    config = tmp_path / "yaat.yaml"
    for command in (["validate", "--offline"], ["config", "show"], ["config", "show", "--json"]):
        done = yaat(config, written, *command)
        assert done.returncode == 0, done.stderr
        assert KEY not in done.stdout + done.stderr
    line = json.dumps({"msg": "hi", "user": "bob"})
    done = subprocess.run(
        [sys.executable, "-m", "yaat_core.cli", "scrub", "test", "--format", "json", "-c", str(config)],
        input=line,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "MASK_KEY": KEY},
    )
    assert hashed("bob") in done.stdout


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (KEY, "must not be written into a file"),
        ("${env:MASK_KEY:-" + KEY + "}", "without a default"),
        ("pepper-${env:MASK_KEY}", "must come from elsewhere whole"),
        ("${env:SHORT_KEY}", "too short"),
        ("${env:NO_SUCH_KEY}", "is not set"),
        ("", "must not be written into a file"),
    ],
)
def test_a_key_that_anybody_could_know_is_refused(tmp_path: Path, written: str, said: str) -> None:
    done = yaat(tmp_path / "yaat.yaml", written, "validate", "--offline")
    assert done.returncode == 2
    assert said in done.stderr
    for secret in (KEY, "too-small-9f3b", "pepper-"):
        assert secret not in done.stdout + done.stderr
