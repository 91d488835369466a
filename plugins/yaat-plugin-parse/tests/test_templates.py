"""What servers are told to write, as options: how it is pasted, what is refused with advice, and odd values."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yaat_core.components import Processor
from yaat_core.event import Event, EventBatch, Labels
from yaat_plugin_parse import apache_format, line_prefix, log_format, pattern_layout, python_format

Make = Callable[..., Processor]
WHEN = datetime(2026, 1, 5, 10, tzinfo=UTC)


def run(step: Processor, *lines: str) -> list[Event]:
    return list(
        step.process(EventBatch.from_events([Event(message=line) for line in lines], Labels(stream="s")))[0]
    )


FORMAT = '$remote_addr [$time_local] "$request" $status ${request_time}s "$http_x_api_version" $upstream_addr'
LINE = '1.2.3.4 [05/Jan/2026:10:00:00 +0000] "GET /x?y HTTP/1.1" 200 0.5s "7" 10.0.0.1:80, 10.0.0.2:80'


@pytest.mark.parametrize(
    "written",
    [
        FORMAT,
        f"'{FORMAT}'",
        f"log_format own '{FORMAT}';",
        "log_format  own escape=default\n  '$remote_addr [$time_local] \"$request\" $status '\n"
        "  '${request_time}s \"$http_x_api_version\" $upstream_addr';\n",
    ],
)
def test_log_format_as_it_stands_in_the_configuration(written: str, make: Make) -> None:
    event, other = run(make("nginx", log_format=written), LINE, "words")
    assert (event.operation, event.status_code, event.duration_ms, event.timestamp) == (
        "GET /x",
        200,
        500.0,
        WHEN,
    )
    assert event.tags["http.request.header.x-api-version"] == "7"
    assert event.tags["nginx.upstream_addr"] == "10.0.0.1:80, 10.0.0.2:80"
    assert (other.message, other.event_type, other.tags) == ("words", "log", {})


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("no variable", "nginx.conf"),
        ("$uri$args x", "nothing between"),
        ("$a " * 99, "at most"),
        ("'$uri' $args", "quoted"),
    ],
)
def test_a_log_format_that_can_not_be_read_back(written: str, advice: str, make: Make) -> None:
    with pytest.raises(ValueError, match=advice):
        make("nginx", log_format=written)


@pytest.mark.parametrize(
    ("kind", "option", "value", "advice"),
    [
        ("apache", "log_format", "%h %Z", "combined"),
        ("apache", "log_format", "words", "no value"),
        ("python", "log_format", "words", "levelname"),
        ("python", "date_format", "%Q", "%Q"),
        ("log4j", "pattern", "%Q %m", "conversion word"),
        ("log4j", "pattern", "%d{yyyy %m", "brace"),
        ("log4j", "pattern", "%d{bb} %m", "date pattern"),
        ("postgres", "log_line_prefix", "%m %K ", "%K"),
        ("regex", "time_format", "words", "no value"),
        ("csv", "delimiter", ";;", "one character"),
        ("json", "max_fields", 0, "from 1"),
    ],
)
def test_wrong_options_are_refused_with_advice(
    kind: str, option: str, value: Any, advice: str, make: Make
) -> None:
    more = {"pattern": "(?P<a>x)"} if kind == "regex" else {}
    with pytest.raises(ValueError, match=advice):
        make(kind, **{option: value}, **more)


def test_apaches_directive_is_taken_as_it_stands(make: Make) -> None:
    directive = r'LogFormat "%v %{c}a %t \"%r\" %>s %{ms}T %{X-Api}i %{tid}P %{session}C \"%{Referer}i\"" own'
    line = 'www 1.2.3.4 [05/Jan/2026:10:00:00 +0000] "GET /a\\"b HTTP/1.1" 304 12 7 99 abc "-"'
    [event] = run(make("apache", log_format=directive), line)
    assert (event.operation, event.status_code, event.duration_ms) == ('GET /a"b', 304, 12.0)
    assert event.tags == {
        "apache.server_name": "www",
        "network.peer.address": "1.2.3.4",
        "http.request.header.x-api": "7",
        "thread.id": "99",
        "http.request.cookie.session": "abc",
        "http.request.method": "GET",
        "url.path": '/a"b',
        "network.protocol.version": "1.1",
    }


SPRING = (
    "%clr(%d{${LOG_DATEFORMAT_PATTERN:-yyyy-MM-dd'T'HH:mm:ss.SSSXXX}}){faint} %clr(${LOG_LEVEL_PATTERN:-%5p}) "
    "%clr(${PID:- }){magenta} %clr(---){faint} %clr([%15.15t]){faint} %clr(%-40.40logger{39}){cyan} %clr(:){faint} %m%n%wEx"
)


@pytest.mark.parametrize(
    ("pattern", "line", "tags"),
    [
        ("%d %-5p [%t] %c{1}:%L - %m%n", "2026-01-05 10:00:00,000 WARN  [a b] Shop:12 - words",
         {"line": "12", "logger": "Shop", "thread.name": "a b"}),
        ("%d{dd/MM/yyyy HH:mm:ss.SSS} %X{user:-nobody} %level %msg%xEx",
         "05/01/2026 10:00:00.000 ann WARN words", {"user": "ann"}),
        ("%d{ISO8601}{UTC} | %highlight{%p}{WARN=red} | %replace(%m){'x'}{'y'}", "", None),
        ("[%p] %d{UNIX_MILLIS} %m", "[WARN] 1767607200000 words", {}),
        (SPRING, "2026-01-05T10:00:00.000Z  WARN   --- [           main] c.e.Shop                                 : words",
         {"thread.name": "main", "logger": "c.e.Shop"}),
    ],
)  # fmt: skip
def test_layouts_of_java(pattern: str, line: str, tags: dict[str, str] | None, make: Make) -> None:
    if tags is None:
        with pytest.raises(ValueError, match="replace"):
            make("log4j", pattern=pattern)
        return
    [event] = run(make("log4j", pattern=pattern), line)
    assert (event.timestamp, event.level, event.message, event.tags) == (WHEN, "warning", "words", tags)


def test_an_impossible_date_of_a_layout_is_kept(make: Make) -> None:
    [event] = run(make("log4j", pattern="%d{dd/MM/yyyy} %m"), "31/02/2026 words")
    assert event.message == "words"
    assert {"31", "02", "2026"} <= set(event.tags.values())


texts = st.text(
    st.characters(min_codepoint=32, exclude_characters='"\\', exclude_categories=("Cs",)), max_size=12
)


@settings(max_examples=60)
@given(
    agent=texts, path=st.text("abc/?=&%", max_size=9), status=st.integers(100, 599), ms=st.integers(0, 10**6)
)
def test_what_apache_would_write_comes_back(agent: str, path: str, status: int, ms: int) -> None:
    layout = apache_format.Layout.of('%h %{ms}T "%r" %>s "%{User-Agent}i"')
    import pyarrow as pa

    line = f'::1 {ms} "GET /{path} HTTP/1.1" {status} "{agent}"'
    [fields] = [*layout.read_plain(pa.array([line]))]
    values = {name: column[0].as_py() for name, column in fields.columns.items()}
    assert values["request"] == f"GET /{path} HTTP/1.1"
    assert (values["status"], values["ms"]) == (str(status), str(ms))
    assert values.get("agent", agent) == agent or agent == "-"


@pytest.mark.parametrize(
    "read",
    [
        log_format.Layout.of,
        apache_format.Layout.of,
        line_prefix.template_of,
        pattern_layout.template_of,
        python_format.template_of,
    ],
)
@settings(max_examples=40)
@given(text=st.text("%$ {}()[]\"'\\aAdhmpuqTX:-,0", max_size=20) | st.text(max_size=10))
def test_any_text_is_taken_or_refused(read: Callable[[str], Any], text: str) -> None:
    """What is taken makes patterns that RE2 takes, too."""
    import re2

    try:
        found = read(text)
    except ValueError:
        return
    template = getattr(found, "template", found)
    for pattern in template.patterns:
        re2.compile(pattern)
