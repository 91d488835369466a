"""Lines of nginx, Python and patterns, and the finding out which."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yaat_core.components import Processor
from yaat_core.event import Event, EventBatch, Labels
from yaat_core.registry import Register, Registry
from yaat_core.stats import Stats
from yaat_core.testing import make_context
from yaat_plugin_parse import plugin

HEAD = "203.0.113.9 - - [05/Jan/2026:10:00:00 +0000] "
WHEN = datetime(2026, 1, 5, 10, tzinfo=UTC)


def run(step: Processor, *lines: str, stream: str = "s") -> list[Event]:
    batch = EventBatch.from_events([Event(message=line) for line in lines], Labels(stream=stream))
    return list(step.process(batch)[0])


def with_stats(name: str, folder: Path) -> tuple[Processor, Stats]:
    registry, stats = Registry(), Stats()
    plugin.register_components(Register(registry, "yaat-plugin-parse"))
    kind = registry.find("processors", name)
    assert kind is not None
    return kind.factory(kind.config(), make_context(folder, f"processors.{name}", stats=stats)), stats


def value(stats: Stats, name: str, **labels: str) -> float:
    [found] = [one for one in stats.snapshot() if one.name == name and labels.items() <= one.labels.items()]
    return found.value


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            HEAD + '"GET /a/b?c=d&e=f HTTP/1.1" 200 12 "http://x/" "curl/8"',
            {"operation": "GET /a/b", "url.query": "c=d&e=f", "url.path": "/a/b", "http.request.method": "GET",
             "network.protocol.version": "1.1", "http.response.body.size": "12",
             "http.request.header.referer": "http://x/", "user_agent.original": "curl/8"},
        ),
        (HEAD + '"POST / HTTP/2.0" 500 0 "-" "-" 0.120', {"duration_ms": 120.0, "level": "error", "status_code": 500}),
        (HEAD + '"POST / HTTP/2.0" 404 0 "-" "-" "0.007"', {"duration_ms": 7.0, "level": "warning"}),
        (HEAD + '"GET / HTTP/1.1" 200 0 "-" "-" rt=1.5 uct="0.1"', {"duration_ms": 1500.0, "level": "info"}),
        (HEAD + '"GET / HTTP/1.1" 200 0 "-" "-" -', {"duration_ms": None, "operation": "GET /"}),
        (HEAD + '"GET / HTTP/1.1" 200 0 "-" "ua" "198.51.100.1, 10.0.0.1" 0.010',
         {"http.request.header.x-forwarded-for": "198.51.100.1, 10.0.0.1", "duration_ms": 10.0}),
        (HEAD + '"GET / HTTP/1.1" 200 0 "-" "ua" "-"', {"http.request.header.x-forwarded-for": None}),
        (HEAD + '"\\x16\\x03\\x01\\x02" 400 150 "-" "-"', {"operation": "", "status_code": 400, "url.path": None}),
        (HEAD + '"-" 408 0 "-" "-"', {"operation": ""}),
        (HEAD + '"" 400 0 "-" "-"', {"operation": ""}),
        (HEAD + '"GET /a b?q=1 2 HTTP/1.1" 400 0 "-" "-"', {"operation": "GET /a b", "url.query": "q=1 2"}),
        (HEAD + '"GET /old" 200 0 "-" "-"', {"operation": "GET /old", "network.protocol.version": None}),
        (HEAD + '"PROPFIND /x HTTP/1.1" 207 - "-" "-"', {"operation": "PROPFIND /x", "http.response.body.size": None}),
        (HEAD + '"GET / HTTP/1.1" 000 0 "-" "-"', {"status_code": 0, "level": "info"}),
        ('::1 - ann smith [05/Jan/2026:11:00:00 +0100] "GET / HTTP/1.1" 200 0 "-" "-"',
         {"client.address": "::1", "user.name": "ann smith"}),
        ('unix: - a[b] [05/Jan/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 0 "-" "-"', {"user.name": "a[b]"}),
    ],
)  # fmt: skip
def test_access_lines(line: str, expected: dict[str, Any], make: Callable[..., Processor]) -> None:
    other = HEAD + '"GET /other?x HTTP/1.1" 200 1 "-" "other" 0.001'
    _, event, _ = run(make("nginx"), other, line, other)
    assert (event.event_type, event.message, event.timestamp) == ("span", line, WHEN)
    assert (event.trace_id, event.span_id) == (None, None)
    fields = {name: getattr(event, name, event.tags.get(name)) for name in expected}
    assert fields == expected


@pytest.mark.parametrize(
    "line",
    [
        "",
        '"""""""',
        HEAD,
        HEAD + '"GET / HTTP/1.1" 200 0',
        HEAD + '"GET / HTTP/1.1" abc 0 "-" "-"',
        HEAD + '"GET / HTTP/1.1" 20000 0 "-" "-"',
        '1.2.3.4 - - "GET / HTTP/1.1" 200 0 "-" "-"',
    ],
)
def test_what_is_no_access_line_stays(line: str, make: Callable[..., Processor]) -> None:
    [event] = run(make("nginx"), line)
    assert (event.event_type, event.message, event.operation, event.tags) == ("log", line, None, {})


def test_an_impossible_time_keeps_its_text(make: Callable[..., Processor]) -> None:
    [event] = run(make("nginx"), '1.1.1.1 - - [31/Feb/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 0 "-" "-"')
    assert (event.tags["timestamp.raw"], event.operation) == ("31/Feb/2026:10:00:00 +0000", "GET /")


texts = st.text(st.characters(blacklist_characters='"', blacklist_categories=("Cs",)), max_size=20)


@given(texts, texts, texts, st.integers(0, 999), st.integers(0, 10**12))
def test_every_piece_comes_back(request: str, referer: str, agent: str, status: int, size: int) -> None:
    from yaat_plugin_parse.config import NginxConfig
    from yaat_plugin_parse.formats.nginx import NginxFormat

    line = f'{HEAD}"{request}" {status:03d} {size} "{referer}" "{agent}"'
    [found] = NginxFormat(NginxConfig()).parse(pa.array([line]), "")
    tags = dict(found.tags[0].as_py())
    assert found.columns["status_code"][0].as_py() == status
    assert tags["http.response.body.size"] == str(size)
    assert tags.get("user_agent.original", agent) == agent
    assert tags.get("http.request.header.referer", referer) == referer


FORMATS = [
    "%(asctime)s - %(name)s - %(levelname)s - %(message)s",
    "%(asctime)s - %(levelname)s - %(name)s - %(message)s",
    "%(asctime)s %(levelname)s %(name)s: %(message)s",
    "%(asctime)s %(levelname)-8s [%(name)s] %(message)s",
    "%(asctime)s [%(levelname)s] %(name)s: %(message)s",
    "[%(asctime)s] [%(levelname)s] %(name)s: %(message)s",
    "[%(asctime)s] [%(levelname)s] [%(name)s] %(message)s",
    "[%(asctime)s] %(levelname)s in %(name)s: %(message)s",
    "%(asctime)s %(name)s %(levelname)s %(message)s",
    "%(levelname)s %(asctime)s %(name)s %(message)s",
    "%(asctime)s | %(levelname)-8s | %(name)s:charge:12 - %(message)s",
    logging.BASIC_FORMAT,
]


def logged(form: str, *records: tuple[int, str, str]) -> list[str]:
    """What Python itself writes."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.terminator = "\x1e"
    handler.setFormatter(logging.Formatter(form))
    handler.formatter.converter = lambda seconds: datetime.fromtimestamp(seconds or 0, UTC).timetuple()  # type: ignore[union-attr,assignment,method-assign]
    for level, name, message in records:
        record = logging.makeLogRecord(
            {"levelno": level, "levelname": logging.getLevelName(level), "name": name, "msg": message,
             "created": WHEN.timestamp(), "msecs": 123.0}
        )  # fmt: skip
        handler.handle(record)
    return out.getvalue().split("\x1e")[:-1]


