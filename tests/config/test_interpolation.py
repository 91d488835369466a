"""References in texts, and that what they bring in is never shown."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from yaat_core import config
from yaat_core.config.model import Configuration
from yaat_core.config.problems import ConfigError

Load = Callable[..., Configuration]
Refusal = Callable[..., ConfigError]

CANARY = "sk-canary-1234567890"
CLOUD = "sinks:\n  cloud: {{type: cloud, endpoint: https://x, api_key: '{}'}}\n"


def key_of(made: Configuration) -> str:
    return str(made.sinks["cloud"].options.api_key)


@pytest.mark.parametrize(
    ("written", "environ", "expected"),
    [
        ("${env:KEY}", {"KEY": "abc"}, "abc"),
        ("Bearer ${env:KEY}!", {"KEY": "abc"}, "Bearer abc!"),
        ("${env:A}${env:B}", {"A": "1", "B": "2"}, "12"),
        ("${env:KEY:-default}", {}, "default"),
        ("${env:KEY:-default}", {"KEY": ""}, "default"),
        ("${env:KEY:-}", {}, ""),
        ("${env:KEY}", {"KEY": "${env:OTHER}"}, "${env:OTHER}"),
        ("$${env:KEY}", {}, "${env:KEY}"),
        ("cost: $$ and $5", {}, "cost: $$ and $5"),
        ("${secret:api_key}", {}, CANARY),
    ],
)
def test_texts(written: str, environ: dict[str, str], expected: str, load: Load) -> None:
    assert key_of(load(CLOUD.format(written), **environ)) == expected


def test_the_type_of_the_option_decides_what_a_variable_means(load: Load) -> None:
    made = load(
        "service_name: ${env:NAME}\n"
        "sources:\n  a: {type: file, paths: ['${env:NAME}'], threads: '${env:N}', deep: '${env:YES}', poll: '${env:T}'}\n"
        "tags: {n: '${env:N}'}\n",
        NAME="404",
        N="4",
        YES="true",
        T="10s",
    )
    options = made.sources["a"].options
    assert (made.service_name, options.paths, options.threads, options.deep, options.poll) == (
        "404",
        ("404",),
        4,
        True,
        10,
    )
    assert made.tags == {"n": "4"}


def test_files(load: Load, refusal: Refusal, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("abc\n\n")
    assert key_of(load(CLOUD.format("${file:key}"))) == "abc\n"
    assert key_of(load(CLOUD.format(f"${{file:{tmp_path}/key}}"))) == "abc\n"
    (tmp_path / "big").write_bytes(b"x" * (64 * 2**10 + 1))
    assert "larger than 64 KiB" in refusal(CLOUD.format("${file:big}")).problems[0].what
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert "not UTF-8" in refusal(CLOUD.format("${file:binary}")).problems[0].what
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in refusal(CLOUD.format("${file:pipe}")).problems[0].what


def test_credentials_of_systemd_are_the_last_resort(load: Load, refusal: Refusal, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("from systemd\n")
    (tmp_path / "api_key").write_text("not this one")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert key_of(load(CLOUD.format("${secret:other}"), **environ)) == "from systemd"
    assert key_of(load(CLOUD.format("${secret:api_key}"), **environ)) == CANARY
    error = refusal(CLOUD.format("${secret:../other}"), **environ)
    assert "names no secret" in error.problems[0].what


@pytest.mark.parametrize(
    ("text", "environ"),
    [
        ("shutdown_grace: ${env:KEY}\n", {}),
        ("version: ${env:KEY}\n", {}),
        ("sources: {a: {type: '${env:KEY}'}}\n", {}),
        ("sources: {a: {type: file, paths: [a], start_at: '${env:KEY}'}}\n", {}),
        ("sources: {a: {type: file, paths: [a], format: '${env:KEY}'}}\n", {}),
        ("processors: [{type: regex, pattern: '(${env:KEY}'}]\n", {}),
        ("processors: [{type: json, sources: '${env:KEY}'}]\n", {}),
        ("processors: [{type: json, name: '! ${env:KEY}'}]\n", {}),
        ("health: {listen: '${env:KEY}'}\n", {}),
        ("plugins: '${env:KEY}'\n", {}),
        (
            "sinks: {c: {type: cloud, endpoint: x, api_key: '${secret:api_key}', low: '${secret:api_key}'}}\n",
            {},
        ),
        ("sinks: {c: {type: cloud, endpoint: x, api_key: '${secret:api_key}', low: 20}}\n", {}),
        ("sinks: {c: {type: cloud, endpoint: x, api_kye: '${secret:api_key}'}}\n", {}),
    ],
)
def test_no_message_holds_a_value_from_elsewhere(
    text: str, environ: dict[str, str], refusal: Refusal
) -> None:
    error = refusal(text, KEY=CANARY, **environ)
    told = error.render() + json.dumps(error.to_json()) + str(error)
    assert CANARY not in told
    assert CANARY not in "".join(traceback.format_exception_only(error))


def test_a_store_that_fails_does_not_tell_what_it_keeps(
    refusal: Refusal, plugins: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    toys = plugins.manager.get_plugin("toys")  # type: ignore[attr-defined]
    monkeypatch.setattr(type(toys), "secrets", None)
    error = refusal(CLOUD.format("${secret:api_key}"))
    assert "its store raised AttributeError" in error.problems[0].what


def test_show_masks_secrets_and_names_variables(load: Load, tmp_path: Path) -> None:
    (tmp_path / "header").write_text(CANARY)
    made = load(
        "service_name: ${env:NAME}\n"
        "queue: {max_bytes: '${env:SIZE}'}\n"
        "processors:\n"
        "  - {type: scrub, rules: [{name: a, pattern: 'x${secret:api_key}'}]}\n"
        "  - {type: json, name: '${env:NAME}'}\n"
        "sinks:\n"
        "  cloud: {type: cloud, endpoint: '${env:NAME}', api_key: literal-canary, headers: {X: '${file:header}', Y: y}}\n"
        "  two: {type: duckdb, queue: {max_bytes: 3GiB}}\n",
        NAME="from-env",
        SIZE="5GiB",
    )
    shown = config.show(made)
    text = json.dumps(shown)
    assert not [canary for canary in (CANARY, "literal-canary", "from-env", "5GiB") if canary in text]
    assert shown["service_name"] == "${env:NAME}"
    assert shown["sinks"]["cloud"]["endpoint"] == "${env:NAME}"
    assert shown["sinks"]["cloud"]["api_key"] == "***"
    assert shown["sinks"]["cloud"]["headers"] == {"X": "***", "Y": "y"}
    assert shown["queue"]["max_bytes"] == shown["sinks"]["cloud"]["queue"]["max_bytes"] == "${env:SIZE}"
    assert shown["sinks"]["two"]["queue"]["max_bytes"] == "3GiB"
    assert shown["processors"][0]["name"] == "${env:NAME}"
    assert shown["processors"][1]["rules"][0]["pattern"] == "***"
    assert CANARY not in repr(made.sinks["cloud"].options.api_key)
