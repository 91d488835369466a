"""Hostile patterns and inputs: linear, bounded, and closed when something fails."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

import attrs
import pyarrow as pa
import pytest
import re2
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from yaat_core.components import ComponentId
from yaat_core.event import Event, EventBatch, Labels
from yaat_core.pipeline.chain import Chain, Step
from yaat_core.pipeline.defaults import Defaults
from yaat_core.stats import ComponentStats, Stats
from yaat_plugin_scrub import scrub as module
from yaat_plugin_scrub.config import Rule
from yaat_plugin_scrub.detectors import BY_NAME
from yaat_plugin_scrub.pem import KeyLines

#: What takes a backtracking engine longer than the age of the universe.
PATTERNS = [r"(a+)+$", r"(a|a)*b", r"(a*)*b", r"(.*)*x", r"(x+x+)+y", r"([a-z]+)*\d", r"^(a?){30}a{30}$"]
LONG = 100_000
TEXTS = {
    "letters": "a" * LONG + "!",
    "digits": "4" * LONG,
    "digits in groups": "4111 " * (LONG // 5),
    "digits and hyphens": "1-" * (LONG // 2) + "x",
    "blanks": " " * LONG + "x",
    "colons": "a:" * (LONG // 2),
    "double colons": "1::" * (LONG // 3),
    "dots": "1." * (LONG // 2),
    "at signs": "a@" * (LONG // 2),
    "quotes": 'password="\\' * (LONG // 12),
    "backslashes": "token=" + "\\" * LONG,
    "half accounts": "DE89" * (LONG // 4),
    "half accounts with blanks": "DE89 3704 " * (LONG // 10),
    "begins of keys": "-----BEGIN " + "A " * (LONG // 2),
    "many begins of keys": "-----BEGIN PRIVATE KEY" * (LONG // 22),
    "schemes": "http://a:b" * (LONG // 10),
    "plus signs": "+1" * (LONG // 2),
    "mixed letters": "aB3" * (LONG // 3),
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_that_kill_backtracking_engines_end(bench: Any, pattern: str) -> None:
    try:
        rule = Rule(name="mine", pattern=pattern)
    except ValueError as error:
        assert "empty text" in str(error)
        rule = Rule(name="mine", pattern=pattern + "!")
    scrub = bench.scrub(attrs.asdict(rule), detectors=())
    assert len(bench.messages(scrub, *TEXTS.values())) == len(TEXTS)


@pytest.mark.parametrize("name", TEXTS)
def test_long_inputs_end_for_every_detector(bench: Any, name: str) -> None:
    """Quadratic time would be minutes for each; the suite's time limit tells."""
    cut = Event(message=TEXTS[name], tags={"log.truncated": "true", "note": TEXTS[name]})
    after, _ = bench.scrub(detectors=("all",)).process(EventBatch.from_events([cut]))
    assert len(after) == 1


def test_a_long_line_within_a_key_ends() -> None:
    lines = pa.array(["-----BEGIN PRIVATE KEY-----", " " * 1_000_000 + "x!", "MIIE", "A" * 1_000_000])
    after, count = KeyLines().apply(lines, "a", "[gone]")
    assert (count, after[2].as_py(), len(after[3].as_py())) == (0, "MIIE", 1_000_000)


@pytest.mark.parametrize("pattern", [r"((a{100}){100}){100}", r"\pL{500}" * 20])
def test_patterns_too_large_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="expression of RE2: .*(?:too large|repetition)"):
        Rule(name="mine", pattern=pattern)


def test_patterns_of_ordinary_size_are_taken() -> None:
    for pattern in (
        r"\p{L}{1,20}@\p{L}+",
        r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}",
        "|".join(["word"] * 200),
    ):
        Rule(name="mine", pattern=pattern)


LETTERS = st.text(st.sampled_from('ab1 =:"\\[].é\U0001f600'), max_size=12)
PATTERN = st.recursive(
    st.sampled_from(["a", "b", r"\d", ".", "[ab]", "é", "=", r"\w", "^", "$", r"\b"]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        inner.map(lambda one: f"({one})+"),
        inner.map(lambda one: f"(?:{one})?"),
    ),
    max_leaves=6,
)


@settings(max_examples=80, deadline=None)
@given(pattern=PATTERN, texts=st.lists(LETTERS, min_size=1, max_size=6))
def test_a_rule_does_to_columns_what_re2_does_to_one_text(bench: Any, pattern: str, texts: list[str]) -> None:
    try:
        rule = {"name": "mine", "pattern": pattern, "replacement": "<>", "fields": ("message", "tags")}
        scrub = bench.scrub(rule, detectors=())
    except ValueError:
        assume(False)
    expected = [re2.sub(pattern, "<>", text) for text in texts]
    events = [Event(message=text, tags={"k": text}) for text in texts]
    after, drops = scrub.process(EventBatch.from_events(events))
    assert not drops
    after.columns.validate(full=True)
    assert [event.message for event in after] == expected
    assert [next(iter(event.tags.values())) for event in after] == expected


@settings(max_examples=30, deadline=None)
@given(pattern=PATTERN, texts=st.lists(LETTERS, min_size=1, max_size=6))
def test_a_drop_takes_what_matches_and_counts_it(bench: Any, pattern: str, texts: list[str]) -> None:
    scrub = bench.scrub(
        {"name": "mine", "pattern": pattern, "drop": True, "fields": ("message",)}, detectors=()
    )
    after, drops = scrub.process(EventBatch.from_events([Event(message=text) for text in texts]))
    kept = [text for text in texts if re2.search(pattern, text) is None]
    assert [event.message for event in after] == kept
    assert sum(drop.count for drop in drops) == len(texts) - len(kept)


def test_a_verifier_that_raises_lets_nothing_through(
    bench: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(text: bytes, _: bytes) -> bytes:
        if b"3704" in text:
            raise RuntimeError(f"can't judge {text!r}")
        return text

    faulty = attrs.evolve(BY_NAME["iban"], verify=broken)
    monkeypatch.setattr(module, "select", lambda _: (faulty, BY_NAME["password"]))
    stats, told = Stats(), []
    step = Step(ComponentId("processors", "scrub"), bench.scrub(), ComponentStats(stats, "processors.scrub"))
    chain = Chain(
        parsers={},
        parser=None,
        defaults=Defaults(
            service_name="s", environment="e", organization_id="o", host_name="h", tags={}, reserved={}
        ),
        steps=[step],
        report=lambda id, what: told.append(f"{id} {what}"),
    )
    texts = ["DE89 3704 0044 0532 0130 00", "fine", "password=hunter2"]
    with caplog.at_level(logging.DEBUG):
        after, ledger = chain.run(EventBatch.from_events([Event(message=text) for text in texts], Labels()))
    assert [event.message for event in after] == ["fine", "password=[password]"]
    assert Counter({(one.component, one.reason): one.count for one in ledger}) == {
        ("processors.scrub", "error"): 1
    }
    assert told == ["processors.scrub raised RuntimeError on 1 of 3 events"]
    assert "3704" not in caplog.text + "".join(told)