RECORDS = [
    (10, "shop", "cart: 3 items"),
    (20, "shop.pay-v2", "two\nlines"),
    (40, "a_b", ""),
    (50, "root", "- dash [x]"),
]


@pytest.mark.parametrize("form", FORMATS)
def test_python_writes_and_we_read(form: str, make: Callable[..., Processor]) -> None:
    events = run(make("python"), *logged(form, *RECORDS))
    names = {10: "debug", 20: "info", 40: "error", 50: "critical"}
    for event, (level, name, message) in zip(events, RECORDS, strict=True):
        assert (event.level, event.tags["logger"], event.message) == (names[level], name, message)
        if "asctime" in form:
            assert event.timestamp == WHEN.replace(microsecond=123_000)


def test_all_layouts_in_one_file(make: Callable[..., Processor]) -> None:
    """What a line is read as does not depend on its neighbours."""
    lines = [line for form in FORMATS for line in logged(form, *RECORDS)]
    mixed = run(make("python"), *lines, *lines[::-1])
    alone = [run(make("python"), line)[0] for line in lines]
    for got, expected in zip(mixed, [*alone, *alone[::-1]], strict=True):
        assert (got.level, got.message, got.tags) == (expected.level, expected.message, expected.tags)


@pytest.mark.parametrize(
    ("line", "tags"),
    [
        ("[2026-01-05 10:00:00 +0000] [31] [INFO] Booting worker", {"process": "31"}),
        ("[2026-01-05 10:00:00,000: INFO/MainProcess] Booting worker", {"process": "MainProcess"}),
        ("2026-01-05 10:00:00,000 [info] Booting worker", {}),
        ("2026-01-05T10:00:00Z INFO Booting worker", {}),
    ],
)
def test_other_writers(line: str, tags: dict[str, str], make: Callable[..., Processor]) -> None:
    [event] = run(make("python"), line)
    assert (event.timestamp, event.level, event.message, event.tags) == (WHEN, "info", "Booting worker", tags)


