"""Traces as real programs wrote them (tests/traces: the outputs, and the programs), and as Python writes them now."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.joins import assert_nothing_is_lost, join_all, lines_of

from yaat_kit.joining import PRESETS, make_joiner, preset
from yaat_kit.multiline import Limits

FOLDER = Path(__file__).parent / "traces"
FILES = {
    "java": "java",
    "node": "node",
    "node-uncaught": "node",
    "dotnet": "dotnet",
    "mono": "dotnet",
    "go-panic": "go",
    "go-error": "go",
    "go-log": "go",
    "go-map": "go",
    "ruby": "ruby",
    "rust": "rust",
    "rust-backtrace": "rust",
}
#: Of each file the events that have a trace: message, lines of the trace, and its last line.
EXPECTED = {
    "java": [
        ("2026-01-05 10:00:00,002 ERROR Shop - it failed", 11, "\t... 3 more"),
        ("SEVERE: by the logger", 4, "\t... 1 more"),
        ("java.lang.Exception: circle", 5, "Caused by: [CIRCULAR REFERENCE: java.lang.Exception: circle]"),
        ("2026-01-05 10:00:00,004 INFO  Shop - now in a pool", 16, "\t... 6 more"),
        (
            'Exception in thread "main" java.lang.RuntimeException: order 7 failed\nits second line',
            7,
            "\t... 2 more",
        ),
    ],
    "node": [
        ("2026-01-05T10:00:00.002Z ERROR it failed", 11, "}"),
        ("reading failed Error: ENOENT: no such file or directory, open '/nowhere/file'", 8, "}"),
        ("2026-01-05T10:00:00.004Z INFO and on", 17, "}"),
        (
            "2026-01-05T10:00:00.005Z INFO stack only",
            4,
            "    at process.processTimers (node:internal/timers:519:7)",
        ),
        ("Error: order 7 failed", 14, "Node.js v20.20.2"),
    ],
    "node-uncaught": [("Error: card refused\nby the bank", 16, "Node.js v20.20.2")],
    "dotnet": [
        ("2026-01-05 10:00:00.002 ERROR it failed", 7, "   at Shop.Main()"),
        (
            "2026-01-05 10:00:00.004 ERROR later: System.AggregateException: One or more errors occurred. (order 7 failed)",
            11,
            "   at Shop.Main()",
        ),
        (
            "Unhandled exception. System.ApplicationException: order 7 failed\n"
            " ---> System.InvalidOperationException: card refused",
            7,
            "   at Shop.Main()",
        ),
    ],
    "go-panic": [
        (
            "panic: runtime error: invalid memory address or nil pointer dereference [recovered]\n"
            "\tpanic: order 7 failed: runtime error: invalid memory address or nil pointer dereference\n"
            "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x65f5f8]",
            15,
            "\t/srv/shop/shop.go:37 +0x325",
        )
    ],
    "go-error": [("panic: two\n\tlines", 6, "\t/srv/shop/shop.go:39 +0x387")],
    "go-log": [
        ("2026/11/30 21:17:17 ERROR it failed", 5, "\t/srv/shop/shop.go:41 +0xcb"),
        (
            "2026/11/30 21:17:17 http: panic serving 127.0.0.1:41046: in a handler",
            15,
            "\t/usr/local/go/src/net/http/server.go:3464 +0x485",
        ),
    ],
    "go-map": [("fatal error: concurrent map writes", 9, "\t/srv/shop/shop.go:50 +0x358")],
    "ruby": [
        (
            "E, [2026-11-30T21:17:17.449271 #25962] ERROR -- : order 7 failed\nits second line (RuntimeError)",
            3,
            "shop.rb:11:in `<main>'",
        ),
        (
            "E, [2026-11-30T21:17:17.450023 #25962] ERROR -- : undefined method `foo' for nil:NilClass\n"
            "\n  nil.foo\n     ^^^^",
            5,
            "     ^^^^",
        ),
        (
            "shop.rb:7:in `rescue in order': order 7 failed (RuntimeError)\nits second line",
            7,
            "\tfrom shop.rb:24:in `<main>'",
        ),
    ],
    "rust": [
        (
            "thread '<unnamed>' (26014) panicked at shop.rs:2:12:\ncard refused",
            3,
            "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace",
        ),
        (
            "thread 'worker' (26015) panicked at shop.rs:8:99:\nindex out of bounds: the len is 0 but the index is 1",
            2,
            "index out of bounds: the len is 0 but the index is 1",
        ),
        ("thread 'main' (26013) panicked at shop.rs:3:45:\norder 7 has", 2, "order 7 has"),
    ],
}


def texts_of(name: str) -> list[str]:
    return (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def traced(rows):
    return [
        (message, stack.count("\n") + 1, stack.rsplit("\n", 1)[-1])
        for message, stack, _ in rows
        if stack is not None
    ]


@pytest.mark.parametrize("name", EXPECTED)
def test_real_traces(name):
    rows = join_all(preset(FILES[name]), texts_of(name))
    assert traced(rows) == EXPECTED[name]
    assert_nothing_is_lost(texts_of(name), rows)


def test_rust_backtraces():
    rows = join_all(preset("rust"), texts_of("rust-backtrace"))
    messages = [message.partition("\n")[2] for message, _, _ in traced(rows)]
    assert messages == [
        "card refused",
        "index out of bounds: the len is 0 but the index is 1",
        "order 7 has\ntwo lines",
    ]
    assert all(last.startswith("note: ") for _, _, last in traced(rows))


def test_mono():
    rows = join_all(preset("dotnet"), texts_of("mono"))
    assert [count for _, count, _ in traced(rows)] == [5, 14, 6, 4]
    assert_nothing_is_lost(texts_of("mono"), rows)


@pytest.mark.parametrize("name", FILES)
def test_auto_gives_what_the_languages_own_preset_gives(name):
    assert join_all(preset("auto"), texts_of(name)) == join_all(preset(FILES[name]), texts_of(name))


def test_a_line_without_a_trace_is_an_event_by_itself_in_every_preset():
    texts = ["2026-01-05 INFO a", "b", "", "c: d", "/index.html:80", "at home", "note: x", "(e)", '{"f": 1}']
    for name in PRESETS:
        if name != "indent":
            assert [row[:2] for row in join_all(preset(name), texts)] == [(text, None) for text in texts]


ALL = [texts_of(name) for name in FILES]
blocks = st.lists(
    st.one_of(
        st.sampled_from(ALL).flatmap(
            lambda texts: st.integers(0, len(texts)).flatmap(
                lambda start: st.integers(start, len(texts)).map(lambda stop: texts[start:stop])
            )
        ),
        st.sampled_from(
            ["2026-01-05 INFO x", "plain", "", "  deep", "Error: y", "Caused by:", "panic: z", "a.B: c"]
        ).map(lambda line: [line]),
    ),
    max_size=5,
).map(lambda parts: [line for part in parts for line in part])


@given(blocks, st.lists(st.integers(1, 9), max_size=60), st.sampled_from([4, 9, 30, 1000]))
@settings(max_examples=80)
def test_any_division_gives_the_same_events(texts, divisions, most):
    joiner = make_joiner("auto", Limits(lines=most, bytes=2000))
    rows = join_all(joiner, texts, divisions)
    assert rows == join_all(joiner, texts)
    assert_nothing_is_lost(texts, rows)


def test_a_trace_over_the_limit_is_divided_and_its_rest_stays_together():
    texts = [
        "ERROR a",
        "java.lang.Error: deep",
        *(f"\tat a.B.c(B.java:{line})" for line in range(50)),
        "INFO b",
    ]
    joined = make_joiner("java", Limits(lines=20)).join(lines_of(texts), final=True)
    sizes = [len(text.split("\n")) for text in joined.original().to_pylist()]
    assert sizes == [20, 20, 12, 1]
    assert joined.divided.tolist() == [True, True, False, False]
    assert "\n".join(joined.original().to_pylist()) == "\n".join(texts)


CRASH = """
import asyncio, logging, sys, threading
logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
def pay(): raise ValueError("card refused")
def order():
    try: pay()
    except ValueError as error: raise RuntimeError("order 7 failed") from error
