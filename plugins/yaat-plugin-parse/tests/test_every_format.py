"""Each format reads the lines that its programs write, `auto` finds it, and no word of any line is lost."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yaat_core.components import Processor
from yaat_core.event import Event, EventBatch, Labels

Make = Callable[..., Processor]
READ = datetime(2000, 1, 1, tzinfo=UTC)
WHEN = datetime(2026, 1, 5, 10, tzinfo=UTC)
WORD = "Qwertzuiop"

LINES: dict[str, list[str]] = {
    "json": ['{"ts":"2026-01-05T10:00:00Z","level":"warn","msg":"slow","user":{"id":7}}'],
    "logfmt": [
        'ts=2026-01-05T10:00:00Z level=info msg="two \\"words\\"" took=1.5ms',
        "time=2026-01-05T10:00:00Z level=INFO a=1 a=2 empty= url=/x?y=z",
    ],
    "nginx": [
        '203.0.113.9 - ann [05/Jan/2026:10:00:00 +0000] "GET /a?b=c HTTP/1.1" 200 12 "http://r/" "curl/8" 0.120',
        '2026/01/05 10:00:00 [error] 12#13: *7 open() "/x" failed (2: No such file), client: 127.0.0.1, server: a, '
        'request: "GET /x HTTP/1.1", host: "a"',
        "2026/01/05 10:00:00 [notice] 12#12: start worker processes",
    ],
    "apache": [
        '127.0.0.1 - bob [05/Jan/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 2326',
        'example.com:443 127.0.0.1 - - [05/Jan/2026:10:00:00 +0000] "GET / HTTP/1.1" 500 - "-" "ua \\"x\\""',
        "[Mon Jan 05 10:00:00.000000 2026] [core:error] [pid 12:tid 34] (13)Permission denied: [client 127.0.0.1:5] AH1: no",
        "[Mon Jan 05 10:00:00 2026] [error] [client 127.0.0.1] File does not exist",
    ],
    "haproxy": [
        "10.0.1.2:33317 [05/Jan/2026:10:00:00.000] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 "
        '{1wt.eu} {} "GET /index.html HTTP/1.1"',
        "Jan  5 10:00:00 lb haproxy[14]: 10.0.1.2:33313 [05/Jan/2026:10:00:00.000] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0",
        "Jan  5 10:00:00 lb haproxy[14]: Server static/srv1 is UP",
    ],
    "django": [
        '[05/Jan/2026 10:00:00] "GET /cart?x=1 HTTP/1.1" 200 12',
        "INFO 2026-01-05 10:00:00,000 views 12 140 words",
    ],
    "python": [
        "2026-01-05 10:00:00,000 - shop.cart - ERROR - no stock",
        "[2026-01-05 10:00:00 +0000] [31] [INFO] Booting worker",
    ],
    "log4j": [
        "2026-01-05T10:00:00.000Z  INFO 12 --- [app] [  main] c.e.App   : words",
        "2026-01-05 10:00:00,000 [main] INFO  c.e.App - words",
        "2026-01-05 10:00:00,000 [myid:1] - INFO  [main:App@12] - words",
        "[2026-01-05 10:00:00,000] INFO words (kafka.server.KafkaServer)",
        "[2026-01-05T10:00:00,000][INFO ][o.e.n.Node ] [node] words",
        "05-Jan-2026 10:00:00.000 INFO [main] org.apache.X.method words",
        "INFO  [main] 2026-01-05 10:00:00,000 App.java:12 - words",
        "Jan 05, 2026 10:00:00 AM com.example.App main\nINFO: words",
    ],
    "klog": [
        "I0105 10:00:00.000000   12 server.go:45] plain words",
        'E20260105 10:00:00.000000   12 pod.go:9] "Pod \\"status\\" updated" pod="kube-system/x" status="ready"',
    ],
    "syslog": [
        '<165>1 2026-01-05T10:00:00.000Z host app - ID47 [a@1 x="1" x="2"][b y="\\"\\]"] \ufeffwords',
        "<34>Jan  5 10:00:00 host su[12]: words",
        "Jan  5 10:00:00 host su: words",
        "2026-01-05T10:00:00.000000+00:00 host systemd[1]: words",
        "<34>Jan  5 10:00:00 host words and more",
        "21 <13>Jan  5 10:00:00 h a: b",
    ],
    "docker": [
        '{"log":"words\\n","stream":"stderr","time":"2026-01-05T10:00:00.000000000Z","attrs":{"tag":"x"}}'
    ],
    "cri": [
        "2026-01-05T10:00:00.000000000Z stdout F words",
        "2026-01-05T10:00:00.000000000Z stderr P:tag half",
        "2026-01-05T10:00:00.000000000Z stdout P half \n2026-01-05T10:00:00.1Z stdout F whole",
    ],
    "postgres": [
        "2026-01-05 10:00:00.000 UTC [1234] app@shop ERROR:  relation x",
        "2026-01-05 10:00:00.000 UTC [1234] LOG:  duration: 12.345 ms  statement: SELECT 1",
        "2026-01-05 10:00:00 UTC [12]: [3-1] user=a,db=b,app=psql,client=127.0.0.1 FATAL:  no",
        "2026-01-05 10:00:00 UTC:10.0.0.1(5432):u@d:[12]:STATEMENT:  x",
    ],
    "mysql": [
        "2026-01-05T10:00:00.000000Z 0 [System] [MY-010116] [Server] starting",
        "2026-01-05 10:00:00 0 [Warning] of MariaDB",
        "260105 10:00:00 [ERROR] of MySQL 5.5",
    ],
    "redis": [
        "1234:M 05 Jan 2026 10:00:00.000 * Ready to accept connections",
        "[1234] 05 Jan 10:00:00.000 # a warning",
        "1234:signal-handler (1767607200) Received SIGTERM",
    ],
    "w3c": [
        "#Fields: date time c-ip cs-method cs-uri-stem cs-uri-query cs(User-Agent) sc-status time-taken",
        "2026-01-05 10:00:00 203.0.113.9 GET /cart item=3 Mozilla/5.0+(X) 200 15",
    ],
    "csv": [
        "timestamp,level,message,user",
        '2026-01-05T10:00:00Z,warn,"a, ""b""",bob',
        "2026-01-05T10:00:00Z,info,plain,",
    ],
    "regex": ["2026-01-05T10:00:00Z <err> bob fell"],
    "raw": ["anything"],
}
OPTIONS: dict[str, dict[str, Any]] = {
    "regex": {"pattern": r"^(?P<timestamp>\S+) <(?P<level>\w+)> (?P<who>\S+) (?P<message>.*)$"},
}
GUESSED = sorted(LINES.keys() - {"csv", "regex", "raw"})


