"""`yaat explain`."""

from __future__ import annotations

from typing import Any


def test_explain(yaat: Any) -> None:
    assert yaat("explain", "YAAT-E501").text.startswith("YAAT-E501")
    assert yaat("explain", "e501", "--json").document["code"] == "YAAT-E501"
    done = yaat("explain", "YAAT-E999")
    assert done.code == 2
    assert "no error has the code" in done.err


def test_every_error_of_this_part_is_explained() -> None:
    from yaat_core.cli.ending import Fault
    from yaat_core.codes import EXPLANATIONS
    from yaat_core.control.answers import TooManyQueries
    from yaat_core.control.client import AnswerCut, NoAnswerInTime
    from yaat_core.control.sockets import SocketPathTooLong

    for kind in (Fault, AnswerCut, NoAnswerInTime, SocketPathTooLong, TooManyQueries):
        assert kind.code in EXPLANATIONS
