"""The agent's own log in memory: bounded, without secrets, at a level that goes back."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from yaat_core.cli.run import _OneLine
from yaat_core.concealing import conceal
from yaat_core.own_log import KEPT, OWN, Levels, OwnLog

log = logging.getLogger("yaat.test")


@pytest.fixture
def kept() -> Iterator[OwnLog]:
    handler = OwnLog()
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    yield handler
    log.removeHandler(handler)
    log.setLevel(logging.NOTSET)


def test_the_last_lines_are_kept_and_no_more(kept: OwnLog) -> None:
    for number in range(KEPT + 10):
        log.info("line %d", number)
    lines = kept.after(0)
    assert (len(lines), lines[0].message, lines[-1].message) == (KEPT, "line 10", f"line {KEPT + 9}")
    assert [line.number for line in kept.after(KEPT + 8)] == [KEPT + 9, KEPT + 10]
    log.error("x" * 100_000)
    assert len(kept.after(KEPT + 10)[0].message) < 5_000


def test_no_secret_of_the_configuration_is_in_it(kept: OwnLog) -> None:
    conceal.learn(["s3cret-of-mine", "two lines\nof a key file", "abc"])
    try:
        raise RuntimeError("refused s3cret-of-mine")
    except RuntimeError:
        log.exception("it failed with %s", "s3cret-of-mine")
    log.info("of a key file, abc")
    texts = [line.message for line in kept.after(0)]
    assert "s3cret" not in str(texts)
    assert "RuntimeError: refused ***" in texts[0]
    assert texts[1] == "***, abc", "what is short is not looked for"


def test_no_secret_of_the_configuration_is_on_stderr() -> None:
    conceal.learn(["s3cret-of-mine"])
    record = logging.LogRecord("yaat", logging.INFO, __file__, 1, "key %s", ("s3cret-of-mine",), None)
    assert _OneLine("%(message)s").format(record) == "key ***"


def test_loading_a_configuration_tells_what_its_secrets_are(tmp_path: Path) -> None:
    from yaat_core import config
    from yaat_core.plugins import load_plugins

    (tmp_path / "key").write_text("0123456789-from-a-file-0123456789")
    (tmp_path / "yaat.yaml").write_text(
        "version: 1\nstate_dir: state\nsources: {app: {type: file, paths: ['${file:key}/*.log']}}\n"
        "processors:\n  - {type: scrub, masks: [{name: u, fields: [tags.u], action: hash, key: '${env:MASK_KEY}'}]}\n"
    )
    environ = {"MASK_KEY": "abcdefghij-from-a-variable-abcdefghij"}
    config.load(tmp_path / "yaat.yaml", load_plugins(), environ=environ)
    for secret in ("0123456789-from-a-file-0123456789", environ["MASK_KEY"]):
        assert conceal(f"a {secret}") == "a ***"


async def test_who_follows_gets_each_line_or_the_count(
    kept: OwnLog, autojump_clock: trio.testing.MockClock
) -> None:
    log.debug("before")
    log.warning("a warning before")
    stream = kept.follow(1, "debug")
    assert [line.message for line in (await anext(stream)).lines] == ["a warning before"]
    log.debug("then")
    assert [line.message for line in (await anext(stream)).lines] == ["then"]
    for number in range(KEPT + 7):
        log.debug("%d", number)
    told = await anext(stream)
    assert (len(told.lines), told.skipped) == (KEPT, 7)
    await stream.aclose()  # type: ignore[attr-defined]
    assert [line.message for line in (await anext(kept.follow(5, "warning"))).lines] == []


async def test_the_level_goes_back_by_itself_and_at_the_end(autojump_clock: trio.testing.MockClock) -> None:
    own, usual = logging.getLogger(OWN), logging.getLogger(OWN).level
    levels = Levels()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(levels.run)
        await trio.testing.wait_all_tasks_blocked()
        levels.set("debug", 10)
        await trio.sleep(9)
        levels.set("error", 10)
        await trio.sleep(9)
        assert own.level == logging.ERROR
        assert levels.now().until is not None
        await trio.sleep(2)
        assert own.level == usual
        assert levels.now().until is None
        levels.set("debug", 10)
        assert levels.back().until is None
        assert own.level == usual
        levels.set("debug", 10)
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    assert own.level == usual
