"""Texts of the support bundle: what is taken out, and that nothing goes out that can't be scanned."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from yaat_core import config
from yaat_core.components import Drop, Processor
from yaat_core.event import EventBatch
from yaat_core.flare.known import NAMED, secrets
from yaat_core.flare.pieces import Piece, gather, given
from yaat_core.flare.redacting import NotScanned, Redactor
from yaat_core.plugins import load_plugins
from yaat_core.registry import Registry
from yaat_core.stats import Stats
from yaat_core.workshop import Workshop


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    known = {"kingfisher-42": "api_key", "kingfisher-42-nest": "token"}
    return Redactor.of(load_plugins().registry, None, known)


def test_known_values_and_telling_names(redactor: Redactor) -> None:
    text, counts = redactor.text(
        "connect with kingfisher-42-nest\npwd=abc\nhttps://joe:pa55@db/x\nnothing here, PWD=/srv\n"
    )
    assert text == "connect with ***\npwd=[password]\nhttps://***@db/x\nnothing here, PWD=/srv\n"
    assert counts["value of token"] == 1
    assert counts["user in an address"] == 1


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("Environment=QX_TOKEN=plain-words-here", "plain-words-here"),
        ('Environment="QX_TOKEN=plain-words-here" OTHER=1', "plain-words-here"),
        ("Authorization: Bearer plain-words-here", "plain-words-here"),
        ("X-Auth: Basic cGxhaW4=", "cGxhaW4="),
        ("apiKey: 'two words'", "two words"),
        ('{"client_secret": "with \\"quotes\\" in it"}', "quotes"),
        ("a=1 db_passwd=x!y b=2", "x!y"),
    ],
)
def test_values_of_telling_names(redactor: Redactor, line: str, secret: str) -> None:
    text, counts = redactor.text(f"before\n{line}\nafter")
    assert secret not in text
    assert text.startswith("before\n")
    assert text.endswith("\nafter")
    assert sum(counts.values()) >= 1


def test_a_document_stays_one(redactor: Redactor) -> None:
    value = {
        "password": "x",
        "nested": [{"client_secret": "y", "count": 3, "none": None, "kingfisher-42": True}],
        "text": "two\nlines with password=zzz",
        "number": 4111111111111111,
        "tokens": 7,
    }
    text, counts = redactor.document(value)
    assert json.loads(text) == {
        "password": "***",
        "nested": [{"client_secret": "***", "count": 3, "none": None, "***": True}],
        "text": "two\nlines with password=[password]",
        "number": 4111111111111111,
        "tokens": 7,
    }
    assert counts["value of password"] == 1


def test_a_private_key_over_many_lines(redactor: Redactor) -> None:
    body = "MIIEpAIBAAKCAQEAn6Yh2q0Z9gT8mE0x1oWvLr3qzYw5kVd7cRf2sTbG1hJkLmNp"
    text, _ = redactor.text(
        f"before\n-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----\nafter"
    )
    assert body not in text
    assert text.startswith("before\n")
    assert text.endswith("\nafter")


@pytest.mark.parametrize(
    "name",
    ["password", "db_pwd", "API_KEY", "apikey", "AWS_SECRET_ACCESS_KEY", "auth", "Authorization", "x-token"],
)
def test_telling_names(name: str) -> None:
    assert NAMED.search(name)


@pytest.mark.parametrize(
    "name", ["PWD", "OLDPWD", "passed", "author", "keyboard", "path", "monkey", "passive"]
)
def test_names_that_tell_nothing(name: str) -> None:
    assert not NAMED.search(name)


class Raises(Processor):
    def process(self, batch: EventBatch) -> tuple[EventBatch, Sequence[Drop]]:
        raise RuntimeError("kingfisher-42")


class Drops(Processor):
    def process(self, batch: EventBatch) -> tuple[EventBatch, Sequence[Drop]]:
        return batch.slice(1, len(batch) - 1), [Drop("rule", 1)]


def test_what_a_detector_chokes_on_is_not_given_out() -> None:
    with pytest.raises(NotScanned, match="the redaction failed: RuntimeError") as caught:
        Redactor({}, [Raises()], Stats()).text("anything")
    assert "kingfisher" not in str(caught.value)


def test_a_line_that_a_rule_drops_is_gone_and_the_others_stay_in_their_place() -> None:
    text, counts = Redactor({}, [Drops()], Stats()).text("a\nb\nc")
    assert text == "[dropped by a rule]\nb\nc"
    assert counts["lines dropped by a rule"] == 1


async def test_without_detectors_only_what_is_our_own_goes_in() -> None:
    redactor = Redactor.of(Registry(), None, {"kingfisher-42": "key"})
    flare = await gather(
        [
            given("own.json", "numbers", {"a": 1, "host": "kingfisher-42"}, own=True),
            given("log.txt", "a log", "x"),
        ],
        redactor,
    )
    [file] = flare.files
    assert json.loads(file.text) == {"a": 1, "host": "***"}
    [left] = flare.left_out
    assert left.name == "log.txt"
    assert "yaat-plugin-scrub" in left.why
    assert not flare.scanned


async def test_a_piece_that_can_not_be_made_is_named() -> None:
    async def make() -> Any:
        raise PermissionError(13, "Permission denied", "/etc/kingfisher-42")

    redactor = Redactor.of(load_plugins().registry, None, {"kingfisher-42": "key"})
    flare = await gather([Piece(name="a.txt", why="", make=make), given("b.txt", "", "b")], redactor)
    assert [one.name for one in flare.files] == ["b.txt"]
    assert [(one.name, one.why) for one in flare.left_out] == [("a.txt", "Permission denied")]


def test_which_values_are_secret(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("0123456789abcdef0123456789abcdef\n")
    (tmp_path / "yaat.yaml").write_text(
        "state_dir: state\nservice_name: '${env:SERVICE}'\ntags: {release_key: abcdefgh, color: bluebell}\n"
        "sources: {app: {type: file, paths: ['${env:FOLDER}/a.log']}}\n"
        "processors: [{type: scrub, masks: [{name: m, fields: [tags.user], action: hash, key: '${file:key}'}]}]\n"
        "sinks: {local: {type: duckdb}}\n"
    )
    environ = {"SERVICE": "webshop", "FOLDER": "logs", "HOME": "/home/joe", "DB_PASSWORD": "open sesame/1"}
    loaded = load_plugins()
    whole = config.load(tmp_path / "yaat.yaml", loaded, environ=environ)
    found = secrets(whole, environ)
    assert {"0123456789abcdef0123456789abcdef", "abcdefgh", "open sesame/1", "open%20sesame%2F1"} <= set(
        found
    )
    assert not {"bluebell", "webshop", "logs", "/home/joe"} & set(found)
    assert found["abcdefgh"] == "tags.release_key"
    shop = Workshop(configuration=whole, agent_id=bytes(16), stats=Stats())
    text, _ = Redactor.of(loaded.registry, shop, found).text("key 0123456789abcdef0123456789abcdef, bluebell")
    assert text == "key ***, bluebell"