def run(step: Processor, *lines: str, stream: str = "s") -> list[Event]:
    batch = EventBatch.from_events(
        [Event(message=line, timestamp=READ) for line in lines], Labels(stream=stream)
    )
    after, drops = step.process(batch)
    assert not drops
    return list(after)


def made(make: Make, name: str) -> Processor:
    return make(name, **OPTIONS.get(name, {}))


@pytest.fixture(scope="module")
def kept(make: Make) -> Callable[[str], Processor]:
    """A processor for many examples: compiling patterns takes longer than they do."""
    return functools.lru_cache(functools.partial(made, make))


@pytest.mark.parametrize("name", LINES)
def test_lines_are_read(name: str, make: Make) -> None:
    step = made(make, name)
    found = run(step, *LINES[name])
    headers = {"w3c": 1, "csv": 1, "raw": 1}.get(name, 0)
    assert all(event.timestamp == WHEN for event in found[headers:]), [event.timestamp for event in found]
    assert step.detail().startswith("0 of "), step.detail()


@pytest.mark.parametrize("name", GUESSED)
def test_auto_finds_the_format(name: str, make: Make) -> None:
    step = make("auto")
    alone = [attrs.evolve(event, received_at=READ) for event in run(made(make, name), *LINES[name])]
    guessed = [attrs.evolve(event, received_at=READ) for event in run(step, *LINES[name])]
    assert step.detail().split(",")[0].split(";")[0] == f"{name} 1"
    assert guessed == alone


def words_of(event: Event) -> Iterator[str]:
    """All the text there is."""
    yield from (event.message or "", event.stacktrace or "", event.operation or "", event.service_name)
    yield from (event.environment, event.level or "", event.trace_id or "")
    yield from event.tags
    yield from event.tags.values()


@pytest.mark.parametrize("name", sorted(LINES.keys() - {"csv", "w3c"}))
@settings(max_examples=20)
@given(data=st.data())
def test_no_word_is_lost_wherever_it_stands(
    name: str, kept: Callable[[str], Processor], data: st.DataObject
) -> None:
    lines = []
    for _ in range(4):
        line = data.draw(st.sampled_from(LINES[name]))
        place = data.draw(st.integers(0, len(line)))
        around = data.draw(st.sampled_from(["", " ", '"', "=", "]", ": ", "\n", "\\", ",", "{"]))
        lines.append(f"{line[:place]}{around}{WORD}{line[place:]}")
    for line, event in zip(lines, run(kept(name), *lines), strict=True):
        assert any(WORD in text for text in words_of(event)), (line, event)


@pytest.mark.parametrize("name", [*LINES, "auto"])
@settings(max_examples=12)
@given(data=st.data())
def test_no_text_raises(name: str, kept: Callable[[str], Processor], data: st.DataObject) -> None:
    """Lines with pieces cut out, doubled and exchanged, and any text at all: an event for each, in order."""
    pieces = st.sampled_from([line[place : place + size] for line in LINES.get(name, LINES["json"])
                              for place in range(0, len(line), 3) for size in (1, 4, 30)])  # fmt: skip
    odd = st.lists(pieces | st.text(max_size=5), max_size=8).map("".join)
    lines = data.draw(st.lists(odd | st.sampled_from(LINES.get(name, LINES["json"])), min_size=1, max_size=6))
    step = kept(name)
    found = [*run(step, *lines), *run(step, *lines[::-1])]
    assert len(found) == 2 * len(lines)
    left = [
        event for line, event in zip(lines, found, strict=False) if not event.tags and event.level is None
    ]
    assert all(event.message is not None for event in left)