@given(st.sampled_from(FORMATS[:6]), st.text(max_size=40))
def test_any_message_comes_back(form: str, message: str) -> None:
    from yaat_plugin_parse.config import PythonConfig
    from yaat_plugin_parse.formats.python import PythonFormat

    [line] = logged(form, (30, "x", message.replace("\x1e", "")))
    [found] = PythonFormat(PythonConfig()).parse(pa.array([line]), "")
    assert found.columns["message"][0].as_py() == message.replace("\x1e", "")
    assert found.columns["level"][0].as_py() == "warning"


@pytest.mark.parametrize(
    ("pattern", "advice"),
    [
        (r"(?=x)(?P<a>x)", "no lookahead"),
        (r"(?P<a>x)(?<!y)", "lookbehind"),
        (r"(", "RE2"),
        (r"(?P<a>x)\1", "RE2"),
        (r"no groups", r"\(\?P<name>"),
        (r"(?P<a>x)(y)", r"\(\?:"),
        (r"(?P<a>x)(?P<a>y)", "twice"),
        (r"(?P<a>x{1000}){1000}", "RE2"),
    ],
)
def test_patterns_are_refused_with_advice(pattern: str, advice: str, make: Callable[..., Processor]) -> None:
    with pytest.raises(ValueError, match=advice):
        make("regex", pattern=pattern)


def test_groups_go_to_columns_and_tags(make: Callable[..., Processor]) -> None:
    pattern = (
        r"^(?P<timestamp>\S+) (?P<level>\w+) (?P<service_name>\w+) (?P<status_code>\w+) (?P<duration_ms>[\d.]+)ms"
        r"(?: (?P<user>\w+))?"
    )
    lines = ["2026-01-05T10:00:00Z WARN pay 503 12.5ms bob", "when LOUD pay ok 1ms", "other"]
    one, two, three = run(make("regex", pattern=pattern), *lines)
    assert (one.timestamp, one.level, one.service_name, one.status_code, one.duration_ms) == (
        WHEN,
        "warning",
        "pay",
        503,
        12.5,
    )
    assert (one.tags, one.message) == ({"user": "bob"}, lines[0])
    assert two.tags == {"timestamp.raw": "when", "level.raw": "LOUD", "status_code": "ok"}
    assert (three.message, three.tags) == ("other", {})