try: order()
except RuntimeError: logging.exception("it failed\\nin two lines")
logging.warning("on we go")
try: exec(compile("a = (", "x.py", "exec"))
except SyntaxError: logging.exception("it can't be read")
thread = threading.Thread(target=order, name="till"); thread.start(); thread.join()
async def late(): raise KeyError("late")
async def main():
    task = asyncio.create_task(late()); await asyncio.sleep(0.01); del task
    import gc; gc.collect()
asyncio.run(main())
try: raise ExceptionGroup("many", [ValueError("a"), TypeError("b")])
except ExceptionGroup: logging.exception("a group")
logging.warning("last words")
sys.stderr.write("\\n")
order()
"""


def test_python_as_it_writes_now():
    run = subprocess.run(
        [sys.executable, "-c", CRASH], capture_output=True, text=True, timeout=60, check=False
    )
    texts = run.stderr.splitlines()
    rows = join_all(preset("python"), texts)
    assert_nothing_is_lost(texts, rows)
    found = [(message.split(": ", 1)[-1], last) for message, _, last in traced(rows)]
    assert found[0] == ("it failed\nin two lines", "RuntimeError: order 7 failed")
    assert found[1] == ("it can't be read", "SyntaxError: '(' was never closed")
    assert found[2][0].startswith("Exception in thread till")
    assert found[2][1] == "RuntimeError: order 7 failed"
    assert found[3][0].startswith("Task exception was never retrieved\nfuture: <Task")
    assert found[3][1] == "KeyError: 'late'"
    assert found[4] == ("a group", "    +------------------------------------")
    assert found[5:] == [("order 7 failed", "RuntimeError: order 7 failed")]
