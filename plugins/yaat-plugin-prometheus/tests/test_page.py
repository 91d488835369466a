"""The page, judged by the strict parser of the format's reference library and by promtool."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as strict
from prometheus_client.parser import text_string_to_metric_families as classic

from yaat_core.stats import Stats
from yaat_core.testing import MadeAgent
from yaat_plugin_prometheus.config import MAX_SERIES, MAX_VALUE, UNITS
from yaat_plugin_prometheus.page import page

ROOT = Path(__file__).resolve().parents[3]
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
#: A call that makes an instrument, with its name.
_INSTRUMENT = re.compile(r"\.(counter|gauge|histogram)\(\s*\"(\w+)\",")


def families_of(agent: MadeAgent) -> dict[str, Metric]:
    body = page(agent.stats.snapshot(), agent.state, OPENMETRICS).body.decode()
    assert body.endswith("# EOF\n")
    found = list(strict(body))
    names = [family.name for family in found]
    assert len(set(names)) == len(names), "a family twice"
    return {family.name: family for family in found}


def value(families: dict[str, Metric], sample: str, **labels: str) -> float:
    (found,) = [
        one.value
        for family in families.values()
        for one in family.samples
        if one.name == sample and {name: text for name, text in one.labels.items() if text} == labels
    ]
    return float(found)


def test_what_the_agent_says_of_itself() -> None:
    found = families_of(MadeAgent())
    assert value(found, "yaat_component_up", component="sources.app", type="file") == 1
    assert value(found, "yaat_component_up", component="sinks.local", type="duckdb") == 0
    state = {"component": "sinks.local", "type": "duckdb"}
    assert value(found, "yaat_component_state", yaat_component_state="retrying", **state) == 1
    assert value(found, "yaat_component_state", yaat_component_state="ok", **state) == 0
    assert value(found, "yaat_component_restarts_total", component="sinks.local") == 2
    assert value(found, "yaat_agent_state", yaat_agent_state="running") == 1
    assert value(found, "yaat_health_ok") == 0
    assert value(found, "yaat_health_problems", component="sinks.local", level="error") == 1
    assert value(found, "yaat_health_problems", component="sources.app", level="error") == 0
    assert value(found, "yaat_accounting_read_events_total") == 12
    assert value(found, "yaat_accounting_dropped_events_total", by="scrub/health") == 2
    fates = {"delivered": 4, "queued": 3, "dead": 2, "dropped": 1, "lost": 0}
    for fate, count in fates.items():
        assert value(found, "yaat_accounting_events", component="sinks.local", fate=fate) == count
    assert value(found, "yaat_metrics_left_out") == 0
    assert found["yaat_build"].samples[0].labels["version"] == MadeAgent().state.version


def test_this_process() -> None:
    found = families_of(MadeAgent())
    assert value(found, "process_cpu_seconds_total") > 0
    assert value(found, "process_resident_memory_bytes") > 2**20
    assert value(found, "process_open_fds") > 2
    assert value(found, "process_start_time_seconds") > 1.6e9


def test_instruments_with_units_and_types() -> None:
    agent = MadeAgent()
    agent.stats.counter("yaat_sent_bytes_total", "Sent.", component="sinks.a").add(7)
    agent.stats.counter("yaat_tries", "Named without a suffix.").add(2)
    timed = agent.stats.histogram("yaat_wait_seconds", "Waited.", component="sinks.a")
    timed.observe(0.02, 3)
    timed.observe(1000)
    found = families_of(agent)
    assert (found["yaat_sent_bytes"].type, found["yaat_sent_bytes"].unit) == ("counter", "bytes")
    assert value(found, "yaat_sent_bytes_total", component="sinks.a") == 7
    assert value(found, "yaat_tries_total") == 2
    assert (found["yaat_wait_seconds"].type, found["yaat_wait_seconds"].unit) == ("histogram", "seconds")
    assert value(found, "yaat_wait_seconds_bucket", component="sinks.a", le="0.025") == 3
    assert value(found, "yaat_wait_seconds_bucket", component="sinks.a", le="+Inf") == 4
    assert value(found, "yaat_wait_seconds_count", component="sinks.a") == 4
    assert value(found, "yaat_wait_seconds_sum", component="sinks.a") == pytest.approx(1000.06)


def test_series_of_one_name_with_different_labels() -> None:
    agent = MadeAgent()
    agent.stats.counter("yaat_x_total", "X.", component="a").add(1)
    agent.stats.counter("yaat_x_total", "X.", overflow="true").add(2)
    found = families_of(agent)
    assert value(found, "yaat_x_total", component="a") == 1
    assert value(found, "yaat_x_total", overflow="true") == 2


def test_names_that_clash_leave_one_family_out() -> None:
    agent = MadeAgent()
    agent.stats.gauge("yaat_health_ok", "Somebody else's.").set(7)
    agent.stats.counter("yaat_thing_total", "A counter.").add(1)
    agent.stats.gauge("yaat_thing", "A gauge of the counter's name.").set(2)
    agent.stats.histogram("yaat_timed", "A histogram.").observe(1)
    agent.stats.gauge("yaat_timed_sum", "A gauge of its sum's name.").set(2)
    found = families_of(agent)
    assert value(found, "yaat_health_ok") == 0
    assert value(found, "yaat_metrics_left_out") == 3


def test_a_page_stays_bounded() -> None:
    agent = MadeAgent()
    stats = [Stats() for _ in range(2)]
    for number in range(MAX_SERIES + 500):
        agent.stats.counter("yaat_many_total", "Many.", stream=str(number)).add(1)
        stats[number % 2].counter("yaat_more_total", "More.", stream=str(number)).add(1)
    agent.stats.gauge("yaat_long", "Long.", path="x" * 10_000).set(1)
    samples = [*agent.stats.snapshot(), *stats[0].snapshot(), *stats[1].snapshot()]
    body = page(samples, agent.state, OPENMETRICS).body.decode()
    found = {family.name: family for family in strict(body)}
    assert len(found["yaat_many"].samples) == MAX_SERIES
    assert value(found, "yaat_many_total", overflow="true") == 501
    assert len(found["yaat_more"].samples) == MAX_SERIES
    assert value(found, "yaat_metrics_left_out") == 500
    assert len(found["yaat_long"].samples[0].labels["path"]) == MAX_VALUE


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["counter", "gauge", "histogram"]),
            st.text(max_size=12),
            st.text(max_size=20),
            st.dictionaries(st.text(min_size=1, max_size=5), st.text(max_size=8), max_size=3),
            st.floats(allow_nan=False, min_value=0),
        ),
        max_size=8,
    )
)
def test_whatever_instruments_are_called_both_formats_can_be_read(
    made: list[tuple[str, str, str, dict[str, str], float]],
) -> None:
    agent = MadeAgent()
    for number, (kind, name, help, labels, amount) in enumerate(made):
        plain = {key: text for key, text in labels.items() if key not in ("name", "help", "self")}
        instrument = getattr(agent.stats, kind)(f"{name}{number}", help, **plain)
        getattr(instrument, {"counter": "add", "gauge": "set", "histogram": "observe"}[kind])(amount)
    assert "yaat_health_ok" in families_of(agent)
    text = page(agent.stats.snapshot(), agent.state, "").body.decode()
    assert "yaat_health_ok" in {family.name for family in classic(text)}


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        ("application/openmetrics-text", True),
        (OPENMETRICS, True),
        ("application/openmetrics-text; version=2.0.0", False),
        (f"{OPENMETRICS};q=0.5,text/plain;version=0.0.4;q=0.6", False),
        (f"{OPENMETRICS};q=0", False),
        (f"{OPENMETRICS};q=nonsense", False),
        (
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
            "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            True,
        ),
        (
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=1.0.0;"
            "escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
            True,
        ),
    ],
)
def test_who_asks_for_openmetrics_gets_it(accept: str, openmetrics: bool) -> None:
    answer = page([], MadeAgent().state, accept)
    wanted = "application/openmetrics-text; version=1.0.0" if openmetrics else "text/plain; version=0.0.4"
    assert answer.content_type.startswith(wanted)
    assert answer.body.endswith(b"# EOF\n") is openmetrics


def test_names_of_all_instruments_of_this_tree() -> None:
    found = {
        (kind, name)
        for path in [*ROOT.glob("yaat_core/**/*.py"), *ROOT.glob("plugins/*/yaat_*/**/*.py")]
        for kind, name in _INSTRUMENT.findall(path.read_text(encoding="utf-8"))
    }
    assert len(found) > 40
    for kind, name in found:
        assert re.fullmatch(r"yaat(_[a-z0-9]+)+", name), name
        assert name.endswith("_total") is (kind == "counter"), f"{name} is a {kind}"
        assert kind != "histogram" or name.endswith(tuple(UNITS)), f"{name} has no unit"
    assert len({name for _, name in found}) == len(found), "one name, two types"


@pytest.mark.skipif(
    not shutil.which("promtool"), reason="promtool is not installed (apt-get install prometheus)"
)
def test_promtool_finds_nothing_to_complain_of() -> None:
    agent = MadeAgent()
    agent.stats.counter("yaat_sent_bytes_total", "Sent.", component='a "quoted"\nname\\').add(7)
    agent.stats.histogram("yaat_wait_seconds", "Waited.").observe(1)
    text = page(agent.stats.snapshot(), agent.state, "").body
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