def test_raw_changes_nothing(make: Callable[..., Processor], tmp_path: Path) -> None:
    step, stats = with_stats("raw", tmp_path)
    batch = EventBatch.from_events(
        [Event(message='{"level":"error"}', level="info"), Event(message="ERROR x")]
    )
    assert step.process(batch)[0].columns.equals(batch.columns)
    assert value(stats, "yaat_parse_unmatched_total", component="processors.raw") == 0


JSON = ['{"level":"info","msg":"a"}'] * 40
ACCESS = [HEAD + '"GET /a HTTP/1.1" 200 12 "-" "curl/8"'] * 40
PYTHON = ["2026-01-05 10:00:00,123 - x - ERROR - boom"] * 40


def test_auto_tells_what_it_chose(tmp_path: Path) -> None:
    step, stats = with_stats("auto", tmp_path)
    for stream, lines in (("a", JSON), ("b", ACCESS), ("c", PYTHON), ("d", JSON), ("e", ["words"] * 9)):
        run(step, *lines, stream=stream)
    counts = {
        name: value(stats, "yaat_parse_auto_streams", format=name)
        for name in ("json", "nginx", "python", "plain")
    }
    assert counts == {"json": 2, "nginx": 1, "python": 1, "plain": 1}
    assert value(stats, "yaat_parse_unmatched_total") == 9


def test_auto_changes_its_mind_when_most_lines_stop_fitting(tmp_path: Path) -> None:
    step, stats = with_stats("auto", tmp_path)
    run(step, *JSON)
    run(step, *PYTHON[:5])
    assert value(stats, "yaat_parse_auto_streams", format="json") == 1, "a few odd lines change nothing"
    run(step, *PYTHON)
    run(step, *PYTHON)
    assert value(stats, "yaat_parse_auto_streams", format="python") == 1


def test_auto_reads_what_the_chosen_format_leaves(make: Callable[..., Processor]) -> None:
    events = run(make("auto"), *JSON, *ACCESS, *PYTHON, "2026-01-05 10:00:00 WARN words")
    assert [event.level for event in events] == ["info"] * 80 + ["error"] * 40 + ["warning"]
    assert {event.event_type for event in events[40:80]} == {"span"}


def test_auto_decides_as_soon_as_lines_have_a_format(make: Callable[..., Processor]) -> None:
    step = make("auto")
    assert run(step, "starting", "v1.2.3")[0].message == "starting"
    assert [event.message for event in run(step, *JSON)] == ["a"] * 40


def test_auto_remembers_a_bounded_number_of_streams(tmp_path: Path) -> None:
    step, stats = with_stats("auto", tmp_path)
    for number in range(300):
        run(step, JSON[0], stream=str(number))
    assert value(stats, "yaat_parse_auto_streams", format="json") == 256


@settings(max_examples=30)
@given(
    lines=st.lists(st.sampled_from([JSON[0], ACCESS[0], PYTHON[0], "words", "", "{", '"']), max_size=30),
    cut=st.integers(0, 30),
)
def test_auto_gives_each_line_one_event_in_order(
    make: Callable[..., Processor], lines: list[str], cut: int
) -> None:
    step = make("auto")
    events = [*run(step, *lines[:cut]), *run(step, *lines[cut:])]
    known = {JSON[0]: "a", PYTHON[0]: "boom"}
    for line, event in zip(lines, events, strict=True):
        assert event.message in (line, known.get(line))


def test_every_type_but_regex_needs_no_options() -> None:
    registry = Registry()
    plugin.register_components(Register(registry, "yaat-plugin-parse"))
    for name in registry.names("processors"):
        kind = registry.find("processors", name)
        assert kind is not None
        if name == "regex":
            with pytest.raises(TypeError):
                kind.config()
        else:
            kind.config()
