"""Lines of containers: parts joined by the file source, what is inside, and ids of traces in messages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.agents import yaat

from yaat_core.components import Processor
from yaat_core.event import Event, EventBatch, Labels

Make = Callable[..., Processor]
README = Path(__file__).parents[1] / "README.md"
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def run(step: Processor, *lines: str) -> list[Event]:
    return list(
        step.process(EventBatch.from_events([Event(message=line) for line in lines], Labels(stream="s")))[0]
    )


FILES = {
    "cri": [
        "2026-01-05T10:00:00.1Z stdout P one ",
        "2026-01-05T10:00:00.2Z stdout P two ",
        "2026-01-05T10:00:00.3Z stdout F three",
        '2026-01-05T10:00:00.4Z stderr F {"level":"warn","msg":"green"}',
        "2026-01-05T10:00:00.5Z stderr F last",
    ],
    "docker": [
        json.dumps({"log": log, "stream": stream, "time": "2026-01-05T10:00:00.1Z"}, separators=(",", ":"))
        for log, stream in [
            ("one ", "stdout"),
            ("two ", "stdout"),
            ("three\n", "stdout"),
            ('{"level":"warn","msg":"green"}\n', "stderr"),
            ("last\n", "stderr"),
        ]
    ],
}


@pytest.mark.parametrize("format", FILES)
def test_parts_are_joined_as_the_readme_says(format: str, tmp_path: Path) -> None:
    [recipe] = re.findall(rf"format: {format}\n    multiline: (\{{.*?\}}) *(?:#.*)?\n", README.read_text())
    (tmp_path / "a.log").write_text("\n".join(FILES[format]) + "\n")
    (tmp_path / "yaat.yaml").write_text(
        "version: 1\nstate_dir: ./state\nhealth: {listen: 'off'}\nsinks: {out: {type: stdout, format: json}}\n"
        f"sources:\n  a:\n    type: file\n    paths: [a.log]\n    format: {format}\n    multiline: {recipe}\n"
    )
    done = yaat("run", "--once", "-c", str(tmp_path / "yaat.yaml"))
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(event.get("message"), event.get("level")) for event in events] == [
        ("one two three", None),
        ("green", "warning"),
        ("last", "error"),
    ]
    assert not any("log.partial" in event["tags"] for event in events)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.text(st.characters(exclude_characters="\n\r", exclude_categories=("Cs",)), max_size=20),
                          st.sampled_from("PF")), min_size=1, max_size=5))  # fmt: skip
def test_lines_of_cri_come_back(make: Make, pieces: list[tuple[str, str]]) -> None:
    event_text = "\n".join(f"2026-01-05T10:00:00.1Z stdout {flag} {text}" for text, flag in pieces)
    [event] = run(make("cri", content="raw"), event_text)
    whole = "".join(text + ("\n" if flag == "F" else "") for text, flag in pieces[:-1]) + pieces[-1][0]
    assert event.message == whole
    assert ("log.partial" in event.tags) == (pieces[-1][1] == "P")


def test_formats_inside_of_formats(make: Make) -> None:
    inner = "<11>Jan  5 10:00:00 host app: " + json.dumps({"level": "debug", "msg": "deep", "n": 1})
    outer = json.dumps(
        {"log": inner + "\n", "stream": "stderr", "time": "2026-01-05T11:00:00Z"}, separators=(",", ":")
    )
    [event] = run(make("docker"), outer)
    assert (event.message, event.level, event.tags["n"]) == ("deep", "debug", "1")
    assert event.tags["log.syslog.appname"] == "app"
    [plain] = run(make("docker", content="raw"), outer)
    assert (plain.message, plain.level, plain.timestamp) == (
        inner,
        "error",
        datetime(2026, 1, 5, 11, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("text", "trace", "span"),
    [
        (f"[trace_id={TRACE} span_id={SPAN} resource.service.name=shop] - no stock", TRACE, SPAN),
        (f"no stock traceId: {TRACE}, spanId: {SPAN}", TRACE, SPAN),
        ("[dd.service=shop dd.trace_id=13235353014750950193 dd.span_id=12345] x", f"{13235353014750950193:016x}",
         f"{12345:016x}"),
        (f"traceparent=00-{TRACE}-{SPAN}-01 x", TRACE, SPAN),
        ("trace_id=0 span_id=0 x", None, None),
        ("see the trace_id: none", None, None),
        (f"my_trace_id={TRACE}", None, None),
    ],
)  # fmt: skip
def test_ids_in_messages(text: str, trace: str | None, span: str | None, make: Make) -> None:
    for format in ("python", "auto"):
        other, event = run(make(format), "words", f"2026-01-05 10:00:00,000 - shop - ERROR - {text}")
        assert (event.trace_id, event.span_id, event.message) == (trace, span, text)
        assert (other.trace_id, other.span_id) == (None, None)


def test_ids_that_are_there_are_kept(make: Make) -> None:
    line = json.dumps({"trace_id": "ab" * 16, "msg": f"trace_id={TRACE}"})
    assert [event.trace_id for event in run(make("json"), line, "x")] == ["ab" * 16, None]
