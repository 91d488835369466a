"""Rules of the user: where they look, what they put there, what they drop, and how they meet the detectors."""

from __future__ import annotations

from typing import Any

import pytest

from yaat_core.components import Drop
from yaat_core.event import Event, EventBatch
from yaat_plugin_scrub.config import Rule, ScrubConfig

ORDER = {"name": "order", "pattern": r"order-\d+"}


def test_what_matches_becomes_the_name(bench: Any) -> None:
    texts = bench.messages(bench.scrub(ORDER), "order-1 and order-2", "none", None)
    assert texts == ["[order] and [order]", "none", None]
    assert bench.hits == {"order": 1}


def test_groups_are_put_back(bench: Any) -> None:
    rule = {"name": "card", "pattern": r"card=\d+(\d{4})", "replacement": r"card=**\1"}
    assert bench.messages(bench.scrub(rule), "card=4111111111111111;") == ["card=**1111;"]


def test_the_replacement_of_the_documents_stays(bench: Any) -> None:
    """The detector `password` leaves alone what a rule put there; so it does with other secrets beside."""
    rule = {
        "name": "password",
        "pattern": r"password=\S+",
        "replacement": "password=[gone]",
        "fields": ("message",),
    }
    after = bench.messages(bench.scrub(rule), "password=hunter2 token=x1y2", "password=a password=b")
    assert after == ["password=[gone] token=[password]", "password=[gone] password=[gone]"]
    assert bench.hits == {"password": 3}


def test_rules_are_applied_in_order(bench: Any) -> None:
    first = {"name": "a", "pattern": "cat", "replacement": "dog"}
    second = {"name": "b", "pattern": "dog", "replacement": "bird"}
    assert bench.messages(bench.scrub(first, second), "cat") == ["bird"]
    assert bench.messages(bench.scrub(second, first), "cat") == ["dog"]


def test_default_fields_are_message_stacktrace_operation_and_all_tags(bench: Any) -> None:
    event = bench.one(
        bench.scrub(ORDER),
        message="order-1",
        stacktrace="order-2",
        operation="order-3",
        metric_name="order-4",
        tags={"a": "order-5", "b": "order-6", "cart.order-7.state": "c", "yaat.order-8": "d"},
    )
    assert (event.message, event.stacktrace, event.operation) == ("[order]",) * 3
    assert event.metric_name == "order-4"
    assert event.tags == {"a": "[order]", "b": "[order]", "cart.[order].state": "c", "yaat.order-8": "d"}
    assert bench.hits == {"order": 6}


@pytest.mark.parametrize(
    "field", ["message", "stacktrace", "operation", "service_name", "environment", "metric_name", "span_id"]
)
def test_one_field_alone(bench: Any, field: str) -> None:
    fields = ["message", "stacktrace", "operation", "service_name", "environment", "metric_name", "span_id"]
    event = bench.one(bench.scrub({**ORDER, "fields": (field,)}), **dict.fromkeys(fields, "order-1"))
    assert {name for name in fields if getattr(event, name) == "[order]"} == {field}


def test_one_tag_alone(bench: Any) -> None:
    rule = {"name": "user", "pattern": ".+", "fields": ("tags.user",)}
    events = [
        Event(message="bob", tags={"user": "bob", "name": "bob"}),
        Event(tags={}),
        Event(tags={"name": "bob"}),
        Event(tags={"x": "1", "user": "eve"}),
    ]
    after, _ = bench.scrub(rule).process(EventBatch.from_events(events))
    assert [dict(event.tags) for event in after] == [
        {"user": "[user]", "name": "bob"},
        {},
        {"name": "bob"},
        {"x": "1", "user": "[user]"},
    ]
    assert bench.hits == {"user": 2}


def test_names_of_tags_that_become_the_same_stay_apart_whatever_comes_after(bench: Any) -> None:
    drop = {"name": "gone", "pattern": "gone", "drop": True}
    event = bench.one(bench.scrub(ORDER, drop), tags={"order-1": "a", "order-2": "b", "é": "c"})
    assert event.tags == {"[order]": "a", "[order]#2": "b", "é": "c"}


def test_a_rule_that_drops_looks_at_the_names_of_tags_too(bench: Any) -> None:
    drop = {"name": "gone", "pattern": "^debug\\.", "drop": True, "fields": ("tags",)}
    events = [Event(message="a", tags={"debug.x": "1"}), Event(message="b", tags={"x": "1"})]
    after, drops = bench.scrub(drop).process(EventBatch.from_events(events))
    assert [event.message for event in after] == ["b"]
    assert drops == [Drop("rule", 1, "gone")]


def test_a_level_is_a_level_afterwards(bench: Any) -> None:
    rule = {"name": "level", "pattern": "^warning$", "fields": ("level",)}
    assert bench.one(bench.scrub(rule), level="warning").level == ""
    assert bench.one(bench.scrub({**rule, "replacement": "error"}), level="warning").level == "error"


def test_what_rules_put_is_text_in_every_field_whatever_comes_after(bench: Any) -> None:
    fields = ("trace_id", "level", "message", "tags")
    rules = (
        {"name": "a", "pattern": "dead|info", "replacement": "warning", "fields": fields},
        {"name": "b", "pattern": "never", "drop": True},
        {"name": "c", "pattern": "gone", "drop": True},
    )
    events = [
        Event(message="dead", level="info", trace_id="dead", tags={"x": "dead"}),
        Event(message="gone"),
    ]
    after, _ = bench.scrub(*rules, detectors=()).process(EventBatch.from_events(events))
    after.columns.validate(full=True)
    (event,) = after
    assert (event.message, event.level, event.trace_id, event.tags["x"]) == ("warning",) * 4


