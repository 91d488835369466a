"""The same trouble many times a second is a few lines."""

from __future__ import annotations

import logging

import pytest

from yaat_core.seldom import EVERY, Seldom


def test_said_once_and_then_with_a_count(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    log = logging.getLogger("trio.test")
    seldom = Seldom(lambda: now[0])
    log.addFilter(seldom)
    try:
        for tick in range(1_301):
            now[0] = tick * 0.1
            try:
                raise OSError(24, "Too many open files")
            except OSError:
                log.exception("accept returned %s", "EMFILE")
            log.info("well")
        log.error("another")
    finally:
        log.removeFilter(seldom)
    errors = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.getMessage() for record in errors] == [
        "accept returned EMFILE",
        "accept returned EMFILE (and 599 times in the 60 s before)",
        "accept returned EMFILE (and 599 times in the 60 s before)",
        "another",
    ]
    assert [bool(record.exc_info) for record in errors] == [True, False, False, False]


def test_what_is_remembered_is_bounded() -> None:
    seldom = Seldom(lambda: 0.0)
    for number in range(1_000):
        record = logging.LogRecord("x", logging.ERROR, "", 0, "number %d", (number,), None)
        assert seldom.filter(record)
    assert len(seldom._said) <= 100
    assert EVERY > 1
