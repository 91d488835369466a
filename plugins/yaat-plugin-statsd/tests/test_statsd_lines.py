"""What lines mean: types, rates, packed values, protocol versions, tag forms."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest


def tags_of(bench, line, **options):
    """The tags of the only series that a line makes."""
    box = bench(counters=("count",), **options).read(line)
    [event] = box.cut()
    assert not box.rejected()
    return dict(event.tags)


@pytest.mark.parametrize(
    ("line", "kind", "value"),
    [
        ("a:3|c", "c", 3),
        ("a:3|m", "m", 3),
        ("a:-1.5e2|g", "g", -150),
        ("a:bob|s", "s", 1),
        ("a:3|c\r", "c", 3),
    ],
)
def test_types(bench, line, kind, value):
    [event] = bench(counters=("count",), gauge_deltas=False).read(line).cut()
    assert (event.event_type, event.metric_name, event.metric_value) == ("metric", "a", value)
    assert dict(event.tags) == {"statsd_type": kind}


@pytest.mark.parametrize("kind", ["ms", "h", "d"])
def test_a_histograms_rows(bench, kind):
    values = bench().read(*(f"t:{n}|{kind}" for n in range(1, 101))).values()
    assert values == {
        "t.min": 1,
        "t.max": 100,
        "t.mean": 50.5,
        "t.median": 50,
        "t.p95": 95,
        "t.p99": 99,
        "t.count": 100,
        "t.sum": 5050,
    }


def test_a_counters_rows(bench):
    assert bench().read("a:3|c", "a:4|c").values(seconds=3.5) == {"a": 7, "a.rate": 2}
    assert bench(counters=("rate",)).read("a:3|c").values(seconds=2) == {"a.rate": 1.5}


def test_rates_scale_counts_and_nothing_else(bench):
    lines = ["c:2|c|@0.1", "t:7|ms|@0.5", "t:9|ms|@0.5", "g:4|g|@0.1", "s:x|s|@0.1"]
    assert bench(counters=("count",), aggregates=("count", "sum", "mean", "max")).read(*lines).values() == {
        "c": 20,
        "t.count": 4,
        "t.sum": 32,
        "t.mean": 8,
        "t.max": 9,
        "g": 4,
        "s": 1,
    }


def test_values_of_different_rates_weigh_differently(bench):
    box = bench(aggregates=("count", "median", "p90"))
    box.read(*["t:1|ms|@0.1"] * 10, *["t:5|ms"] * 10)
    assert box.values() == {"t.count": 110, "t.median": 1, "t.p90": 1}


@pytest.mark.parametrize("rate", ["0", "-1", "1.1", "nan", "inf", "", "x", "1_0", "1e-300"])
def test_bad_rates(bench, rate):
    box = bench().read(f"a:1|c|@{rate}")
    assert not box.cut()
    assert box.rejected() == {"bad_rate": 1}


@pytest.mark.parametrize("times", [1, 2])
def test_packed_values(bench, times):
    """The second time the line is known by its bytes."""
    box = bench(counters=("count",), aggregates=("count", "sum"))
    for _ in range(times):
        box.read("c:1:2:3|c|@0.5|#a:b", "d:1:2:3|d|@0.5|#t", "g:1:2|g", "s:a:b|s")
    assert box.values() == {"c": 12 * times, "d.count": 6 * times, "d.sum": 12 * times, "g": 2, "s": 1}
    assert not box.rejected()


@pytest.mark.parametrize("times", [1, 2])
def test_a_bad_value_among_packed_ones(bench, times):
    box = bench(counters=("count",))
    for _ in range(times):
        box.read("c:1:x:3:|c")
    assert box.values() == {"c": 4 * times}
    assert box.rejected() == {"bad_value": times, "no_value": times}


def test_several_metrics_in_one_line(bench):
    box = bench(counters=("count",), aggregates=("sum",))
    box.read("foo:1|c:200|ms", "foo:1|c:2|c|@0.1:3|c")
    assert [(event.metric_name, event.metric_value) for event in box.cut()] == [("foo", 25), ("foo.sum", 200)]
    assert not box.rejected()


def test_gauges_change_by_signed_values(bench):
    box = bench().read("g:10|g", "g:+5|g", "g:-3|g")
    assert box.values() == {"g": 12}
    assert box.read("g:-20|g").values() == {"g": -8}
    assert bench(gauge_deltas=False).read("g:10|g", "g:-3|g").values() == {"g": -3}


@pytest.mark.parametrize(
    ("line", "tags"),
    [
        ("a:1|c|#env:prod,url:http://x:1,web", {"env": "prod", "url": "http://x:1", "web": "true"}),
        ("a,env=prod,host=h:1|c", {"env": "prod", "host.name": "h"}),
        ("a;env=prod;dc=a b:1|c", {"env": "prod", "dc": "a b"}),
        ("a;env=x:1|c|#dc:y", {"env": "x", "dc": "y"}),
        ("a:1|c|#k:2,k:1,k:2", {"k": "2,1"}),
        ("a:1|c|#,, ,x:", {"x": ""}),
        ("a:1|c|#größe:ü\u202e", {"größe": "ü\u202e"}),
        ("a:1|c|#statsd_type:evil", {}),
    ],
)
def test_tag_forms(bench, line, tags):
    assert tags_of(bench, line) == {**tags, "statsd_type": "c"}


def test_a_comma_that_begins_no_tag_belongs_to_the_name(bench):
    assert bench(counters=("count",)).read("a,b:1|c").values() == {"a,b": 1}


def test_series_are_the_same_in_any_order_and_form(bench):
    lines = ["a:1|c|#x:1,y:2", "a:1|c|#y:2,x:1", "a,x=1,y=2:1|c", "a;y=2;x=1:1|c", "a:1|c|@1|#x:1,y:2"]
    assert bench(counters=("count",)).read(*lines).values() == {"a": 5}


@pytest.mark.parametrize(
    ("fields", "tags"),
    [
        ("c:abc", {"container.id": "abc"}),
        ("c:ci-abc", {"container.id": "abc"}),
        ("c:in-4026", {"container.cgroup_inode": "4026"}),
        ("e:it-false,cn-nginx,pu-123-456", {"container.name": "nginx", "k8s.pod.uid": "123-456"}),
        ("#dd.internal.entity_id:123", {"k8s.pod.uid": "123"}),
        ("#dd.internal.card:none|c:ci-abc", {}),
        ("c:ci-abc|card:none", {}),
        ("c:ci-abc|card:low|x:unknown|zz|", {"container.id": "abc"}),
        ("c:ci-abc|e:it-true|card:high|@0.5|#a:b", {"container.id": "abc", "a": "b"}),
    ],
)
def test_origin_and_unknown_fields(bench, fields, tags):
    assert tags_of(bench, f"a:1|c|{fields}") == {**tags, "statsd_type": "c"}


def test_origin_tags_can_be_left_out(bench):
    assert tags_of(bench, "a:1|c|c:ci-abc|e:it-false,cn-n", origin_tags=False) == {"statsd_type": "c"}


def test_a_timestamp_goes_past_the_aggregation(bench):
    box = bench().read("a:3|c|T1700000000|#x:y", "a:4:5|g|T1700000001", "a:1|c|@0.5|T1700000002")
    assert not box.cut()
    points = [(e.timestamp, e.metric_value, dict(e.tags)["statsd_type"]) for e in box.notes()]
    assert points == [
        (datetime.fromtimestamp(1700000000, UTC), 3, "c"),
        (datetime.fromtimestamp(1700000001, UTC), 4, "g"),
        (datetime.fromtimestamp(1700000001, UTC), 5, "g"),
        (datetime.fromtimestamp(1700000002, UTC), 2, "c"),
    ]


@pytest.mark.parametrize("stamp", ["T", "T-1", "T0", "Tx", "T1e9", "T999999999999", "T99999999999999999999"])
def test_bad_timestamps(bench, stamp):
    box = bench().read(f"a:1|c|{stamp}")
    assert not box.notes()
    assert box.rejected() == {"bad_timestamp": 1}


def test_a_timestamp_on_other_types_means_nothing(bench):
    assert bench(aggregates=("sum",)).read("a:1|ms|T1700000000").values() == {"a.sum": 1}


def test_namespace_and_tags_to_keep(bench):
    line = "a:1|c|#env:prod,request_id:17,k8s.pod:x,k8s.node:y"
    assert tags_of(bench, line, deny_tags=("request_*", "k8s.p*")) == {
        "env": "prod", "k8s.node": "y", "statsd_type": "c",
    }  # fmt: skip
    assert tags_of(bench, line, allow_tags=("k8s.*",), deny_tags=("*.node",)) == {
        "k8s.pod": "x", "statsd_type": "c",
    }  # fmt: skip
    assert bench(namespace="shop", counters=("count",)).read("a:1|c").values() == {"shop.a": 1}


def test_service_and_env_name_service_and_environment(bench):
    [event] = bench(counters=("count",)).read("a:1|c|#service:pay,env:test,version:2").cut()
    assert (event.service_name, event.environment) == ("pay", "test")
    assert dict(event.tags) == {"service": "pay", "env": "test", "version": "2", "statsd_type": "c"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a", "no_value"),
        ("a:", "no_value"),
        ("a|c", "no_value"),
        ("a|b:1|c", "no_value"),
        (":1|c", "no_name"),
        ("a:1", "no_type"),
        ("a:1|", "no_type"),
        ("a:1|x", "bad_type"),
        ("a:1|C", "bad_type"),
        ("a:|c", "no_value"),
        ("a:|s", "no_value"),
        ("a:x|c", "bad_value"),
        ("a:nan|g", "bad_value"),
        ("a:Infinity|ms", "bad_value"),
        ("a:1e999|c|@0.1", "bad_value"),
        ("a:1_0|c", "bad_value"),
        ("a:0x10|c", "bad_value"),
        ("n" * 2000 + ":1|c", "name_too_long"),
        ("a:1|c|#" + ",".join(f"t{n}:1" for n in range(200)), "too_many_tags"),
        ("a:1|c|#t:" + "x" * 9000, "tags_too_long"),
        ("_e{1,1}:a", "bad_event"),
        ("_sc|a|9", "bad_check"),
    ],
)
def test_each_rejection_has_its_reason_and_its_neighbours_stay(bench, line, reason):
    box = bench(counters=("count",))
    for number in (1, 2):
        box.read(f"before:1|c\n{line}\nafter:1|c")
        assert box.rejected() == {reason: number}
    assert box.values() == {"before": 2, "after": 2}


def test_blank_lines_are_nothing(bench):
    box = bench(counters=("count",)).read("\n\na:1|c\n \r\n")
    assert box.values() == {"a": 1}
    assert not box.rejected()