def test_matching_events_are_dropped_and_counted(bench: Any) -> None:
    rules = (
        {"name": "health", "pattern": "GET /healthz", "drop": True},
        {"name": "noise", "pattern": "^noise$", "fields": ("tags.kind",), "drop": True},
    )
    events = [
        Event(message="GET /healthz 200"),
        Event(message="kept"),
        Event(operation="GET /healthz", tags={"kind": "noise"}),
        Event(message=None, tags={"kind": "noise", "other": "x"}),
        Event(message="also kept", tags={"other": "noise", "kind": "a noise"}),
        Event(message="x", tags={"url": "GET /healthz"}),
    ]
    after, drops = bench.scrub(*rules).process(EventBatch.from_events(events))
    assert [event.message for event in after] == ["kept", "also kept"]
    assert drops == [Drop("rule", 3, "health"), Drop("rule", 1, "noise")]
    assert bench.hits == {"health": 3, "noise": 1}


def test_a_drop_sees_what_the_rules_before_it_left_and_keeps_their_changes(bench: Any) -> None:
    drop = {"name": "gone", "pattern": r"\[order\]", "drop": True, "fields": ("message",)}
    after, drops = bench.scrub(ORDER, drop).process(
        EventBatch.from_events([Event(message="order-1"), Event(message="x", operation="order-2")])
    )
    assert [(event.message, event.operation) for event in after] == [("x", "[order]")]
    assert drops == [Drop("rule", 1, "gone")]


def test_a_drop_may_match_the_empty_message(bench: Any) -> None:
    rule = {"name": "empty", "pattern": "^$", "fields": ("message",), "drop": True}
    assert bench.messages(bench.scrub(rule), "", "a", None) == ["a", None]


def test_everything_dropped(bench: Any) -> None:
    after, drops = bench.scrub({"name": "all", "pattern": "", "drop": True}).process(
        EventBatch.from_events([Event(message="a")] * 3)
    )
    assert len(after) == 0
    assert drops == [Drop("rule", 3, "all")]


def test_tags_with_a_sensitive_name_are_replaced_whole(bench: Any) -> None:
    names = [
        "password",
        "db.password",
        "http.request.header.authorization",
        "Cookie",
        "apiKey",
        "API-KEY",
        "x-auth",
    ]
    harmless = {
        "token_count": "5",
        "author": "bob",
        "secretary": "eve",
        "tokens": "7",
        "k": "v",
        "auth_method": "sso",
    }
    event = bench.one(bench.scrub(), tags={**dict.fromkeys(names, "some words"), **harmless, "secret": ""})
    assert event.tags == {**dict.fromkeys(names, "[password]"), **harmless, "secret": ""}
    assert bench.hits == {"password": len(names)}


def test_tags_are_left_alone_without_the_detector(bench: Any) -> None:
    assert bench.one(bench.scrub(detectors=("email",)), tags={"password": "x"}).tags == {"password": "x"}


def test_keys_that_become_the_same_stay_apart(bench: Any) -> None:
    tags = {"bob@example.com": "1", "a": "2", "eve@example.com": "3"}
    assert bench.one(bench.scrub(), tags=tags).tags == {"[email]": "1", "a": "2", "[email]#2": "3"}


def test_texts_in_the_private_use_area_are_data(bench: Any) -> None:
    texts = ["password=\ue000hunter2", "\uf8ff a@b.io", "\uffff"]
    assert bench.messages(bench.scrub(), *texts) == ["password=[password]", "\uf8ff [email]", "\uffff"]


REFUSED = {
    r"(?<=a)b": "lookbehind",
    r"a(?!b)": "lookahead",
    r"(a)\1": "backreferences",
    r"(?P<x>a)(?P=x)": "backreferences",
    r"a++": "atomic|possessive",
    r"(?>a)": "atomic",
    r"(a": "parenthesis|missing",
    r"a*": "empty",
    r"x?": "empty",
    r"\b": "empty",
    r"a|^": "empty",
}


@pytest.mark.parametrize("pattern", REFUSED)
def test_what_re2_can_not_do_is_refused_with_advice(pattern: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match=REFUSED[pattern]) as caught:
        Rule(name="mine", pattern=pattern)
    assert "mine" in str(caught.value)
    assert capfd.readouterr().err == "", "RE2 wrote to stderr"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": "a b"}, "name"),
        ({"replacement": r"\2"}, r"\\2"),
        ({"replacement": "a\\"}, "backslash"),
        ({"replacement": r"\d"}, "backslash"),
        ({"fields": ("mesage",)}, "did you mean `message`"),
        ({"fields": ("tags.",)}, "no field"),
        ({"fields": ()}, "empty"),
        ({"drop": True, "replacement": "x"}, "dropped"),
    ],
)
def test_mistakes_are_told(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Rule(**{"name": "a", "pattern": "(a)", **options})


def test_mistakes_of_the_whole_are_told() -> None:
    with pytest.raises(ValueError, match="did you mean `secrets`"):
        ScrubConfig(detectors=("secret",))
    with pytest.raises(ValueError, match="twice: a"):
        ScrubConfig(rules=(Rule(name="a", pattern="x"), Rule(name="a", pattern="y")))


def test_nothing_of_an_event_is_logged(bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(0):
        bench.one(bench.scrub(ORDER), message="password=hunter2 order-5", tags={"password": "hunter2"})
    assert not caplog.records
