"""Labels are whatever a container's owner wrote: none stops the source, and no mask is passed over."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yaat_plugin_docker import adlogs
from yaat_plugin_docker.container import from_inspection
from yaat_plugin_docker.labels import EXCLUDE, FORMAT, MULTILINE, SERVICE, Wishes, wishes

TEXTS = pa.array(["key=abc", "", "GET /health", "\x1b[31m", "a\nb", None], pa.string())
_HOSTILE = [
    "",
    " ",
    "\x00",
    "\x1b[2J",
    "../../etc",
    "$1",
    "\\1",
    "(",
    "a**",
    "(?=x)",
    "\ud800",
    "x" * 70_000,
    "[" * 9_999,
]
_TEXT = st.one_of(st.sampled_from(_HOSTILE), st.text(max_size=30))
_ANY = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False), _TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_TEXT, inner, max_size=3)),
    max_leaves=6,
)
_RULE = st.fixed_dictionaries(
    {},
    optional={
        "type": st.one_of(
            st.sampled_from(["multi_line", "exclude_at_match", "include_at_match", "mask_sequences"]), _ANY
        ),
        "name": _ANY,
        "pattern": st.one_of(st.sampled_from(["key=(\\w+)", "^\\d", "(", ".*", "(?i)get"]), _ANY),
        "replace_placeholder": st.one_of(st.sampled_from(["$1", "${2}", "\\9", "[gone]"]), _ANY),
    },
)
_ENTRY = st.fixed_dictionaries(
    {},
    optional={
        "source": _ANY,
        "service": _ANY,
        "tags": _ANY,
        "log_processing_rules": st.one_of(st.lists(_RULE, max_size=4), _ANY),
        "extra": _ANY,
    },
)
_AD_LOGS = st.one_of(_TEXT, st.one_of(st.lists(_ENTRY, max_size=2), _ANY).map(json.dumps))


def asked(labels: Any, **more: Any) -> Wishes:
    """As of a container that an engine told of."""
    document = {"Id": "4" * 64, "Name": "/web", "Config": {"Labels": labels}, **more}
    container = from_inspection(document)
    assert container is not None
    return wishes(container)


@given(
    st.fixed_dictionaries(
        {},
        optional={adlogs.LABEL: _AD_LOGS, SERVICE: _TEXT, FORMAT: _TEXT, MULTILINE: _TEXT, EXCLUDE: _TEXT},
    )
)
@settings(max_examples=200)
def test_whatever_labels_say_lines_go_through(labels: dict[str, str]) -> None:
    found = asked(labels)
    assert found.service_name
    assert len(found.service_name) <= 200
    assert not any("\x1b" in text or len(text) > 300 for text in found.complaints)
    adlogs.masked(found.rules, TEXTS)
    adlogs.wanted(found.rules, TEXTS)


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ([{"type": "mask_sequences", "name": "m", "pattern": "("}], "can't be applied"),
        ([{"type": "mask_sequences", "name": "m"}], "can't be applied"),
        (
            [{"type": "mask_sequences", "name": "m", "pattern": "(a)", "replace_placeholder": "$2"}],
            "refers to a group",
        ),
        ([{"type": "mask_sequences", "name": "m", "pattern": "(?=a)"}], "can't be applied"),
        (
            [{"type": "mask_sequences", "name": f"m{n}", "pattern": "a"} for n in range(60)],
            "more than 50 rules",
        ),
    ],
)
def test_a_mask_that_can_not_be_applied_refuses_the_container(rules: list[dict[str, str]], why: str) -> None:
    found = asked({adlogs.LABEL: json.dumps([{"log_processing_rules": rules}])})
    assert why in found.refused


@pytest.mark.parametrize(
    "label",
    [
        '[{"log_processing_rules":[{"type":"mask_sequences","pattern":"a"}]}',
        '{"log_processing_rules":[{"type":"mask_sequences","pattern":"a"}]}',
        '[{"service":"a"},{"log_processing_rules":[{"type":"mask_sequences","pattern":"a"}]}]',
        '[{"log_processing_rules":[{"type":"mask_sequences","pattern":"a"}],"service":"'
        + "x" * 70_000
        + '"}]',
    ],
)
def test_a_label_with_masks_that_can_not_be_read_refuses_the_container(label: str) -> None:
    assert asked({adlogs.LABEL: label}).refused
    harmless = asked({adlogs.LABEL: label.replace("mask_sequences", "exclude_at_match")})
    assert not harmless.refused
    assert harmless.complaints


def test_documents_of_an_engine_that_are_none() -> None:
    for value in (None, [], "x", 1, {}, {"Id": "../../etc"}, {"Id": 4}):
        assert from_inspection(value) is None
    for odd in (None, 1, "x", [1], {"a": 1}, {"LogPath": "/a\0b"}):
        asked(
            odd,
            Name=odd,
            State=odd,
            HostConfig={"LogConfig": odd},
            Created=odd,
            RestartCount=odd,
            LogPath=odd,
        )
